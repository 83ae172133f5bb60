// A careful client of the simulated Alibaba Cloud, on the vendor's own SDK: each way to a session, and a registry token for it.

import type { AccessKey } from './alibaba-state.ts';
import { callSdk } from './client-calls.ts';
import type { Clouds } from './clouds.ts';
import { SAMPLE } from './sample.ts';

/** Reads the session of the instance's role from the metadata service, with a token. Throws with path and status. */
export async function readInstanceRole(clouds: Clouds): Promise<AccessKey> {
  const { url } = clouds.endpoints().alibaba.metadata;
  const read = async (path: string, init: RequestInit): Promise<string> => {
    const answer = await fetch(`${url}/latest/${path}`, init);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.text();
  };
  const ttl = { 'x-aliyun-ecs-metadata-token-ttl-seconds': '60' };
  const token = await read('api/token', { method: 'PUT', headers: ttl });
  const headers = { 'x-aliyun-ecs-metadata-token': token };
  const role = await read('meta-data/ram/security-credentials/', { headers });
  const document = await read(`meta-data/ram/security-credentials/${role}`, { headers });
  return buildSession(JSON.parse(document) as Record<string, string>, clouds.metadata.settings().roleArn);
}

/** Assumes a role, `SAMPLE.roleB` unless `parameters` say otherwise. Rejects with what the SDK throws. */
export async function assumeRole(
  clouds: Clouds,
  key: AccessKey,
  parameters: Readonly<Record<string, string>> = {},
): Promise<AccessKey> {
  const query = { RoleArn: SAMPLE.roleB.arn, RoleSessionName: 'sess', ...parameters };
  const body = await callSdk({
    ...{ endpoint: clouds.endpoints().alibaba.sts, key, action: 'AssumeRole', version: '2015-04-01', query },
  });
  return buildSession(body.Credentials as Record<string, string>, query.RoleArn);
}

/** Assumes `SAMPLE.roleA` with a ServiceAccount's token. Rejects with what the SDK throws. */
export async function assumeRoleWithOidc(clouds: Clouds, token: string): Promise<AccessKey> {
  const body = await callSdk({
    ...{ endpoint: clouds.endpoints().alibaba.sts, action: 'AssumeRoleWithOIDC', version: '2015-04-01' },
    ...{ query: { Format: 'json' }, form: buildOidcForm(token) },
  });
  return buildSession(body.Credentials as Record<string, string>, SAMPLE.roleA.arn);
}

/** Builds the body of AssumeRoleWithOIDC for `SAMPLE.roleA`. */
export function buildOidcForm(token: string): Record<string, string> {
  return {
    ...{ RoleArn: SAMPLE.roleA.arn, OIDCProviderArn: SAMPLE.oidcProvider.arn },
    ...{ OIDCToken: token, RoleSessionName: 'rrsa' },
  };
}

/** Fetches a token of an instance, that of the other account by default; throws the code of a failure that comes as success. */
export async function fetchToken(
  clouds: Clouds,
  key: AccessKey,
  InstanceId: string = SAMPLE.otherInstance.instanceId,
): Promise<Record<string, unknown>> {
  const body = await callSdk({
    ...{ endpoint: clouds.endpoints().alibaba.cr, key, action: 'GetAuthorizationToken', version: '2018-12-01' },
    query: { InstanceId },
  });
  if (body.IsSuccess !== true) throw new Error(String(body.Code));
  return body;
}

function buildSession(given: Record<string, string>, roleArn: string): AccessKey {
  const { AccessKeyId = '', AccessKeySecret = '', SecurityToken = '' } = given;
  const key = { accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, securityToken: SecurityToken };
  return { ...key, accountId: '', status: 'Active', roleArn };
}

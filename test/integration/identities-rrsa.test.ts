// RRSA from the configuration to a pull from a real registry: with tokens that the API server signs, by request and in a file
// as the kubelet projects it; and what is said when a hop of it fails.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { VENDOR_HELPER } from '../../src/core/names.ts';
import type { Role } from '../support/clouds/alibaba-state.ts';
import { SAMPLE } from '../support/clouds/clouds.ts';
import { createJwtSigner } from '../support/clouds/sign-jwt.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/expectations.ts';
import { FIRST, HOST, OTHER, OTHER_HOST, startIdentityWorld, type IdentityWorld } from '../support/identity-world.ts';
import { configMapEvents, linesSaying, toldEvents } from '../support/signs.ts';
import { PROGRAM_USER, type Replica, type World } from '../support/world.ts';

jest.setTimeout(120_000);

const { roleA, roleB, oidcProvider } = SAMPLE;
const ON = { rrsa: 'enable: true\n' };
const BY_REQUEST = { ...ON, 'rrsa-service-account': 'kube-system/aliyun-acr-credential-helper' };
const OTHER_SUBJECT = 'system:serviceaccount:kube-system:another';
const CHAINED = `  assumeRoleARN: ${roleB.arn}\n`;

let identities: IdentityWorld;
let world: World;
let replica: Replica;
let file: string;

beforeAll(async () => {
  identities = await startIdentityWorld();
  ({ world } = identities);
  file = join(world.plane.folder, 'rrsa-token');
  await world.cluster.serviceAccount('kube-system', 'another');
  replica = await world.startController({
    env: {
      ALIBABA_CLOUD_ROLE_ARN: roleA.arn,
      ALIBABA_CLOUD_OIDC_PROVIDER_ARN: oidcProvider.arn,
      ALIBABA_CLOUD_OIDC_TOKEN_FILE: file,
    },
  });
}, 180_000);
afterAll(() => identities.stop());
beforeEach(async () => {
  identities.resetCloud();
  world.clouds.setClockOffset(0);
  await rm(file, { force: true });
});

const configure: IdentityWorld['configure'] = (items, more) => identities.configure(items, more);
const servedAs: IdentityWorld['servedAs'] = (principal, host) => identities.servedAs(principal, host);
const failureSaying: IdentityWorld['failureSaying'] = (text) => identities.failureSaying(text);
const rrsaOf = (role: Role, provider: string = oidcProvider.arn): string =>
  `  rrsaRoleARN: ${role.arn}\n  rrsaOIDCProviderRoleARN: ${provider}\n`;

/** A role of its own for each case, of which there is no session yet, that trusts these subjects. */
function putRole(
  name: string,
  subjects: readonly string[] = [PROGRAM_USER],
  provider: string = oidcProvider.arn,
): Role {
  const role = { arn: `${roleA.arn}-${name}`, trust: [{ oidcProviderArn: provider, subjects }] };
  world.clouds.state.roles.set(role.arn, role);
  return role;
}

/** A token as the kubelet asks for it, signed by the API server. */
async function sign(
  of: { readonly name?: string; readonly audience?: string; readonly seconds?: number } = {},
): Promise<string> {
  const { name = 'registry-credential-helper', audience = 'sts.aliyuncs.com', seconds = 3_600 } = of;
  const { status, body } = await world.plane.request({
    method: 'POST',
    path: `/api/v1/namespaces/kube-system/serviceaccounts/${name}/token`,
    body: { spec: { audiences: [audience], expirationSeconds: seconds } },
  });
  expect(status).toBe(201);
  return (body as { status: { token: string } }).status.token;
}

/** Puts a token into the file; it ends with a line break, as people's editors have it. */
const project = (token: string): Promise<void> => writeFile(file, `${token}\n`);

describe('a token pulls that was obtained by RRSA', () => {
  test('[acr I4] with a token that the cluster signs for the ServiceAccount of the vendor', async () => {
    await configure(`${FIRST}${rrsaOf(roleA)}`, BY_REQUEST);
    await servedAs(roleA.arn, HOST);
    expect(await world.cluster.get('serviceaccounts', VENDOR_HELPER.name, 'kube-system')).toBeDefined();
  });

  test('[acr I4] with such a token, and then as a role of another account', async () => {
    await configure(`${OTHER}${rrsaOf(roleA)}${CHAINED}`, BY_REQUEST);
    await servedAs(roleB.arn, OTHER_HOST);
  });

  test('[acr I4] with the token of the projected file, as the role that the environment names', async () => {
    await project(await sign());
    await configure(FIRST, ON);
    await servedAs(roleA.arn, HOST);
    expect((await linesSaying(replica, 'Obtained a credential')).at(-1)?.identity).toBe(`RRSA (${roleA.arn})`);
  });

  test('[acr I4] with the token of the projected file, and then as a role of another account', async () => {
    await project(await sign());
    await configure(`${OTHER}${CHAINED}`, ON);
    await servedAs(roleB.arn, OTHER_HOST);
  });

  test('[acr I4] as the role, and by the provider, of the ConfigMap, which win over those of the environment', async () => {
    const provider = `${oidcProvider.arn}-named`;
    const { keys } = world.clouds.state.oidcProviders.get(oidcProvider.arn) ?? oidcProvider;
    world.clouds.state.oidcProviders.set(provider, { ...oidcProvider, keys, arn: provider });
    const role = putRole('named', [PROGRAM_USER], provider);
    await project(await sign());
    await configure(`${FIRST}${rrsaOf(role, provider)}`, ON);
    await servedAs(role.arn, HOST);
  });

  test('[acr I4] with a file that is read anew for each session', async () => {
    const { state } = world.clouds;
    state.sessionLifeCapMs = 12_000;
    const role = putRole('reread');
    await project(await sign());
    await configure(`${FIRST}${rrsaOf(role)}`, ON);
    const first = await servedAs(role.arn, HOST);
    await project(await sign({ name: 'another' }));
    putRole('reread', [OTHER_SUBJECT]);
    // The role does not admit any more what the file held before.
    await eventually('a later session made the token', async () => {
      const token = await identities.minted(HOST);
      return token !== undefined && token.accessKeyId !== first.accessKeyId;
    });
    await servedAs(role.arn, HOST);
    expect(await configMapEvents(world, 'CredentialUnavailable')).toEqual([]);
  });
});

describe('[acr I5] a hop that fails is named with what to check', () => {
  test('the token has expired: what the file holds next is used, without anybody’s doing', async () => {
    const role = putRole('expired');
    // The shortest life that the API server gives; a clock that is off by eleven minutes is still accepted.
    await project(await sign({ seconds: 600 }));
    world.clouds.setClockOffset(11 * 60_000);
    await configure(`${FIRST}${rrsaOf(role)}`, ON);
    await failureSaying(
      /^SessionExpired: .*AssumeRoleWithOIDC of .*-expired failed \(AuthenticationFail\.OIDCToken\.Expired, request id .*: the token of the ServiceAccount has expired; a new one will be read/,
    );
    await project(await sign());
    await eventually('the token is there', () => identities.minted(HOST));
    // The registry keeps the real time.
    world.clouds.setClockOffset(0);
    await servedAs(role.arn, HOST);
    expect(await toldEvents(world, 'CredentialRestored', /./)).toHaveLength(1);
  });

  test('the token is for another audience', async () => {
    const role = putRole('audience');
    await project(await sign({ audience: 'https://other.example' }));
    await configure(`${FIRST}${rrsaOf(role)}`, ON);
    const message = await failureSaying(/AssumeRoleWithOIDC of .*-audience failed \(.*AudienceNotMatch, request id/);
    expect(message).toContain(
      `audience is https://other.example, and the OIDC provider ${oidcProvider.arn} must accept it: sts.aliyuncs.com`,
    );
  });

  test.each([
    ['nobody', []],
    ['another ServiceAccount', [OTHER_SUBJECT]],
  ])('the trust policy names %s', async (who, subjects) => {
    const role = putRole(who === 'nobody' ? 'trustless' : 'strict', subjects);
    await project(await sign());
    await configure(`${FIRST}${rrsaOf(role)}`, ON);
    const message = await failureSaying(new RegExp(`AssumeRoleWithOIDC of ${role.arn} failed .*NoPermission`));
    expect(message).toContain(
      `the trust policy of ${role.arn} does not admit the subject ${PROGRAM_USER} (audience sts.aliyuncs.com, issuer ${oidcProvider.issuer}): name it in oidc:sub`,
    );
  });

  test('the trust policy names another ServiceAccount than the one that is asked for', async () => {
    const role = putRole('asked', [OTHER_SUBJECT]);
    await configure(`${FIRST}${rrsaOf(role)}`, BY_REQUEST);
    await failureSaying(
      /AssumeRoleWithOIDC of .*-asked .*does not admit the subject system:serviceaccount:kube-system:aliyun-acr-credential-helper .*oidc:sub/,
    );
  });

  test('the token is of another cluster', async () => {
    const role = putRole('foreign');
    const claims = JSON.parse(Buffer.from((await sign()).split('.')[1] ?? '', 'base64url').toString('utf8')) as object;
    await project(createJwtSigner().sign({ ...claims }));
    await configure(`${FIRST}${rrsaOf(role)}`, ON);
    const message = await failureSaying(/AssumeRoleWithOIDC of .*-foreign failed \(.*InvalidSignature/);
    expect(message).toContain(
      `${oidcProvider.arn} does not accept the token of the issuer ${oidcProvider.issuer}: the provider must be that of this cluster`,
    );
  });

  test('there is no file', async () => {
    await configure(`${FIRST}${rrsaOf(putRole('fileless'))}`, ON);
    const message = await failureSaying(/The file .*rrsa-token could not be read \(ENOENT\)/);
    expect(message).toMatch(
      /mount a projected .* audience sts\.aliyuncs\.com there \(the value `rrsa\.enabled` of the chart does\), or name .*`rrsa-service-account`/,
    );
  });

  test('the role of the other account does not trust the one that RRSA gave', async () => {
    world.clouds.state.roles.set(roleB.arn, { ...roleB, trust: [] });
    const role = putRole('base');
    await project(await sign());
    await configure(`${OTHER}${rrsaOf(role)}${CHAINED}`, ON);
    const message = await failureSaying(/AssumeRole of .*acr-b failed \(NoPermission, request id .*-base/);
    expect(message).toContain(
      `RRSA (${role.arn}) may not assume ${roleB.arn}: allow it the action sts:AssumeRole (policy AliyunSTSAssumeRoleAccess), and let the trust policy of the role name it`,
    );
  });
});

test('[acr R2] sessions that end before the tokens are renewed first: no Secret ever holds a token that has expired', async () => {
  world.clouds.state.sessionLifeCapMs = 12_000;
  await configure(`${OTHER}${rrsaOf(roleA)}${CHAINED}  expireDuration: 902\n`, BY_REQUEST);
  await servedAs(roleB.arn, OTHER_HOST);
  await eventually('the token is of a short session', async () => {
    const token = await identities.minted(OTHER_HOST);
    return token !== undefined && token.expiresAt - token.issuedAt <= 12_000;
  });
  const [calls, startedAt] = [world.clouds.sts.calls().length, world.clouds.now()];
  const seen = new Set<string>();
  while (seen.size < 4) {
    const token = await identities.minted(OTHER_HOST);
    expect(token?.expiresAt).toBeGreaterThan(world.clouds.now());
    seen.add(token?.token ?? '');
    await pause(100);
  }
  // Each of the two sessions is renewed when a third of its life is over at the earliest; ends are told in whole seconds.
  const renewals = 2 * Math.ceil((world.clouds.now() - startedAt) / 3_500 + 1);
  expect(world.clouds.sts.calls().length - calls).toBeLessThanOrEqual(renewals);
  world.clouds.state.sessionLifeCapMs = Infinity;
  await settled(world);
});

test('no key, session or token of any of them was printed, at the level debug', async () => {
  expect(world.clouds.state.accessKeys.size).toBeGreaterThan(5);
  expect(await identities.printedSecrets(replica)).toEqual([]);
});

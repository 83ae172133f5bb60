// Reads where cloud services are reached: a setting of the process on purpose, since whoever edits the ConfigMap must not be able
// to send cloud keys elsewhere.
import { readFileSync } from 'node:fs';
import { isRecord } from '../core/records.ts';
import type { CloudEndpoints, ServiceEndpoint } from '../providers/provider.ts';
import { CLOUD_SERVICES } from '../providers/table.ts';

/**
 * Reads `--cloud-endpoints`: JSON, or the path of a file with it, per cloud and service `url`, `host`, `ca` (PEM) or `caFile`.
 * Problems are added to `issues`; undefined gives no endpoints.
 */
export function parseCloudEndpoints(text: string | undefined, issues: string[]): CloudEndpoints {
  if (text === undefined) return {};
  const fail = (why: string): CloudEndpoints => {
    issues.push(`--cloud-endpoints: ${why}`);
    return {};
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(/^\s*[{[]/.test(text) ? text : readFileSync(text, 'utf8'));
  } catch (error) {
    return fail(`neither JSON nor a file with JSON (${error instanceof SyntaxError ? 'syntax error' : codeOf(error)})`);
  }
  if (!isRecord(parsed)) return fail('must be an object: cloud, service, endpoint');
  const clouds = Object.entries(parsed).map(([cloud, services]) => {
    const known = Object.hasOwn(CLOUD_SERVICES, cloud) ? CLOUD_SERVICES[cloud] : undefined;
    if (known === undefined) {
      issues.push(
        `--cloud-endpoints: ${cloud} is no cloud that is called: use ${Object.keys(CLOUD_SERVICES).join(' or ')}`,
      );
    }
    for (const service of Object.keys(isRecord(services) ? services : {})) {
      if (known?.includes(service) === false) {
        issues.push(`--cloud-endpoints: ${cloud}.${service} is no service that is called: use ${known.join(' or ')}`);
      }
    }
    if (!isRecord(services)) issues.push(`--cloud-endpoints: ${cloud} must be an object of services`);
    const entries = Object.entries(isRecord(services) ? services : {});
    return [
      cloud,
      Object.fromEntries(
        entries.map(([service, value]) => [service, parseEndpoint(`${cloud}.${service}`, value, issues)]),
      ),
    ] as const;
  });
  return Object.fromEntries(clouds);
}

function parseEndpoint(path: string, value: unknown, issues: string[]): ServiceEndpoint {
  if (!isRecord(value)) {
    issues.push(`--cloud-endpoints: ${path} must be an object with url, host, ca or caFile`);
    return {};
  }
  const text = (key: string): string | undefined => {
    const found = value[key];
    if (found !== undefined && typeof found !== 'string') issues.push(`--cloud-endpoints: ${path}.${key} must be text`);
    return typeof found === 'string' ? found : undefined;
  };
  for (const key of Object.keys(value)) {
    if (!['url', 'host', 'ca', 'caFile'].includes(key))
      issues.push(`--cloud-endpoints: ${path}.${key} is unknown: use url, host, ca or caFile`);
  }
  const url = text('url');
  if (url !== undefined && !/^https?:\/\/[^/?#\s]+\/?$/.test(url)) {
    issues.push(`--cloud-endpoints: ${path}.url=${url} must be https://HOST[:PORT], {region} may stand in it`);
  }
  const host = text('host');
  const placeholder = /\{(?!region\})[^}]*\}?/.exec(`${url ?? ''} ${host ?? ''}`)?.[0];
  if (placeholder !== undefined)
    issues.push(`--cloud-endpoints: ${path}: only {region} is replaced, not ${placeholder}`);
  const ca = text('ca') ?? readAuthority(path, text('caFile'), issues);
  return {
    ...(url === undefined ? {} : { url: url.replace(/\/$/, '') }),
    ...(host === undefined ? {} : { host }),
    ...(ca === undefined ? {} : { ca }),
  };
}

function readAuthority(path: string, file: string | undefined, issues: string[]): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    issues.push(`--cloud-endpoints: ${path}.caFile=${file} cannot be read (${codeOf(error)})`);
    return undefined;
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'unreadable';
}

// A resource of a cluster that is looked at for a plan: what may be shown of it, and its password only as what its claims say.
import type { ParsedResource } from './image-pull-secret.ts';
import { isRecord } from './records.ts';
import { sourceDataOf } from './resource-source.ts';
import type { FoundTcrResource, FoundToken } from './tcr-take-over-facts.ts';
import { readClaims, readTokenLife } from './token-life.ts';

/** Life of a long-term token, milliseconds (tcr.md section 12). */
const LONG_TERM_MS = 3_650 * 86_400_000;

/** Life of a temporary one. */
const TEMPORARY_MS = 3_600_000;

/** Reads it; `parse` is the controller's own. */
export function findTcrResource(
  name: string,
  spec: unknown,
  parse: (name: string, spec: unknown) => ParsedResource,
): FoundTcrResource {
  const fields = isRecord(spec) ? spec : {};
  const docker = isRecord(fields.docker) ? fields.docker : {};
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const { password = '' } = sourceDataOf(spec);
  return {
    name,
    namespaces: text(fields.namespaces),
    serviceAccounts: text(fields.serviceAccounts),
    server: text(docker.server),
    token: readTcrToken(password),
    ...parse(name, spec),
  };
}

/** What the token says of itself; undefined = it is none of Tencent's. A long-term one that does not say when it was issued lives ten years. */
export function readTcrToken(password: string): FoundToken | undefined {
  const claims = readClaims(password);
  const life = readTokenLife(password);
  if (claims === undefined || life === undefined) return undefined;
  const tokenId = idOf(claims.tokenId);
  const operatorUin = idOf(claims.operatorUin);
  if (tokenId === undefined && operatorUin === undefined && idOf(claims.ownerUin) === undefined) return undefined;
  const lifeMs = tokenId === undefined ? TEMPORARY_MS : LONG_TERM_MS;
  const { issuedAt = life.expiresAt - lifeMs, expiresAt: endsAt } = life;
  return { tokenId, operatorUin, issuedAt, endsAt };
}

/** It stands in commands that people paste. */
function idOf(claim: unknown): string | undefined {
  const text = typeof claim === 'string' || typeof claim === 'number' ? String(claim) : '';
  return /^[\w-]{1,64}$/.test(text) ? text : undefined;
}

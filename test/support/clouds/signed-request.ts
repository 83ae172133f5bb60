// Requests as a correct client would sign them, for tests of the simulators that need no socket or another Host than the
// one they connect to.

import { randomUUID } from 'node:crypto';
import type { SignedRequest, SigningKey } from './acs3.ts';
import { buildCanonicalRequest, buildSignature, sha256Hex } from './acs3.ts';

/** What is asked, by whom, and when (epoch milliseconds). */
export interface RequestToSign {
  readonly key: SigningKey;
  readonly host: string;
  readonly action: string;
  readonly version: string;
  readonly now: number;
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  /** Fields of a form, sent as the body. */
  readonly form?: Readonly<Record<string, string>>;
  readonly nonce?: string;
  /** Default `application/json`. Not signed. */
  readonly accept?: string;
}

/** Builds a request with an ACS3 signature (acr.md section 13); a key with a security token sends it. */
export function buildSignedRequest(wanted: RequestToSign): SignedRequest {
  const { key, form, method = 'POST', path = '/', query = '', accept = 'application/json' } = wanted;
  const body = Buffer.from(form === undefined ? '' : new URLSearchParams(form).toString());
  const signed: Record<string, string> = {
    host: wanted.host,
    'x-acs-action': wanted.action,
    'x-acs-version': wanted.version,
    'x-acs-date': `${new Date(wanted.now).toISOString().slice(0, 19)}Z`,
    'x-acs-signature-nonce': wanted.nonce ?? randomUUID(),
    'x-acs-content-sha256': sha256Hex(body),
    ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    ...(key.securityToken === undefined ? {} : { 'x-acs-security-token': key.securityToken }),
  };
  const names = Object.keys(signed).sort();
  const request = { method, path, query, headers: signed, body };
  const signature = buildSignature(buildCanonicalRequest(request, names), key.accessKeySecret);
  const authorization = `ACS3-HMAC-SHA256 Credential=${key.accessKeyId},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { ...request, headers: { ...signed, accept, authorization } };
}

// What Tencent Cloud's error codes mean, and what to tell people about them (tcr.md section 13). By code, never by status.
import { CLOUD_PROBLEM, clockAdvice, sessionAdvice, SLOW_DOWN, UNKNOWN_CODE } from '../advice.ts';
import { findMeaning, type CodeMeaning, type CodeRow } from '../error-codes.ts';

const CODES: readonly CodeRow[] = [
  [
    /(AuthFailure\.)?(SecretIdNotFound|InvalidSecretId)/,
    'AccessKeyInvalid',
    ({ origin }) => `the cloud does not know the SecretId in ${origin}, or it is disabled: check secret-id there`,
  ],
  [
    /(AuthFailure\.)?(SignatureFailure|InvalidAuthorization)/,
    'SignatureMismatch',
    ({ origin, host }) =>
      `the signature is wrong: check that secret-key in ${origin} belongs to its secret-id, and that ${host} is the host that the cloud expects (--cloud-endpoints)`,
  ],
  [/(AuthFailure\.)?SignatureExpire/, 'ClockSkew', ({ skewMs }) => clockAdvice(skewMs, 5)],
  [/(AuthFailure\.)?TokenFailure/, 'SessionExpired', sessionAdvice],
  [
    /AuthFailure\.MFAFailure/,
    'PermissionDenied',
    ({ origin }) => `the identity from ${origin} needs a second factor, which no program has: use a key without MFA`,
  ],
  [
    /(AuthFailure\.)?UnauthorizedOperation(\..+)?/,
    'PermissionDenied',
    ({ action, origin }) =>
      `the identity from ${origin} may not do this: allow it the action ${permissionOf(action)} on the resource in CAM (docs/configuration.md has the policies)`,
  ],
  [
    /IpInBlacklist|IpNotInWhitelist/,
    'PermissionDenied',
    ({ origin }) =>
      `the account of ${origin} does not accept calls from this address: look at its address lists in CAM`,
  ],
  [
    /ResourceInsufficient\.ErrorInstanceNotRunning/,
    'InstanceNotReady',
    () => 'the instance exists but does not run: look at its state in the console',
  ],
  [
    /ResourceNotFound\.RoleNotFound/,
    'RequestRefused',
    ({ origin }) => `there is no such role in its account: check the ARN of the role, and whose key ${origin} is`,
  ],
  [
    /ResourceNotFound(\..+)?/,
    'InstanceNotFound',
    ({ origin }) =>
      `there is no such instance in this region for the account of ${origin}: check registryId, regionId and whose key it is`,
  ],
  [
    /UnsupportedRegion|InvalidParameter\.UnsupportedRegion/,
    'RequestRefused',
    ({ host }) => `${host} does not serve this region: check regionId, and --cloud-endpoints for zones of their own`,
  ],
  [
    /OperationDenied\.QuotaOverLimit|LimitExceeded(\..+)?/,
    'RequestRefused',
    () => 'the quota of the instance is used up: delete what is not needed, or have the quota raised',
  ],
  [
    /OperationDenied(\..+)?/,
    'RequestRefused',
    ({ origin }) =>
      `the cloud denies it in this state of the instance or account: look at the instance in the console, as the identity from ${origin}`,
  ],
  [/RequestLimitExceeded(\..+)?/, 'Throttled', () => SLOW_DOWN],
  [
    /InternalError\.(GetRoleError|IllegalRole)/,
    'RequestRefused',
    ({ origin }) =>
      `the role cannot be assumed: check its ARN, that it exists, and that its trust policy names the identity from ${origin}`,
  ],
  [
    /(InternalError|ServiceUnavailable|ResourceUnavailable)(\..+)?|FailedOperation\..*DB.*/,
    'CloudUnavailable',
    () => CLOUD_PROBLEM,
  ],
  [
    /ActionOffline|InvalidAction|NoSuchProduct|NoSuchVersion|UnsupportedProtocol/,
    'RequestRefused',
    ({ host }) => `${host} does not serve this call: check regionId and --cloud-endpoints`,
  ],
  [
    /(MissingParameter|InvalidParameter(Value)?|UnknownParameter|InvalidRequest|UnsupportedOperation)(\..+)?/,
    'RequestRefused',
    () => 'the cloud refused the request: check registryId, regionId and the other fields of the item',
  ],
];

/** What `code` means, by `special` rows first; an unknown one does not pass by itself. */
export function meaningOf(code: string, special: readonly CodeRow[] = []): CodeMeaning {
  return findMeaning(code, [...special, ...CODES]) ?? { reason: 'RequestRefused', advice: () => UNKNOWN_CODE };
}

/** The action as CAM policies write it. */
function permissionOf(action: string): string {
  return `${/^(Assume|GetCaller)/.test(action) ? 'sts' : 'tcr'}:${action}`;
}

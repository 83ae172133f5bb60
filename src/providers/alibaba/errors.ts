// What Alibaba Cloud's error codes mean, and what to tell people about them (acr.md section 21). By code, never by status.
import { findMeaning, type CodeMeaning, type CodeRow } from '../error-codes.ts';

const CODES: readonly CodeRow[] = [
  [
    /InvalidAccessKeyId\.Inactive/,
    'AccessKeyInvalid',
    ({ origin }) => `the AccessKey in ${origin} is disabled: enable it or put another one there`,
  ],
  [
    /InvalidAccessKeyId(\..+)?/,
    'AccessKeyInvalid',
    ({ origin }) => `the cloud does not know the AccessKey in ${origin}: check access-key-id there`,
  ],
  [
    /SignatureDoesNotMatch|IncompleteSignature|InvalidSignature(\..+)?/,
    'SignatureMismatch',
    ({ origin }) => `the signature is wrong: check that access-key-secret in ${origin} belongs to its access-key-id`,
  ],
  [/InvalidTimeStamp\..+|InvalidTimeStamp/, 'ClockSkew', ({ skewMs }) => clockAdvice(skewMs)],
  [/SignatureNonceUsed/, 'CloudUnavailable', () => 'the cloud saw the request twice; it will be made again'],
  [
    /MissingSecurityToken|InvalidSecurityToken(\..+)?/,
    'SessionExpired',
    ({ origin }) => `the session from ${origin} has expired or was refused; a new one will be asked for`,
  ],
  [
    /Forbidden(\..+)?|NoPermission(\..+)?|NoPrivilege(\..+)?/,
    'PermissionDenied',
    ({ action, origin }) => `the identity from ${origin} may not do this: allow it the action cr:${action} on * in RAM`,
  ],
  [
    /INSTANCE_NOT_EXIST|INSTANCE_NOT_FOUND/,
    'InstanceNotFound',
    ({ origin }) =>
      `there is no such instance in this region for the account of ${origin}: check instanceId, regionId and whose AccessKey it is`,
  ],
  [
    /INSTANCE_STATUS_NOT_SUPPORT/,
    'InstanceNotReady',
    () => 'the instance exists but does not run: look at its state in the console',
  ],
  [
    /.*Throttling.*|Rejected\..*|.*TooManyRequests.*/,
    'Throttled',
    () => 'the cloud asks to slow down; it will be asked again',
  ],
  [
    /Invalid(Api|Action|Version).*|UnsupportedHTTPMethod/,
    'RequestRefused',
    ({ host }) => `${host} does not serve this call: check regionId and --cloud-endpoints`,
  ],
  [
    /ServiceUnavailable.*|Internal\.?(Error|ServerError|.*Failure)|SystemError|Unknown(Error)?|.*Timeout|BadGateway/,
    'CloudUnavailable',
    () => 'the cloud has a problem of its own; it will be asked again',
  ],
  [
    /Missing.+|InvalidParameter.*|Invalid.+/,
    'RequestRefused',
    () => 'the cloud refused the request: check instanceId and regionId',
  ],
];

/** What `code` means, by `special` rows first; an unknown one goes by status: 5xx will pass, everything else will not. */
export function meaningOf(code: string, status: number, special: readonly CodeRow[] = []): CodeMeaning {
  const meaning = findMeaning(code, [...special, ...CODES]);
  if (meaning !== undefined) return meaning;
  if (status === 429)
    return { reason: 'Throttled', advice: () => 'the cloud asks to slow down; it will be asked again' };
  if (status >= 500) {
    return { reason: 'CloudUnavailable', advice: () => 'the cloud has a problem of its own; it will be asked again' };
  }
  return {
    reason: 'RequestRefused',
    advice: () => 'this code is not known here: its meaning stands in the cloud’s documentation',
  };
}

function clockAdvice(skewMs: number | undefined): string {
  const minutes = skewMs === undefined ? 0 : Math.round(Math.abs(skewMs) / 60_000);
  const off = skewMs === undefined || minutes === 0 ? 'is off' : `is ${minutes} min ${skewMs > 0 ? 'behind' : 'ahead'}`;
  return `the clock of this node ${off}, and the cloud accepts 15 min: check its time synchronisation`;
}

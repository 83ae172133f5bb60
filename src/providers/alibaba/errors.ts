// What Alibaba Cloud's error codes mean, and what to tell people about them (acr.md section 21). By code, never by status.
import { CLOUD_PROBLEM, clockAdvice, sessionAdvice, SLOW_DOWN, UNKNOWN_CODE } from '../advice.ts';
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
  [/InvalidTimeStamp\..+|InvalidTimeStamp/, 'ClockSkew', ({ skewMs }) => clockAdvice(skewMs, 15)],
  [/SignatureNonceUsed/, 'CloudUnavailable', () => 'the cloud saw the request twice; it will be made again'],
  [/MissingSecurityToken|InvalidSecurityToken(\..+)?/, 'SessionExpired', sessionAdvice],
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
  [/.*Throttling.*|Rejected\..*|.*TooManyRequests.*/, 'Throttled', () => SLOW_DOWN],
  [
    /Invalid(Api|Action|Version).*|UnsupportedHTTPMethod/,
    'RequestRefused',
    ({ host }) => `${host} does not serve this call: check regionId and --cloud-endpoints`,
  ],
  [
    /ServiceUnavailable.*|Internal\.?(Error|ServerError|.*Failure)|SystemError|Unknown(Error)?|.*Timeout|BadGateway/,
    'CloudUnavailable',
    () => CLOUD_PROBLEM,
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
  if (status === 429) return { reason: 'Throttled', advice: () => SLOW_DOWN };
  if (status >= 500) {
    return { reason: 'CloudUnavailable', advice: () => CLOUD_PROBLEM };
  }
  return {
    reason: 'RequestRefused',
    advice: () => UNKNOWN_CODE,
  };
}

// What the errors of STS mean, and what to tell people about them (tcr.md section 14): each names the hop and what to check there.
import type { EpochMs } from '../../core/types.ts';
import { SLOW_DOWN } from '../advice.ts';
import type { CodeRow } from '../error-codes.ts';
import type { OidcClaims } from '../oidc-claims.ts';

/** Audience of the tokens that pod identity mounts, unless an annotation says otherwise. */
export const AUDIENCE = 'sts.cloud.tencent.com';

const ARN_FORM = '`qcs::cam::uin/<account id>:roleName/<name>`';

/** What the codes of AssumeRole mean. */
export function roleCodes(of: {
  readonly roleArn: string;
  readonly durationSeconds: number;
  readonly externalId: string | undefined;
  readonly namedBy: string;
}): readonly CodeRow[] {
  const { roleArn, externalId, namedBy } = of;
  const isItem = namedBy === 'assumeRoleARN';
  const proof =
    externalId === undefined
      ? '; where it asks for an external id, name the role in assumeRoleARN of the item, with `externalId`'
      : ' and the externalId of the item';
  return [
    ...roleRows(of, { place: namedBy, trusted: 'who assumes it', shorten: isItem ? ', or lower expireDuration' : '' }),
    [
      /(AuthFailure\.)?UnauthorizedOperation(\..+)?|InvalidParameter\.GrantOtherResource/,
      'PermissionDenied',
      ({ origin }) =>
        `${origin} may not assume ${roleArn}: allow it the action sts:AssumeRole on that role in CAM, and let the trust policy of the role name it${proof}`,
    ],
    refused(
      `${namedBy} (${roleArn})${isItem ? ', expireDuration, externalId' : ''} and TENCENTCLOUD_ROLE_SESSION_NAME`,
    ),
  ];
}

/** What the codes of AssumeRoleWithWebIdentity mean. */
export function webIdentityCodes(of: {
  readonly roleArn: string;
  readonly durationSeconds: number;
  readonly providerId: string;
  readonly claims: OidcClaims;
  readonly tokenFile: string;
  readonly now: EpochMs;
}): readonly CodeRow[] {
  const { roleArn, providerId, claims, tokenFile, now } = of;
  const { subject = 'unknown', issuer = 'unknown', audience = 'unknown', expiresAt } = claims;
  const token = `subject ${subject}, audience ${audience}, issuer ${issuer}`;
  return [
    ...roleRows(of, {
      place: 'roleARN of webIdentity, or TKE_ROLE_ARN',
      trusted: `the OIDC provider ${providerId}`,
      shorten: '',
    }),
    [
      /ResourceNotFound(\..+)?/,
      'IdentityUnavailable',
      () =>
        `there is no OIDC provider ${providerId}: enable pod identity for the cluster, and check providerId of webIdentity, or TKE_PROVIDER_ID`,
    ],
    expiresAt !== undefined && expiresAt <= now
      ? [
          /InvalidParameter\.WebIdentityTokenError/,
          'SessionExpired',
          () =>
            `the token in ${tokenFile} ended at ${new Date(expiresAt).toISOString()}; it will be read again, as kubelet renews it`,
        ]
      : [
          /InvalidParameter\.WebIdentityTokenError/,
          'PermissionDenied',
          () =>
            `the OIDC provider ${providerId}, if there is one in the account of ${roleArn}, does not accept the token in ${tokenFile} (${token}): it must be the provider of this cluster, with its present keys, and list that audience as a client id; pod identity uses ${AUDIENCE}`,
        ],
    [
      /(AuthFailure\.)?UnauthorizedOperation(\..+)?|InvalidParameter\.GrantOtherResource/,
      'PermissionDenied',
      () =>
        `the trust policy of ${roleArn} does not admit the token (${token}): name the OIDC provider ${providerId} in it, and in oidc:iss, oidc:aud (${AUDIENCE}) and, where it has one, oidc:sub what the token says`,
    ],
    refused(
      `roleARN (${roleArn}) and providerId (${providerId}) of webIdentity, or TKE_ROLE_ARN and TKE_PROVIDER_ID, and TENCENTCLOUD_ROLE_SESSION_NAME`,
    ),
  ];
}

/** What is wrong with a role, however it is assumed; `place` is where its name is from, `trusted` who must be in its trust policy. */
function roleRows(
  { roleArn, durationSeconds }: { readonly roleArn: string; readonly durationSeconds: number },
  { place, trusted, shorten }: { readonly place: string; readonly trusted: string; readonly shorten: string },
): readonly CodeRow[] {
  return [
    [
      /ResourceNotFound\.RoleNotFound/,
      'IdentityUnavailable',
      () => `there is no role ${roleArn}: check its account and name (${place})`,
    ],
    [
      /InternalError\.GetRoleError/,
      'IdentityUnavailable',
      () => `the cloud finds no usable role ${roleArn}: check that it exists in that account (${place}: ${ARN_FORM})`,
    ],
    [
      /InternalError\.IllegalRole/,
      'RequestRefused',
      () =>
        `the role ${roleArn} cannot be assumed in this way: check its ARN (${place}: ${ARN_FORM}), and that its trust policy names ${trusted}`,
    ],
    [
      /InvalidParameter\.OverTimeError/,
      'RequestRefused',
      () =>
        `a session of ${durationSeconds} s is longer than the role ${roleArn} allows (its longest session): raise that in CAM${shorten}`,
    ],
    [/InvalidParameter\.OverLimit/, 'Throttled', () => SLOW_DOWN],
  ];
}

/** Whatever else is wrong with a parameter: what was sent came from `fields`. */
const refused = (fields: string): CodeRow => [
  /(InvalidParameter|InvalidParameterValue|MissingParameter|ResourceNotFound)(\..+)?/,
  'RequestRefused',
  () => `the cloud refused the request: check ${fields}`,
];

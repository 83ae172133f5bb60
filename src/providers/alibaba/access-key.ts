// The identity of self-built and registered clusters, and across accounts: a RAM user's AccessKey pair (acr.md section 7).
import { ProviderError } from '../../core/errors.ts';
import type { SecretReference } from '../../core/types.ts';
import { shortDigest } from '../../core/short-digest.ts';
import { ALIBABA_KEY_SECRETS } from '../../core/names.ts';
import { readSecretKeys } from '../secret-reference.ts';
import type { AlibabaIdentity } from './identity.ts';

/** The Secret that the vendor's guide has people create; read unless another one is named. */
export const ADDON_SECRET: SecretReference = { namespace: 'kube-system', name: ALIBABA_KEY_SECRETS.addon };

const ID_KEY = 'access-key-id';
const SECRET_KEY = 'access-key-secret';

/** An AccessKey pair written into the configuration itself, as the vendor's guides have it. */
export interface InlineKey {
  readonly accessKeyId: string;
  /** Secret. */
  readonly accessKeySecret: string;
}

/** Builds the identity whose AccessKey pair stands in `secret`. */
export function createAccessKeyIdentity(secret: SecretReference): AlibabaIdentity {
  const place = `${secret.namespace}/${secret.name}`;
  return {
    key: place,
    async fetchKey(world, _place, signal) {
      const { [ID_KEY]: accessKeyId, [SECRET_KEY]: accessKeySecret } = await readSecretKeys(
        world,
        secret,
        [ID_KEY, SECRET_KEY],
        signal,
      );
      return { accessKeyId, accessKeySecret, origin: `the Secret ${place}`, account: place };
    },
  };
}

/** Builds the identity of a pair in the configuration; its key tells nothing of the pair. */
export function createInlineKeyIdentity(pair: InlineKey): AlibabaIdentity {
  const key = `custom-access-key-${shortDigest(`${pair.accessKeyId}\n${pair.accessKeySecret}`)}`;
  return {
    key,
    fetchKey: (world, _place, signal) =>
      world.identity(
        `alibaba/${key}`,
        () =>
          Promise.resolve({
            value: { ...pair, origin: 'customAccessKey and customAccessKeySecret of the item', account: key },
            issuedAt: world.now(),
            expiresAt: undefined,
            secrets: [pair.accessKeyId, pair.accessKeySecret],
          }),
        signal,
      ),
  };
}

/** Builds the identity of an item that names half of a pair: it fails, and no other item with it. */
export function createHalfKeyIdentity(present: string, missing: string): AlibabaIdentity {
  return {
    key: 'custom-access-key-half',
    fetchKey: () =>
      Promise.reject(
        new ProviderError(
          'IdentityUnavailable',
          `the item has ${present} but no ${missing}: write both, or better neither and name a Secret with the keys \`${ID_KEY}\` and \`${SECRET_KEY}\` in \`accessKeySecretRef\``,
        ),
      ),
  };
}

// The identity of self-built and registered clusters: a RAM user's AccessKey pair in a Secret (acr.md section 7).
import type { SecretReference } from '../../core/types.ts';
import { readSecretKeys } from '../secret-reference.ts';
import type { AlibabaIdentity } from './identity.ts';

/** The Secret that the vendor's guide has people create; read unless another one is named. */
export const ADDON_SECRET: SecretReference = { namespace: 'kube-system', name: 'alibaba-addon-secret' };

const ID_KEY = 'access-key-id';
const SECRET_KEY = 'access-key-secret';

/** Builds the identity whose AccessKey pair stands in `secret`. */
export function createAccessKeyIdentity(secret: SecretReference): AlibabaIdentity {
  const place = `${secret.namespace}/${secret.name}`;
  return {
    key: place,
    async fetchKey(world, signal) {
      const { [ID_KEY]: accessKeyId, [SECRET_KEY]: accessKeySecret } = await readSecretKeys(
        world,
        secret,
        [ID_KEY, SECRET_KEY],
        signal,
      );
      return { accessKeyId, accessKeySecret, origin: `the Secret ${place}` };
    },
  };
}

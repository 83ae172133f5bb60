// A key of a CAM user that somebody put into a Secret (tcr.md section 14). Its id is taken as it is: `AKID` begins those of the China
// site only.
import type { SecretReference } from '../../core/types.ts';
import { readSecretValues } from '../secret-reference.ts';
import type { TencentIdentity } from './identity.ts';

const ID = 'secret-id';
const KEY = 'secret-key';
const TOKEN = 'token';

/** Builds the identity whose key stands in `secret`: `secret-id`, `secret-key`, and `token` when it is a session's. */
export function createApiKeyIdentity(secret: SecretReference): TencentIdentity {
  const place = `${secret.namespace}/${secret.name}`;
  return {
    key: place,
    async fetchKey(world, _place, signal) {
      const keys = { required: [ID, KEY], optional: [TOKEN] } as const;
      const values = await readSecretValues(world, { secret, ...keys }, signal);
      const { [ID]: secretId, [KEY]: secretKey, [TOKEN]: token } = values;
      const key = { secretId, secretKey, ...(token === undefined ? {} : { token }) };
      return { ...key, origin: `the Secret ${place}`, account: place };
    },
  };
}

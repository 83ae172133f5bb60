// The world that providers see, made of this process's parts.
import { callMetadata } from '../credentials/metadata-http.ts';
import { readSmallFile } from '../credentials/small-file.ts';
import type { StoreWorld } from '../credentials/store.ts';
import { KubeError, ProviderError } from '../core/errors.ts';
import { VENDOR_HELPER } from '../core/names.ts';
import type { KubeClient } from '../kube/client.ts';
import type { SecretSources } from '../kube/secret-sources.ts';
import { requestToken } from '../kube/token-request.ts';
import type { Settings } from './settings.ts';

/** Builds it. */
export function createProviderWorld(of: {
  readonly client: KubeClient;
  readonly sources: SecretSources;
  readonly settings: Pick<Settings, 'cloudEndpoints' | 'identityEnvironment'>;
}): StoreWorld {
  const { client, sources, settings } = of;
  return {
    now: Date.now,
    endpoints: settings.cloudEndpoints,
    env: settings.identityEnvironment,
    readSecret: (reference, signal) => sources.read(reference, signal),
    readFile: readSmallFile,
    http: callMetadata,
    async requestToken({ namespace, name }, audience, signal) {
      const createMissing = name === VENDOR_HELPER.name;
      try {
        return await requestToken(client, { namespace, name, audience, signal, createMissing });
      } catch (error) {
        const place = `ServiceAccount ${namespace}/${name}`;
        throw new ProviderError(
          'IdentityUnavailable',
          `The token of the ${place} could not be requested${adviceOn(error)}`,
          {
            cause: error,
          },
        );
      }
    },
  };
}

function adviceOn(error: unknown): string {
  if (!(error instanceof KubeError)) return '';
  if (error.reason === 'NotFound')
    return ': there is no such ServiceAccount; create it, or correct `rrsa-service-account`';
  if (error.reason === 'Forbidden') {
    return ': allow the controller the verb "create" on serviceaccounts/token of that name (docs/rbac.md)';
  }
  return ` (${error.reason})`;
}

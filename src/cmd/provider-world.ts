// The world that providers see, made of this process's parts.
import { callMetadata } from '../credentials/metadata-http.ts';
import { readSmallFile } from '../credentials/small-file.ts';
import type { StoreWorld } from '../credentials/store.ts';
import { KubeError, ProviderError } from '../core/errors.ts';
import { ALIBABA_KEY_SECRETS, VENDOR_HELPER } from '../core/names.ts';
import { isResourceReference } from '../core/resource-source.ts';
import type { SecretReference } from '../core/types.ts';
import type { KubeClient } from '../kube/client.ts';
import { createClusterIdReader } from '../kube/cluster-id.ts';
import type { SecretSources, SourceSecret } from '../kube/secret-sources.ts';
import { requestToken } from '../kube/token-request.ts';
import type { Settings } from './settings.ts';

type ProviderSettings = Pick<
  Settings,
  'cloudEndpoints' | 'identityEnvironment' | 'instance' | 'namespace' | 'namespaces' | 'secretNamespaces' | 'takeOver'
>;

/** Builds it. */
export function createProviderWorld(of: {
  readonly client: KubeClient;
  /** Reads a Secret, or what a resource holds; undefined = there is none. */
  readonly read: SecretSources['read'];
  readonly settings: ProviderSettings;
}): StoreWorld {
  const { client, read, settings } = of;
  const readClusterId = createClusterIdReader(client);
  return {
    now: Date.now,
    endpoints: settings.cloudEndpoints,
    env: settings.identityEnvironment,
    readSecret: (reference, signal) =>
      isWithoutRight(reference, settings) ? refuse(reference) : read(reference, signal),
    readFile: readSmallFile,
    http: callMetadata,
    async owner(signal) {
      try {
        return { cluster: await readClusterId(signal), instance: settings.instance };
      } catch (error) {
        const why = error instanceof KubeError ? error.reason : 'unreadable';
        throw new ProviderError(
          'CloudUnavailable',
          `The UID of the namespace kube-system, which names this cluster at the cloud, could not be read (${why})`,
          { cause: error },
        );
      }
    },
    async requestToken({ namespace, name }, audience, signal) {
      const createMissing = name === VENDOR_HELPER.name;
      try {
        return await requestToken(client, { namespace, name, audience, signal, createMissing });
      } catch (error) {
        const place = `ServiceAccount ${namespace}/${name}`;
        const advice = adviceOn(error, `${namespace}/${name}`);
        throw new ProviderError('IdentityUnavailable', `The token of the ${place} could not be requested${advice}`, {
          cause: error,
        });
      }
    },
  };
}

/** Reads Secrets from `sources`, and what references to resources name with `readResource`. */
export function readerOf(
  sources: Pick<SecretSources, 'read'>,
  readResource: (name: string) => SourceSecret | undefined,
): SecretSources['read'] {
  return (reference, signal) =>
    isResourceReference(reference) ? Promise.resolve(readResource(reference.name)) : sources.read(reference, signal);
}

/** True for the keys of Alibaba's add-on where this installation was told to do without the right to them. */
function isWithoutRight(reference: SecretReference, settings: ProviderSettings): boolean {
  if (settings.takeOver || settings.namespaces === undefined || isResourceReference(reference)) return false;
  const { namespace, name } = reference;
  const { addon, managedRole } = ALIBABA_KEY_SECRETS;
  if (namespace !== VENDOR_HELPER.namespace || ![addon, ...managedRole].some((one) => one === name)) return false;
  return settings.namespace !== namespace && !settings.secretNamespaces.includes(namespace);
}

/** Asking would be refused, and asked again and again. */
function refuse({ namespace, name }: SecretReference): Promise<never> {
  const cure =
    'the value rbac.takeOver=true of the chart gives the right, without the chart --take-over=true and docs/rbac-namespaced.yaml';
  return Promise.reject(new KubeError('Forbidden', `the Secret ${namespace}/${name} is not read: ${cure}`));
}

function adviceOn(error: unknown, place: string): string {
  if (!(error instanceof KubeError)) return '';
  if (error.reason === 'NotFound')
    return ': there is no such ServiceAccount; create it, or correct `rrsa-service-account`';
  if (error.reason === 'Forbidden') {
    return `: allow the controller the verb "create" on serviceaccounts/token of that name, as the value rrsa.tokenServiceAccount=${place} of the chart does (docs/rbac.md)`;
  }
  return ` (${error.reason})`;
}

// The part of cleaning up that is about what all namespaces share: webhooks, declared resources, and the Secrets in our own namespace.
import { KubeError } from '../core/errors.ts';
import { authoritySecretName, stateSecretName, WEBHOOK_KINDS, webhookName } from '../core/names.ts';
import { removeDeclared } from '../kube/declaration-writes.ts';
import {
  isOwnAuthority,
  isOwnMasterCopy,
  removeOwn,
  removeWebhook,
  secretPlace,
  type Removal,
} from '../kube/one-object.ts';
import type { CleanUpOptions } from './clean-up.ts';

/** Removes what would write again, or have written, what is removed afterwards. Throws KubeError. */
export async function removeSources(options: CleanUpOptions): Promise<void> {
  // First: it would add references again.
  await removeWebhooks(options);
  // Whoever serves them next would write their Secrets again.
  const look = (): Promise<readonly string[]> => removeDeclared(options.client, { ...options, dryRun: true });
  if ((await unlessUnreadable('declared resources', options, look)) === undefined) return;
  for (const name of await removeDeclared(options.client, options)) {
    tellOf('removed', `ImagePullSecret ${name}`, options);
  }
}

/** Removes both webhook objects: without a controller behind them they hold up whoever makes a ServiceAccount. Throws KubeError. */
export async function removeWebhooks(
  options: Pick<CleanUpOptions, 'client' | 'instance' | 'dryRun' | 'print' | 'onUnknown' | 'signal'>,
): Promise<void> {
  const { client, instance } = options;
  for (const kind of WEBHOOK_KINDS) {
    const look = (): Promise<Removal> => removeWebhook(client, kind, { ...options, dryRun: true });
    if ((await unlessUnreadable('a webhook', options, look)) === undefined) continue;
    tellOf(await removeWebhook(client, kind, options), `${kind} ${webhookName(instance)}`, options);
  }
}

/**
 * What `look` gives; undefined = it may not be read, which is told. Rights may be those of another installation, or of an older version:
 * what they do not let us read was not made by this one, most likely. What they let us read and not remove is another matter. Throws KubeError.
 */
export async function unlessUnreadable<T>(
  what: Parameters<CleanUpOptions['onUnknown']>[0],
  { onUnknown }: Pick<CleanUpOptions, 'onUnknown'>,
  look: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof KubeError) || error.reason !== 'Forbidden') throw error;
    onUnknown(what, error);
    return undefined;
  }
}

/** Removes the certificate authority and the master copy, unless that is still needed. Throws KubeError. */
export async function removeOwnSecrets(
  options: CleanUpOptions,
  { keepsMasterCopy }: { readonly keepsMasterCopy: boolean },
): Promise<void> {
  const { client, namespace, instance, dryRun, signal } = options;
  const masterCopy = { name: stateSecretName(instance), what: 'master copy', isOwn: isOwnMasterCopy };
  for (const { name, what, isOwn } of [
    { name: authoritySecretName(instance), what: 'certificate authority of the webhook', isOwn: isOwnAuthority },
    ...(keepsMasterCopy ? [] : [masterCopy]),
  ]) {
    const place = secretPlace(namespace, name);
    const removal = await removeOwn(client, { place, isOwn: (live) => isOwn(live, instance), dryRun, signal });
    tellOf(removal, `Secret ${namespace}/${name} (${what})`, options);
  }
}

function tellOf(removal: Removal, what: string, { dryRun, print }: Pick<CleanUpOptions, 'dryRun' | 'print'>): void {
  if (removal === 'removed') print(`${dryRun ? 'would delete' : 'deleted'} ${what}`);
  if (removal === 'foreign') print(`left alone ${what}: somebody else's has this name`);
}

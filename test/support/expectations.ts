// What integration tests expect again and again, in the words of a person who uses the add-on.
import { ACR_SECRET_NAME } from '../../src/core/names.ts';
import { eventually } from './eventually.ts';
import { PROGRAM_USER, type World } from './world.ts';

/** The Secret of `acr-registry-info`. */
export const ACR_SECRET = ACR_SECRET_NAME;

/** `acr-registry-info` for every instance of the simulated cloud. */
export function registryInfo({ clouds }: World): string {
  return [...clouds.state.instances.values()]
    .map(({ instanceId, regionId }) => `- instanceId: ${instanceId}\n  regionId: ${regionId}\n`)
    .join('');
}

/** Waits until every namespace has the Secret, and every ServiceAccount in them the reference. */
export async function secretsEverywhere(
  world: World,
  namespaces: readonly string[],
  secret = ACR_SECRET,
): Promise<void> {
  await eventually(
    `${namespaces.length} namespaces are served`,
    async () => {
      const secrets = await world.cluster.list('secrets');
      const accounts = await world.cluster.list('serviceaccounts');
      const has = new Set(secrets.filter((one) => one.metadata.name === secret).map((one) => one.metadata.namespace));
      return (
        namespaces.every((name) => has.has(name)) &&
        accounts
          .filter((account) => namespaces.includes(account.metadata.namespace ?? ''))
          .every((account) => account.imagePullSecrets?.some((reference) => reference.name === secret) ?? false)
      );
    },
    60_000,
  );
}

/**
 * Waits until the program has made no call but Lease and watch renewals for a second: it has nothing left to do. Returns the
 * place in the audit log, so that what is counted from here holds nothing of what was still under way.
 */
export async function settled(world: World): Promise<number> {
  let last = -1;
  let since = Date.now();
  return eventually(
    'the program has nothing left to do',
    async () => {
      const events = await world.plane.auditEvents();
      const count = events.filter((event) => event.user === PROGRAM_USER && event.resource !== 'leases').length;
      if (count !== last) {
        last = count;
        since = Date.now();
      }
      return Date.now() - since > 1_000 ? events.length : undefined;
    },
    60_000,
  );
}

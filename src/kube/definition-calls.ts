// Asks for the definition of the resources itself, where what a watch shows of it may be late.
import type { KubeClient } from './client.ts';
import { createObjectCalls } from './one-object.ts';
import { backoffMs, pause } from './pause.ts';
import { DEFINITION, isServed, uidOf } from './resource-objects.ts';

/** True when the definition that is there now has this UID and is there to stay; asks until it is answered. False when aborted. */
export async function isStillDefined(
  uid: string | undefined,
  {
    client,
    random,
    signal,
  }: { readonly client: KubeClient; readonly random: () => number; readonly signal: AbortSignal },
): Promise<boolean> {
  const calls = createObjectCalls(client, DEFINITION);
  for (let attempts = 1; !signal.aborted; attempts += 1) {
    try {
      const definition = await calls.read(signal);
      return definition !== undefined && uidOf(definition) === uid && isServed(definition);
    } catch {
      await pause(backoffMs(attempts, random()), signal).catch(() => undefined);
    }
  }
  return false;
}

// What the program tells people and machines: Events on its ConfigMap, log lines, metrics.
import { eventually } from './eventually.ts';
import type { Replica, World } from './world.ts';

/** An Event as far as tests read it. */
export interface ToldEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** Events on the ConfigMap so far, oldest first. */
export async function configMapEvents({ cluster }: World, reason?: string): Promise<readonly ToldEvent[]> {
  const events = (await cluster.list('events', 'kube-system')) as unknown as readonly (ToldEvent & {
    readonly involvedObject?: { readonly kind?: string; readonly name?: string };
    readonly metadata: { readonly resourceVersion: string };
  })[];
  return events
    .filter(({ involvedObject }) => involvedObject?.kind === 'ConfigMap')
    .filter((event) => reason === undefined || event.reason === reason)
    .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    .map(({ type, reason: why, message }) => ({ type, reason: why, message }));
}

/** Waits until such an Event is there, since they are posted behind everything else; gives all of them, oldest first. */
export function toldEvents(world: World, reason: string, words: RegExp): Promise<readonly ToldEvent[]> {
  return eventually(`an Event ${reason} tells of ${words}`, async () => {
    const found = (await configMapEvents(world, reason)).filter(({ message }) => words.test(message));
    return found.length > 0 && found;
  });
}

/** Log lines with this message whose fields contain what `fields` says. */
export async function linesSaying(
  replica: Replica,
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await replica.lines()).filter(
    (line) => line.message === message && Object.entries(fields).every(([key, value]) => line[key] === value),
  );
}

/** Sum of the samples of a metric that carry these labels; undefined = there is none. */
export async function metric(
  replica: Replica,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  const text = (await replica.http('/metrics'))?.text ?? '';
  const samples = text.split('\n').flatMap((line) => {
    const [, found, set = '', value] = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const carries = Object.entries(labels).every(([label, wanted]) => set.includes(`${label}="${wanted}"`));
    return found === name && carries ? [Number(value)] : [];
  });
  return samples.length === 0 ? undefined : samples.reduce((total, value) => total + value, 0);
}

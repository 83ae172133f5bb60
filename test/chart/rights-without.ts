// One run of the program with one right taken away: it is refused, something named does not come about, and it does once the
// right is given back. Each run is an installation of its own, so that several can go on side by side.
import { expect } from '@jest/globals';
import type { AuditEvent } from '../support/control-plane/audit-log.ts';
import { tailOf } from '../support/control-plane/processes.ts';
import { eventually } from '../support/eventually.ts';
import { linesSaying } from '../support/signs.ts';
import type { World } from '../support/world.ts';
import { deploymentOf, type Manifest } from './helm.ts';
import { createRun } from './rights-run.ts';
import { RENDERED, type Ground, type Hook, type RightRow, type Run } from './rights-world.ts';
import { exampleName, isOfRbac, withoutRight, type Right } from './single-rights.ts';

/** How long the program may leave alone what was refused to it, and a credential that comes of it: half a minute each, and a margin. */
const AGAIN_MS = 120_000;

/** Runs one row. Throws when the program does without the right, when it does not say so, or when the state never comes about. */
export async function runWithout(ground: Ground, { row, right, instance }: Case): Promise<void> {
  const { world } = ground;
  const manifests = renamed(ground.manifests, instance);
  const hooks = renamed(ground.hooks, instance);
  const granted = row.byHook === undefined ? manifests : [...manifests, ...hooks];
  const removed = renamed(right, instance);
  const pod = deploymentOf(manifests).template.spec;
  const home = `home-${instance}`;
  const user = `system:serviceaccount:${home}:${pod.serviceAccountName}`;
  const began = (await world.plane.auditEvents()).length;
  const isRefused = async (since: number): Promise<boolean> =>
    (await world.plane.auditEvents())
      .slice(since)
      .some((event) => event.user === user && event.code === 403 && isCallOf(event, removed));
  const run = await createRun(ground, { instance, home, manifests, hooks });
  const { byHook, byCleanup } = row;
  let printed = '';
  const use = async (): Promise<void> => {
    if (byCleanup === true) printed = await run.cleanup();
    else if (byHook !== undefined) printed = await run.hook(byHook);
  };
  try {
    await giveRights(world, withoutRight(granted, removed));
    await row.before?.(run);
    if (byHook !== 'cleanup') await run.start();
    await row.act?.(run);
    const isAskedAgain = row.again === undefined && byCleanup === undefined && byHook === undefined;
    const acted = isAskedAgain ? (await world.plane.auditEvents()).length : began;
    await use();
    await eventually(`the API server refuses to ${removed.verb} ${removed.resource}`, () => isRefused(acted));
    // What a watch would have told at once, the list before the next attempt at it finds: soon, or by chance before this look.
    if (removed.verb !== 'watch')
      expect({ withoutIt: row.state, holds: await row.holds(run, printed) }).toEqual({
        withoutIt: row.state,
        holds: false,
      });
    if (byHook !== 'cleanup') {
      // Whoever has it only for a while does not miss it.
      if (byHook === undefined) await eventually('it is told', async () => (await toldOf(run, removed)).length > 0);
      expect((await toldOf(run, removed)).filter((one) => byHook !== undefined || !isAbout(one, removed))).toEqual([]);
    }

    await giveRights(world, granted);
    const isBack = (): Promise<boolean> => mayUse(world, user, { right: removed, name: exampleName(granted, removed) });
    await eventually('the API server knows of the right', isBack);
    await row.again?.(run);
    await use();
    // What was refused is tried again ever more rarely.
    await eventually(`with it ${row.state}`, () => row.holds(run, printed), AGAIN_MS);
  } catch (error) {
    // The folder of the world goes with it.
    throw new Error(`${(error as Error).message}\n${await saidBy(run, byHook, printed)}`, { cause: error });
  } finally {
    await run.stop();
  }
}

/** What there is to read of a run that failed. */
async function saidBy(run: Run, byHook: Hook | undefined, printed: string): Promise<string> {
  const ofHook = printed === '' ? '' : `What was run last printed:\n${printed}`;
  if (byHook === 'cleanup') return ofHook;
  const { process } = run.replica();
  const said = (await run.replica().lines()).filter(({ level }) => level !== 'debug' && level !== 'info').slice(-10);
  const lines = said.length === 0 ? [tailOf(process.logFile)] : said.map((line) => JSON.stringify(line));
  const how = process.isRunning() ? 'runs, and said' : 'does not run, and said';
  return [`The program ${how}:`, ...lines, ofHook].join('\n');
}

/** A row, the right that it is about, and the name of its installation. */
export interface Case {
  readonly row: RightRow;
  readonly right: Right;
  readonly instance: string;
}

function renamed<T>(value: T, instance: string): T {
  return JSON.parse(JSON.stringify(value).replaceAll(RENDERED, instance)) as T;
}

/** The missing rights that the program named at its start; of those that it takes for left out on purpose, this one. */
async function toldOf(run: Run, removed: Right): Promise<readonly string[]> {
  const told = async (message: string): Promise<readonly string[]> =>
    (await linesSaying(run.replica(), message)).map(({ detail }) => String(detail));
  const leftOut = await told('Rights were not given');
  return [...(await told('A right is missing')), ...leftOut.filter((sentence) => isAbout(sentence, removed))];
}

function isAbout(sentence: string, { verb, resource, group, name }: Right): boolean {
  const what = `${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : ` ${name}`}`;
  return sentence.startsWith(`may not ${verb} ${what} `);
}

function isCallOf({ verb, resource, subresource, namespace, name }: AuditEvent, right: Right): boolean {
  const full = subresource === undefined ? resource : `${resource ?? ''}/${subresource}`;
  const isThere = right.namespace === undefined || namespace === right.namespace;
  const isMeant = right.name === undefined || name === right.name;
  return verb === right.verb && full === right.resource && isThere && isMeant;
}

/** What the API server itself would answer: its memory of Roles is filled a moment after they are written. */
async function mayUse(
  { plane }: World,
  user: string,
  { right, name }: { readonly right: Right; readonly name: string | undefined },
): Promise<boolean> {
  const { verb, group, namespace } = right;
  const [resource, subresource] = right.resource.split('/');
  const { status, body } = await plane.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, resourceAttributes: { verb, group, resource, subresource, namespace, name } },
    },
  });
  if (status !== 201) throw new Error(`SubjectAccessReview: ${status} ${JSON.stringify(body)}`);
  return (body as { readonly status: { readonly allowed: boolean } }).status.allowed;
}

/** Creates or replaces what gives rights; bindings never change. Throws with what was answered. */
export async function giveRights({ plane }: World, manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests.filter(isOfRbac)) {
    const path = pathOf(manifest);
    const created = await plane.request({ method: 'POST', path: path.slice(0, path.lastIndexOf('/')), body: manifest });
    if (created.status === 201 || (created.status === 409 && manifest.kind.endsWith('Binding'))) continue;
    const { status, body } = await plane.request({ method: 'PUT', path, body: manifest });
    if (status !== 200)
      throw new Error(`${manifest.kind} ${manifest.metadata.name}: ${status} ${JSON.stringify(body)}`);
  }
}

/** Where the API server has an object of RBAC. */
export function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `/apis/${apiVersion}${place}/${kind.toLowerCase()}s/${metadata.name}`;
}

// The rights of `docs/rbac-namespaced.yaml`: as they stand, or as somebody with other names would write them.
import { readFileSync } from 'node:fs';
import { load, loadAll } from 'js-yaml';
import type { World } from './world.ts';

/** The namespace, ServiceAccount and ClusterRole of the file. */
const NAME = 'registry-credential-helper';
const CONFIG_MAP = 'acr-configuration';

/** An installation as its administrator names it; the file's own names are those of `DOCUMENTED`. */
export interface Names {
  /** Our own namespace. */
  readonly namespace: string;
  /** Of the ServiceAccount and of every role. */
  readonly name: string;
  readonly instance: string;
  /** Default: that of the file, `acr-configuration`. */
  readonly configMap?: string;
}

/** Those of the file. */
export const DOCUMENTED: Names = { namespace: NAME, name: NAME, instance: 'default' };

/** The user that the program is. */
export function userOf({ namespace, name }: Names): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Everything but the rights in served namespaces. */
export async function grantInstallation(world: World, names: Names): Promise<void> {
  for (const object of manifests().filter((one) => !isServed(one))) await create(world, renamed(object, names));
}

/** The Role and the RoleBinding of the file for one served namespace, in `namespace`. */
export async function grantIn(world: World, names: Names, namespace: string): Promise<void> {
  for (const object of manifests().filter(({ metadata }) => metadata.namespace === 'team-a')) {
    const { metadata, ...rest } = renamed(object, names);
    await create(world, { ...rest, metadata: { ...metadata, namespace } });
  }
}

/** Takes the RoleBinding away again. */
export async function revokeIn(world: World, namespace: string): Promise<void> {
  const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/${NAME}-served`;
  const { status } = await world.plane.request({ method: 'DELETE', path });
  if (status !== 200) throw new Error(`${path}: ${status}`);
}

function manifests(): readonly Manifest[] {
  return loadAll(readFileSync('docs/rbac-namespaced.yaml', 'utf8')) as Manifest[];
}

function isServed({ metadata }: Manifest): boolean {
  return metadata.namespace?.startsWith('team-') ?? false;
}

function renamed(object: Manifest, { namespace, name, instance, configMap = CONFIG_MAP }: Names): Manifest {
  const text = JSON.stringify(object)
    .replaceAll(`"namespace":"${NAME}"`, `"namespace":"${namespace}"`)
    .replaceAll(/("registry-credential-helper(?:-state|-webhook-ca)?)-default"/g, `$1-${instance}"`)
    .replaceAll(/"registry-credential-helper(-take-over|-rrsa|-events|-served|-values)?"/g, `"${name}$1"`)
    .replaceAll(`"${CONFIG_MAP}"`, `"${configMap}"`);
  return load(text) as Manifest;
}

async function create({ plane }: World, object: Manifest): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const group = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  const path = `${group}${place}/${kind.toLowerCase()}s`;
  const { status, body } = await plane.request({ method: 'POST', path, body: object });
  // The Role may still be there from before.
  if (status !== 201 && status !== 409) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
}

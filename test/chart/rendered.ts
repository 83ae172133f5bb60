// What tests read out of rendered manifests.
import { expect } from '@jest/globals';
import { readSettings } from '../../src/cmd/settings.ts';
import type { Manifest } from './helm.ts';

/** The one object of a kind, and of a name where there are several. */
export function objectOf(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((one) => one.kind === kind && (name === undefined || one.metadata.name === name));
  const [object, ...others] = found;
  if (object === undefined || others.length > 0) throw new Error(`There are ${found.length} of ${kind} ${name ?? ''}`);
  return object;
}

/** Those that an installation makes: no hook, which `helm test` and the end of the release run. */
export function withoutHooks(manifests: readonly Manifest[]): readonly Manifest[] {
  return manifests.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined);
}

/** What the program makes of the arguments of a container. */
export function settingsFrom([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}) {
  expect(['controller', 'hosts']).toContain(command);
  return readSettings(command, args, { ...env, POD_NAMESPACE: 'kube-system', KUBERNETES_SERVICE_HOST: '10.0.0.1' });
}

/** A subject's rights, each as `place verb group/resource/name`; `*` = the whole cluster, or any name. */
export function rightsOf(manifests: readonly Manifest[], serviceAccount: string): readonly string[] {
  const rights = manifests.flatMap((binding) => {
    const { kind, metadata, roleRef, subjects = [] } = binding as Binding;
    if (!kind.endsWith('Binding') || !subjects.some(({ name }) => name === serviceAccount)) return [];
    const role = manifests.find(
      (one) =>
        one.kind === roleRef?.kind &&
        one.metadata.name === roleRef.name &&
        (one.kind === 'ClusterRole' || one.metadata.namespace === metadata.namespace),
    );
    if (role === undefined) throw new Error(`${kind} ${metadata.name} refers to a role that is not there`);
    return rulesOf(role).map((right) => `${metadata.namespace ?? '*'} ${right}`);
  });
  return [...new Set(rights)].sort();
}

interface Binding extends Manifest {
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly name: string }[];
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

function rulesOf({ rules }: Manifest): readonly string[] {
  return (rules as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames = ['*'], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${resource}/${name}`)),
      ),
    ),
  );
}

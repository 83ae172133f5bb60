// The rights that rendered Roles and ClusterRoles give to the program, one by one, and the same with one of them taken out.
import type { Manifest } from './helm.ts';

/** A rule of RBAC. */
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** One verb on one resource in one place. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `serviceaccounts/token`. */
  readonly resource: string;
  /** Of the Role; undefined = in the whole cluster. */
  readonly namespace: string | undefined;
}

/** `watch deployments.apps in kube-system`, for titles; `home` is how the namespace of the release is called. */
export function nameOfRight({ verb, group, resource, namespace }: Right, home: string): string {
  const where = namespace === undefined ? '' : ` in ${namespace === home ? 'its own namespace' : namespace}`;
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${where}`;
}

/** Every right that the subject of a binding among the manifests has. */
export function rightsOf(manifests: readonly Manifest[]): readonly Right[] {
  return boundRoles(manifests).flatMap(({ rules, metadata }) =>
    (rules as readonly Rule[]).flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.map((verb) => ({ verb, group, resource, namespace: metadata.namespace })),
        ),
      ),
    ),
  );
}

/** The manifests without one right. */
export function withoutRight(manifests: readonly Manifest[], right: Right): readonly Manifest[] {
  return manifests.map((manifest) => {
    if (!isRole(manifest) || manifest.metadata.namespace !== right.namespace) return manifest;
    return { ...manifest, rules: (manifest.rules as readonly Rule[]).flatMap((rule) => without(rule, right)) };
  });
}

/** True for what gives rights, or says to whom. */
export function isOfRbac({ apiVersion }: Manifest): boolean {
  return apiVersion.startsWith('rbac.authorization.k8s.io/');
}

function isRole({ kind }: Manifest): boolean {
  return kind === 'Role' || kind === 'ClusterRole';
}

function boundRoles(manifests: readonly Manifest[]): readonly Manifest[] {
  const bindings = manifests.filter(({ kind }) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding');
  const bound = new Set(
    (
      bindings as unknown as readonly (Manifest & {
        readonly roleRef: { readonly kind: string; readonly name: string };
      })[]
    ).map(({ metadata, roleRef }) =>
      keyOf(roleRef.kind, roleRef.kind === 'Role' ? metadata.namespace : undefined, roleRef.name),
    ),
  );
  return manifests.filter(
    (one) => isRole(one) && bound.has(keyOf(one.kind, one.metadata.namespace, one.metadata.name)),
  );
}

function keyOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}

/** A rule in as many as it takes to leave one verb on one resource out. */
function without(rule: Rule, { verb, group, resource }: Right): readonly Rule[] {
  if (!rule.apiGroups.includes(group) || !rule.resources.includes(resource) || !rule.verbs.includes(verb))
    return [rule];
  const others = rule.resources.filter((one) => one !== resource);
  const verbs = rule.verbs.filter((one) => one !== verb);
  return [
    ...(others.length === 0 ? [] : [{ ...rule, resources: others }]),
    ...(verbs.length === 0 ? [] : [{ ...rule, resources: [resource], verbs }]),
  ];
}

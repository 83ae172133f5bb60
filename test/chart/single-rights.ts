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
  /** The object that it is limited to, where the same is given of others, too: each is a right of its own. */
  readonly name: string | undefined;
}

/** `watch deployments.apps in kube-system`, for titles; `places` says how namespaces are called there. */
export function nameOfRight(
  { verb, group, resource, namespace, name }: Right,
  places: ReadonlyMap<string, string>,
): string {
  const where = namespace === undefined ? '' : ` in ${places.get(namespace) ?? namespace}`;
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}${name === undefined ? '' : ` ${name}`}${where}`;
}

/** Every right that the subject of a binding among the manifests has, once each. */
export function rightsOf(manifests: readonly Manifest[]): readonly Right[] {
  const all = boundRoles(manifests).flatMap(({ rules, metadata }) =>
    (rules as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames.map((name) => ({ verb, group, resource, namespace: metadata.namespace, name })),
          ),
        ),
      ),
    ),
  );
  const alike = Map.groupBy(all, ({ verb, group, resource, namespace }) =>
    [verb, group, resource, namespace].join(' '),
  );
  return [...alike.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const names = [...new Set([first, ...others].map(({ name }) => name))];
    // One of any name covers the others.
    const told = names.length === 1 || names.includes(undefined) ? [undefined] : names;
    return told.map((name) => ({ ...first, name }));
  });
}

/** The manifests without one right. */
export function withoutRight(manifests: readonly Manifest[], right: Right): readonly Manifest[] {
  return manifests.map((manifest) => {
    if (!isRole(manifest) || manifest.metadata.namespace !== right.namespace) return manifest;
    return { ...manifest, rules: (manifest.rules as readonly Rule[]).flatMap((rule) => without(rule, right)) };
  });
}

/** The name of an object that a right is given for among the manifests; undefined = it is given for any. */
export function exampleName(
  manifests: readonly Manifest[],
  { verb, group, resource, namespace, name }: Right,
): string | undefined {
  const rules = boundRoles(manifests)
    .filter(({ metadata }) => metadata.namespace === namespace)
    .flatMap(({ rules }) => rules as readonly Rule[]);
  return name ?? rules.find((rule) => isAbout(rule, { verb, group, resource }))?.resourceNames?.[0];
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

/** A rule in as many as it takes to leave one verb on one resource, or one object, out. */
function without(rule: Rule, { verb, group, resource, name }: Right): readonly Rule[] {
  if (!isAbout(rule, { verb, group, resource })) return [rule];
  if (name !== undefined && rule.resourceNames?.includes(name) !== true) return [rule];
  const others = rule.resources.filter((one) => one !== resource);
  const verbs = rule.verbs.filter((one) => one !== verb);
  const resourceNames = name === undefined ? [] : (rule.resourceNames ?? []).filter((one) => one !== name);
  return [
    ...(others.length === 0 ? [] : [{ ...rule, resources: others }]),
    ...(verbs.length === 0 ? [] : [{ ...rule, resources: [resource], verbs }]),
    ...(resourceNames.length === 0 ? [] : [{ ...rule, resources: [resource], verbs: [verb], resourceNames }]),
  ];
}

function isAbout(rule: Rule, { verb, group, resource }: Pick<Right, 'verb' | 'group' | 'resource'>): boolean {
  return rule.apiGroups.includes(group) && rule.resources.includes(resource) && rule.verbs.includes(verb);
}

// What RBAC in a cluster gives to a user, whoever wrote it: as a list that can be compared.
import type { ControlPlane } from './control-plane/control-plane.ts';

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

interface RbacObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly subjects?: readonly Subject[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly rules?: readonly Rule[];
}

const GROUP = '/apis/rbac.authorization.k8s.io/v1';

/**
 * The rights of a user and of these groups, each `verb group/resource name in namespace` and once, in order; `*` = any name, or every
 * namespace.
 */
export async function grantedRights(
  plane: ControlPlane,
  user: string,
  groups: readonly string[],
): Promise<readonly string[]> {
  const list = async (resource: string): Promise<readonly RbacObject[]> => {
    const { status, body } = await plane.request({ path: `${GROUP}/${resource}` });
    if (status !== 200) throw new Error(`${resource}: ${status}`);
    return (body as { items: readonly RbacObject[] }).items;
  };
  const roles = [...(await list('roles')), ...(await list('clusterroles'))];
  const bindings = [...(await list('rolebindings')), ...(await list('clusterrolebindings'))];
  const granted = bindings
    .filter(({ subjects = [] }) => subjects.some((subject) => isMeant(subject, user, groups)))
    .flatMap(({ metadata: { namespace }, roleRef }) => {
      const place = roleRef?.kind === 'Role' ? namespace : undefined;
      const role = roles.find(({ metadata }) => metadata.name === roleRef?.name && metadata.namespace === place);
      return (role?.rules ?? []).flatMap((rule) => spellOut(rule, namespace ?? '*'));
    });
  return [...new Set(granted)].sort();
}

function isMeant({ kind, name, namespace = '' }: Subject, user: string, groups: readonly string[]): boolean {
  if (kind === 'Group') return groups.includes(name);
  return user === (kind === 'ServiceAccount' ? `system:serviceaccount:${namespace}:${name}` : name);
}

function spellOut(rule: Rule, namespace: string): readonly string[] {
  const { apiGroups = [], resources = [], resourceNames = ['*'], nonResourceURLs = [], verbs } = rule;
  return verbs.flatMap((verb) => [
    ...nonResourceURLs.map((url) => `${verb} ${url}`),
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.map((name) => `${verb} ${group}/${resource} ${name} in ${namespace}`),
      ),
    ),
  ]);
}

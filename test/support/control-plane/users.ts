// The actors of a control plane: a token each, so that RBAC is real and the audit log tells them apart.
import { randomBytes } from 'node:crypto';

/** Someone who calls the API server. */
export interface ControlPlaneUser {
  /** As RBAC and the audit log know it, for instance `system:serviceaccount:NAMESPACE:NAME`. */
  readonly name: string;
  readonly groups?: readonly string[];
}

/** May do everything. Known to every control plane. */
export const ADMIN = 'admin';

/** The name under which the controller manager authenticates; RBAC knows it from the start. */
export const CONTROLLER_MANAGER = 'system:kube-controller-manager';

/** Everyone whom a control plane knows: the built-in users, then those asked for. */
export function allUsers(asked: readonly ControlPlaneUser[]): readonly ControlPlaneUser[] {
  return [{ name: ADMIN, groups: ['system:masters'] }, { name: CONTROLLER_MANAGER }, ...asked];
}

/** A new token for each user, by name. */
export function makeTokens(users: readonly ControlPlaneUser[]): ReadonlyMap<string, string> {
  return new Map(users.map((user) => [user.name, randomBytes(24).toString('hex')]));
}

/** The content of the file for `--token-auth-file`: lines of `token,user,uid,"group,group"`. */
export function buildTokenFile(users: readonly ControlPlaneUser[], tokens: ReadonlyMap<string, string>): string {
  const lines = users.map(({ name, groups = [] }) => [tokens.get(name) ?? '', name, name, groups.join(',')]);
  return lines.map((fields) => fields.map(quote).join(',') + '\n').join('');
}

/** A kubeconfig with one context. It is JSON, which every reader of kubeconfigs takes as YAML. */
export function buildKubeconfig(of: {
  readonly url: string;
  readonly ca: string;
  readonly user: string;
  readonly token: string;
}): string {
  const name = 'test';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name, cluster: { server: of.url, 'certificate-authority-data': Buffer.from(of.ca).toString('base64') } },
    ],
    users: [{ name: of.user, user: { token: of.token } }],
    contexts: [{ name, context: { cluster: name, user: of.user } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function quote(field: string): string {
  return `"${field.replaceAll('"', '""')}"`;
}

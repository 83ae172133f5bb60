// The rights of another installation in kube-system: those of docs/rbac.yaml on its own ConfigMap and Lease.
import { readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import type { ControlPlane } from './control-plane/control-plane.ts';

/** How it differs from the documented one; what belongs to the cluster is shared. */
export interface FurtherInstallation {
  readonly instance: string;
  readonly configMap: string;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const NAME = 'registry-credential-helper';

/** Creates its Role and RoleBinding. Throws with what was answered. */
export async function grantFurther(plane: ControlPlane, installation: FurtherInstallation): Promise<void> {
  const { instance, configMap } = installation;
  const own = (loadAll(readFileSync('docs/rbac.yaml', 'utf8')) as Manifest[]).filter(
    ({ kind, metadata }) => ['Role', 'RoleBinding'].includes(kind) && metadata.name === NAME,
  );
  for (const { metadata, ...rest } of own) {
    const text = JSON.stringify(rest)
      .replaceAll(`"${NAME}-default"`, `"${NAME}-${instance}"`)
      .replaceAll('"acr-configuration"', `"${configMap}"`);
    const body = JSON.parse(text) as Manifest & { roleRef?: object };
    const role = `${NAME}-${instance}`;
    const named = { ...body, metadata: { ...metadata, name: role } };
    const bound = body.roleRef === undefined ? named : { ...named, roleRef: { ...body.roleRef, name: role } };
    const path = `/apis/${rest.apiVersion}/namespaces/${metadata.namespace ?? ''}/${rest.kind.toLowerCase()}s`;
    const { status, body: answer } = await plane.request({ method: 'POST', path, body: bound });
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(answer)}`);
  }
}

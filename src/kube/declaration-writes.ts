// The planned writes of declared resources: a single call each, guarded by what was observed.
import { declaredLabels, isDeclared, managedSelector, MANAGER, RESOURCE_KIND } from '../core/names.ts';
import type { DeclarationWrite } from '../core/plan-declared.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { unlessAbsent } from './errors.ts';
import { listPages } from './list-pages.ts';
import { createObjectCalls } from './one-object.ts';
import { projectResource, RESOURCES_PATH } from './resource-objects.ts';

/**
 * Makes the call, as `instance`; gives the resource as it is afterwards, undefined = it is gone. Throws KubeError: `Conflict` = it
 * changed, `AlreadyExists` = somebody was faster.
 */
export async function writeDeclaration(
  client: KubeClient,
  write: DeclarationWrite,
  { instance, signal }: { readonly instance: string; readonly signal: AbortSignal },
): Promise<KubeObject | undefined> {
  switch (write.kind) {
    case 'create-resource': {
      const { name, spec } = write.resource;
      const { group, version, kind } = RESOURCE_KIND;
      const metadata = { name, labels: declaredLabels(instance) };
      return callsOf(client, name).create({ apiVersion: `${group}/${version}`, kind, metadata, spec }, signal);
    }
    case 'update-resource': {
      const { name, uid, resourceVersion } = write.found;
      // The spec as a whole: a merge would leave what somebody added. `replace` of the two guards is refused where they differ.
      const body = [
        { op: 'replace', path: '/metadata/uid', value: uid },
        { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'add', path: '/spec', value: write.resource.spec },
      ];
      const path = `${RESOURCES_PATH}/${encodeURIComponent(name)}`;
      const query = { fieldManager: MANAGER };
      return client.call({ method: 'PATCH', path, query, body, contentType: 'application/json-patch+json', signal });
    }
    case 'delete-resource': {
      const { name, uid, resourceVersion } = write.found;
      await callsOf(client, name).remove({ metadata: { uid, resourceVersion } }, signal);
      return undefined;
    }
  }
}

function callsOf(client: KubeClient, name: string) {
  return createObjectCalls(client, { collection: RESOURCES_PATH, name });
}

/**
 * Removes every resource that `instance` made because it was declared, and gives their names; `dryRun` only looks. A cluster that does not
 * serve the kind has none. Throws KubeError: `Conflict` = one changed meanwhile.
 */
export async function removeDeclared(
  client: KubeClient,
  { instance, dryRun, signal }: { readonly instance: string; readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const query = { labelSelector: managedSelector(instance) };
  const project = (object: unknown) => projectResource(object)?.value;
  const list = { path: RESOURCES_PATH, query, project, onPage: () => undefined, signal };
  const { items = [] } = (await unlessAbsent(listPages(client, list))) ?? {};
  const declared = items.filter((resource) => isDeclared(resource, instance));
  for (const found of dryRun ? [] : declared) {
    const write = { kind: 'delete-resource', found, reason: 'ResourceUnwanted' } as const;
    await unlessAbsent(writeDeclaration(client, write, { instance, signal }));
  }
  return declared.map(({ name }) => name);
}

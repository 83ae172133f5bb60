// Sends a ServiceAccount as a dry run, to see what admission makes of it: nothing is stored.
import type { AdmissionProbe } from '../core/admission-probe.ts';
import { isRecord } from '../core/records.ts';
import type { KubeClient } from './client.ts';
import { versionOf } from './one-object.ts';

/** Not ours: the webhook leaves alone what this program writes itself. */
const FIELD_MANAGER = 'registry-credential-helper-self-test';

/** The references that the ServiceAccount would have been stored with. Throws KubeError when it would not have been. */
export async function tryAdmission(
  client: KubeClient,
  probe: AdmissionProbe,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const query = { dryRun: 'All', fieldManager: FIELD_MANAGER };
  const namespace = probe.kind === 'create' ? probe.namespace : probe.account.namespace;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts`;
  const { imagePullSecrets } =
    probe.kind === 'create'
      ? await client.call({
          ...{ method: 'POST', path, query, signal },
          body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: probe.name } },
        })
      : await client.call({
          ...{ method: 'PATCH', path: `${path}/${encodeURIComponent(probe.account.name)}`, query, signal },
          body: {
            metadata: versionOf({ metadata: probe.account }),
            // As projections keep it: '' is an entry without a name.
            imagePullSecrets: probe.imagePullSecrets.map((name) => (name === '' ? {} : { name })),
          },
        });
  return (Array.isArray(imagePullSecrets) ? imagePullSecrets : []).flatMap((one: unknown) =>
    isRecord(one) && typeof one.name === 'string' ? [one.name] : [],
  );
}

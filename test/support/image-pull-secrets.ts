// `ImagePullSecret` resources for tests: the vendor's sample, and its definition as the chart ships it.
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { eventually } from './eventually.ts';
import type { Kubectl } from './kubectl.ts';

/** The definition, ready for `kubectl apply -f`. */
export const CRD_FILE = 'charts/registry-credential-helper/files/imagepullsecrets.yaml';

/** Its name. */
export const CRD_NAME = 'imagepullsecrets.tcr.tencentcloudcr.com';

/** Where the API server has the resources. */
export const RESOURCES_PATH = '/apis/tcr.tencentcloudcr.com/v1/imagepullsecrets';

/** The definition, read. */
export function readCrd(): Readonly<Record<string, unknown>> {
  return load(readFileSync(CRD_FILE, 'utf8')) as Record<string, unknown>;
}

/** A definition that knows the vendor's fields only; of the status, unless told otherwise, whatever is written. */
export function vendorCrd({ prunesStatus = false } = {}): Readonly<Record<string, unknown>> {
  const text = { type: 'string' };
  const docker = { type: 'object', properties: { server: text, username: text, password: text } };
  const spec = { type: 'object', properties: { namespaces: text, serviceAccounts: text, docker } };
  const counter = { type: 'integer' };
  const counters = { secretsDesired: counter, secretsSuccess: counter, sAsDesired: counter, sAsSuccess: counter };
  const status = prunesStatus
    ? { type: 'object', properties: counters }
    : { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const crd = structuredClone(readCrd()) as {
    spec: { versions: { schema: unknown; additionalPrinterColumns?: unknown }[] };
  };
  for (const version of crd.spec.versions) {
    version.schema = { openAPIV3Schema: { type: 'object', properties: { spec, status } } };
    delete version.additionalPrinterColumns;
  }
  return crd;
}

/** What the sample's password is: no token, and obviously fake. */
export const SAMPLE_PASSWORD = 'fake-password-of-the-sample';

/** `spec` of the vendor's sample (tcr.md section 2). */
export const SAMPLE_SPEC = {
  namespaces: '*',
  serviceAccounts: 'default,builder',
  docker: { server: 'acme-prod-vpc.tencentcloudcr.com', username: '100099990001', password: SAMPLE_PASSWORD },
} as const;

/** `status` of the vendor's sample. */
export const SAMPLE_STATUS = {
  secretsDesired: 2,
  secretsSuccess: 2,
  sAsDesired: 3,
  sAsSuccess: 3,
  secretUpdateSuccessful: [{ namespacedName: 'web/tcr.ipstcr-a1b2c3d4-vpc', updatedAt: '2026-01-01T00:00:00Z' }],
  serviceAccountsModifySuccessful: [{ namespacedName: 'web/default', updatedAt: '2026-01-01T00:00:01Z' }],
} as const;

/** A resource. */
export function resource(name: string, spec: unknown, metadata: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: 'tcr.tencentcloudcr.com/v1',
    kind: 'ImagePullSecret',
    metadata: { name, ...metadata },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** Applies the definition (another one where told) and waits until the API server serves it. */
export async function applyCrd(kubectl: Kubectl, crd: Readonly<Record<string, unknown>> = readCrd()): Promise<void> {
  const run = async (args: readonly string[]): Promise<void> => {
    const { code, stderr } = await kubectl(args, JSON.stringify(crd));
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  };
  await run(['apply', '-f', '-']);
  // `kubectl wait` fails at once on an object that has no status yet.
  await eventually('the definition is established', async () => {
    await run(['wait', '--for=condition=Established', '--timeout=30s', `crd/${CRD_NAME}`]);
    return true;
  });
}

// The command `doctor`: what is in the way of pulling in a cluster, each thing with its cure.
import { diagnose } from '../core/doctor.ts';
import { VENDOR_HELPER } from '../core/names.ts';
import { look as lookAt, readDeployment } from '../kube/cluster-reads.ts';
import type { FoundLease } from '../kube/lease-holder.ts';
import { lookAtPods } from '../kube/pod-reads.ts';
import { lookForLeases } from './installation-namespace.ts';
import { EXIT, linesOf, lookAtInstallation, type Look } from './looking.ts';
import type { Command } from './lifecycle.ts';
import { lookForRules } from './rules-in-force.ts';

const HELP = `registry-credential-helper doctor looks for what is in the way of pulling, and says how to mend it: the configuration and the
ImagePullSecret resources, whether the controller leads, whether a vendor's add-on runs, and the Pods in scope that name pull secrets of
their own, which ours do not reach. It changes nothing, reads of Secrets only the metadata, and needs no more than your own rights:
what you may not read is said.

Usage: registry-credential-helper doctor [FLAGS]

Examples:
  registry-credential-helper doctor
  registry-credential-helper doctor -n web --config-map=registry/acr-configuration

Exit codes: 0 all PASS; 2 wrong usage; 4 the cluster could not be reached; 6 there is a WARN or a FAIL.
`;

export const doctorCommand: Command = {
  name: 'doctor',
  help: HELP,
  run: (context) => lookAtInstallation('doctor', context, (look) => run(look, context.signal)),
};

async function run({ settings, connection, reads, now, print }: Look, signal: AbortSignal): Promise<number> {
  const { client, configMap } = connection;
  const [rules, pods, leases, acrHelper] = await Promise.all([
    lookForRules(connection, settings, signal),
    lookAtPods(reads, wanted(settings)),
    lookForLeases(client, settings, signal),
    lookAt(`allow "list" of deployments.apps in the namespace ${VENDOR_HELPER.namespace}`, () =>
      readDeployment({ client, signal }, VENDOR_HELPER),
    ),
  ]);
  const place = `${configMap.namespace}/${configMap.name}`;
  const holders = leases.ok ? { ok: true as const, value: leases.value.flatMap(holderIn) } : leases;
  const findings = diagnose({
    ...rules,
    ...pods,
    holders,
    acrHelper,
    place,
    now,
    served: settings.namespaces,
  });
  for (const finding of findings) for (const line of linesOf(finding)) print(line);
  return findings.every(({ level }) => level === 'PASS') ? EXIT.fine : EXIT.findings;
}

function holderIn({ namespace, holder }: FoundLease): readonly string[] {
  return holder === undefined ? [] : [`${holder} in ${namespace}`];
}

/** The namespaces whose Pods are looked at; undefined = all. */
function wanted({ writtenNamespace, namespaces }: Look['settings']): readonly string[] | undefined {
  return writtenNamespace === undefined ? namespaces : [writtenNamespace];
}

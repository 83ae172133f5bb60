// The commands that undo a move from Tencent's add-on: first its manager starts again, then ours goes.
import { TCR_ASSISTANT } from './names.ts';
import { numbered, removalSteps } from './take-over-steps.ts';
import { releaseName } from './take-over-words.ts';
import { ASSISTANT, RESOURCES } from './tcr-take-over-commands.ts';
import type { TcrTakeOverFacts } from './tcr-take-over-facts.ts';

/** Lines of the section, as those of `tcrCommandLines`. */
export function tcrWayBackLines({ assistant, webhook, namespace, instance }: TcrTakeOverFacts): readonly string[] {
  const release = releaseName(instance);
  const replicas = assistant.ok ? Math.max(1, assistant.value?.replicas ?? 1) : 1;
  const isThere = !assistant.ok || assistant.value !== undefined;
  const hasWebhook = webhook.ok && webhook.value !== undefined;
  const flags = `--namespace=${namespace} --instance=${instance}`;
  const start = isThere
    ? [
        `${ASSISTANT} scale deployment ${TCR_ASSISTANT.name} --replicas=${replicas}`,
        `# Where it was removed: ${ASSISTANT} create -f ${TCR_ASSISTANT.name}.backup.yaml`,
        ...(hasWebhook
          ? ['# Where the manager does not make its webhook anew: kubectl create -f webhook.backup.yaml']
          : []),
      ]
    : ["# In TKE's console: the cluster, Add-ons, TCR, Install, with the values that it had."];
  return numbered([
    {
      title: 'Start the manager again. Ours stands down by itself; nothing else is needed to go back for a while.',
      lines: start,
    },
    {
      title: 'Where a password is minted by ours (spec.tcr), put one into the resource: the manager mints none.',
      lines: [`kubectl edit ${RESOURCES}`],
    },
    ...removalSteps({ release, namespace, flags, other: 'the manager' }),
  ]);
}

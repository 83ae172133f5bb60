// The commands that undo a take-over: first the other starts again, then ours goes.
import { VENDOR_HELPER } from './names.ts';
import type { TakeOverFacts } from './take-over-facts.ts';
import { CONSOLE, helperState, numbered, removalSteps, VENDOR } from './take-over-steps.ts';
import { placeOf, type Survey } from './take-over-survey.ts';
import { releaseName } from './take-over-words.ts';

/** Lines of the section, as those of `commandLines`. */
export function wayBackLines(facts: TakeOverFacts, survey: Survey): readonly string[] {
  const helper = helperState(facts, survey);
  const release = releaseName(facts.instance);
  const { namespace, instance, helper: found, place } = facts;
  const replicas = found.ok ? Math.max(1, found.value?.replicas ?? 1) : 1;
  const start = [
    ...(helper === 'managed' || helper === 'gone'
      ? [`${CONSOLE} of the add-on, Install, with the configuration that it had.`]
      : [
          `${VENDOR} scale deployment ${VENDOR_HELPER.name} --replicas=${replicas}`,
          `# Where it was removed: install it in ACK's console, or ${VENDOR} create -f ${VENDOR_HELPER.name}.backup.yaml`,
        ]),
  ];
  const flags = `--namespace=${namespace} --config-map=${placeOf(place)} --instance=${instance}`;
  return numbered([
    {
      title:
        helper === 'managed'
          ? 'Start the other again.'
          : 'Start the other again. Ours stands down by itself; nothing else is needed to go back for a while.',
      lines: start,
    },
    ...removalSteps({ release, namespace, flags, other: 'the other' }),
  ]);
}

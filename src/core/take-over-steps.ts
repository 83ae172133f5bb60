// What a section of commands is made of: numbered steps, each for the state that the other add-on is in.
import { VENDOR_HELPER } from './names.ts';
import type { TakeOverFacts } from './take-over-facts.ts';
import type { Survey } from './take-over-survey.ts';

/** A step: what it is for, then its commands and comments. */
export interface Step {
  readonly title: string;
  readonly lines: readonly string[];
}

/** What is known of the vendor's add-on; `managed`: it has no Deployment, and yet somebody writes. */
export type HelperState = 'runs' | 'stopped' | 'managed' | 'gone' | 'unknown';

/** Beginning of our own commands, from the checkout of the project that the chart is installed from as well. */
export const PROGRAM = 'npx node dist/main.mjs';

/** Beginning of the commands that are about the vendor's add-on. */
export const VENDOR = `kubectl -n ${VENDOR_HELPER.namespace}`;

/** Beginning of what is done by hand. */
export const CONSOLE = "# In ACK's console: the cluster, Add-ons, the card";

/** Which of the states it is. */
export function helperState({ helper }: TakeOverFacts, { recent }: Survey): HelperState {
  if (!helper.ok) return 'unknown';
  if (helper.value !== undefined) return helper.value.replicas === 0 ? 'stopped' : 'runs';
  return recent === undefined ? 'gone' : 'managed';
}

/** The lines of the steps, a number before each title. */
export function numbered(steps: readonly Step[]): readonly string[] {
  return steps.flatMap(({ title, lines }, index) => [
    ...(index === 0 ? [] : ['']),
    `# ${index + 1}. ${title}`,
    ...lines,
  ]);
}

/** The last steps of a way back: ours goes, with or without what it wrote. `other`: whoever goes on; `flags` name our installation. */
export function removalSteps(of: {
  readonly release: string;
  readonly namespace: string;
  readonly flags: string;
  readonly other: string;
}): readonly Step[] {
  const { release, namespace, flags, other } = of;
  return [
    {
      title: `Only where nothing that ours wrote may stay: stop ours, look, then do it. Adopted Secrets go too: new Pods cannot pull until ${other} has written its own again.`,
      lines: [
        `helm upgrade ${release} charts/registry-credential-helper --namespace ${namespace} --reuse-values --set replicas=0`,
        `${PROGRAM} cleanup ${flags} --dry-run`,
        `${PROGRAM} cleanup ${flags}`,
      ],
    },
    {
      title: `To go back for good, remove ours. Without the step before, its Secrets and references stay, and ${other} goes on with them.`,
      lines: [`helm uninstall ${release} --namespace ${namespace}`],
    },
  ];
}

// The command `self-test`: tries, with the controller's own rights, what the installation needs to be able to do; `helm test` runs it.
import { configurationFinding, type Finding } from '../core/doctor.ts';
import { KubeError } from '../core/errors.ts';
import { rightsFinding, triedOf, unseenFinding, type Tried } from '../core/self-test.ts';
import { pause } from '../kube/pause.ts';
import { loginTrial } from './self-test-logins.ts';
import { tryAdmissionOf, tryTokens, tryWebhooks, type Trial } from './self-test-trials.ts';
import { EXIT, linesOf, lookAtInstallation, type Look } from './looking.ts';
import type { Command } from './lifecycle.ts';
import { missingRights } from './missing-rights.ts';
import { lookForRules, type RulesInForce } from './rules-in-force.ts';

const HELP = `registry-credential-helper self-test tries what an installation needs, with the rights that it runs with: the rights
themselves; the configuration; the token of the ServiceAccount that it names for RRSA; that the caBundle of each webhook object
verifies what is served where it leads; that a ServiceAccount in scope, sent as a dry run, comes back with its reference; and with
--registries one login at each configured registry, with the credential that is held in the master copy. It changes nothing and
prints no secret: one line for each, PASS, FAIL or SKIP.
\`helm test\` runs it in the cluster. Elsewhere give it the flags of the controller, and a kubeconfig of its ServiceAccount.

Usage: registry-credential-helper self-test [FLAGS]

Examples:
  registry-credential-helper self-test --config-map=kube-system/acr-configuration --registries
  registry-credential-helper self-test --webhook-service=kube-system/registry-credential-helper:443 --patience=1m

Exit codes: 0 nothing failed; 2 wrong usage; 3 the configuration is refused; 4 the cluster could not be reached; 6 there is a FAIL.
`;

/** Between two attempts, milliseconds: doubled each time, up to the longest. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 8_000;

export const selfTestCommand: Command = {
  name: 'self-test',
  help: HELP,
  run: (context) =>
    lookAtInstallation('self-test', context, (look) => run(look, context.signal)).catch((error: unknown) => {
      if (context.signal.aborted) return EXIT.cluster;
      throw error;
    }),
};

async function run(look: Look, signal: AbortSignal): Promise<number> {
  const { settings, connection, print } = look;
  const endsAt = performance.now() + settings.selfTest.patienceMs;
  const all: Finding[] = [];
  const tell = (findings: readonly Finding[]): void => {
    all.push(...findings);
    for (const line of findings.flatMap(linesOf)) print(line);
  };
  /** Until nothing fails any more that may pass, or there is no more time. */
  const patiently = async (subject: string, trial: Trial): Promise<readonly Finding[]> => {
    for (let pauseMs = RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_RETRY_MS)) {
      const { findings, mayPass } = await trial().catch(unseen(subject));
      const left = endsAt - performance.now();
      if (!mayPass || left < RETRY_MS) return findings;
      await pause(Math.min(pauseMs, left), signal);
    }
  };
  tell([rightsFinding((await missingRights(connection, settings, signal)).lacking)]);
  const rules = await lookForRules(connection, settings, signal);
  tell([understood(look, rules)]);
  const scene = { look, rules, signal };
  tell(await tryTokens(scene));
  tell(await patiently('webhooks', () => tryWebhooks(scene)));
  tell(await patiently('admission', () => tryAdmissionOf(scene)));
  tell(await patiently('registries', loginTrial(scene)));
  if (rules.configuration.ok && rules.configuration.value?.config === undefined && isThere(rules)) {
    return EXIT.configuration;
  }
  return all.some(({ level }) => level === 'FAIL') ? EXIT.findings : EXIT.fine;
}

/** A right that is missing fails what needs it, and nothing else. */
function unseen(subject: string): (error: unknown) => Tried {
  return (error) => {
    if (!(error instanceof KubeError) || error.reason !== 'Forbidden') throw error;
    return triedOf([unseenFinding(subject, error.message)]);
  };
}

/** As `doctor` says it; there being none yet is no failure of the installation, nor is a remark. */
function understood({ connection: { configMap } }: Look, rules: RulesInForce): Finding {
  const place = `${configMap.namespace}/${configMap.name}`;
  const finding = configurationFinding({ ...rules, place });
  if (!rules.configuration.ok) return { ...finding, level: 'FAIL' };
  if (!isThere(rules)) return { level: 'SKIP', subject: finding.subject, sentences: finding.sentences };
  return { ...finding, level: rules.configuration.value?.config === undefined ? 'FAIL' : 'PASS' };
}

function isThere({ configuration }: RulesInForce): boolean {
  return configuration.ok && configuration.value !== undefined;
}

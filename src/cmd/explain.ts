// The commands `explain …`: why something can, or cannot, pull.
import { explainPod } from '../core/explain-pod.ts';
import { judgePod } from '../core/judge-pod.ts';
import { isWanted, type Looked } from '../core/take-over-facts.ts';
import { lookAtPod } from '../kube/pod-reads.ts';
import { EXIT, lookAtInstallation, type Look } from './looking.ts';
import type { Command, CommandGroup } from './lifecycle.ts';
import { lookForRules } from './rules-in-force.ts';

const POD_HELP = `registry-credential-helper explain pod says why a Pod can, or cannot, pull with what is written here: which rules mean its
namespace and ServiceAccount, whether the Secrets are there and until when they work, whether the ServiceAccount refers to them, and
whether the Pod names them, names pull secrets of its own, or is older than the reference. It ends with one line: that it works, or
what to do. It changes nothing, reads of Secrets only the metadata, and needs no more than your own rights: what you may not read is
said.

Usage: registry-credential-helper explain pod NAME [FLAGS]

Examples:
  registry-credential-helper explain pod shop-5d9f-x2x7k -n web
  registry-credential-helper explain pod shop-5d9f-x2x7k -n web --config-map=registry/acr-configuration

Exit codes: 0 it works, or no image is ours to serve; 2 wrong usage; 3 the configuration is refused; 4 the cluster could not be read;
6 something is to be done.
`;

const podCommand: Command = {
  name: 'explain pod',
  help: POD_HELP,
  run: (context) => lookAtInstallation('explain pod', context, (look) => runPod(look, context.signal)),
};

export const explainCommand: CommandGroup = {
  name: 'explain',
  help: `registry-credential-helper explain says why something can, or cannot, pull.
`,
  commands: {
    pod: {
      summary: 'whether a Pod gets the credentials that are meant for it, and if not, why not',
      command: podCommand,
    },
  },
};

async function runPod(look: Look, signal: AbortSignal): Promise<number> {
  const { settings, connection, reads, now, print, complain } = look;
  const place = {
    namespace: settings.writtenNamespace ?? connection.contextNamespace ?? 'default',
    name: settings.name,
  };
  const [rules, alone] = await Promise.all([lookForRules(connection, settings, signal), lookAtPod(reads, place)]);
  const needed: readonly Looked<unknown>[] = [
    ...[rules.configuration, rules.resources],
    ...[alone.pod, alone.namespace, alone.account],
  ];
  const forbidden = needed.flatMap((looked) => (looked.ok ? [] : [looked.cure]));
  for (const cure of forbidden) complain(`cannot be told without a right: ${cure}`);
  if (forbidden.length > 0) return EXIT.cluster;
  if (rules.config === undefined) {
    const { namespace, name } = connection.configMap;
    complain(`the ConfigMap ${namespace}/${name} is refused: migrate config and doctor say what is wrong with it`);
    return EXIT.configuration;
  }
  const { pod, namespace, account, secrets } = alone;
  if (!pod.ok || !namespace.ok || !account.ok) return EXIT.cluster;
  if (settings.namespaces?.includes(place.namespace) === false) {
    print(`This installation serves only the namespaces ${settings.namespaces.join(', ')}, not ${place.namespace}.`);
    return EXIT.fine;
  }
  if (pod.value === undefined || namespace.value === undefined) {
    complain(`there is no Pod ${place.namespace}/${place.name}`);
    return EXIT.cluster;
  }
  if (!secrets.ok) complain(`which registries the Secrets are for cannot be told without a right: ${secrets.cure}`);
  const { tcrAssistant, resources, refused } = rules;
  if (!tcrAssistant.ok) complain(`whether Tencent's add-on runs cannot be told without a right: ${tcrAssistant.cure}`);
  const surroundings = {
    refused,
    isLeftToAssistant: isWanted(tcrAssistant) && resources.ok && resources.value.length > 0,
    ...{ config: rules.config, namespace: namespace.value, account: account.value, now },
    secrets: secrets.ok ? new Map(secrets.value.map((secret) => [secret.name, secret])) : undefined,
  };
  const { sentences, verdict, isWell } = explainPod(judgePod(pod.value, surroundings), surroundings);
  for (const sentence of [...sentences, verdict]) print(sentence);
  return isWell ? EXIT.fine : EXIT.findings;
}

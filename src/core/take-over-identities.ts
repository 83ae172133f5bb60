// As whom each registry would be asked, and what a person has to look at before the vendor's add-on goes.
import { VENDOR_HELPER } from './names.ts';
import type { RegistryIdentity, TakeOverFacts } from './take-over-facts.ts';
import { PROGRAM } from './take-over-steps.ts';
import { placeOf } from './take-over-survey.ts';
import { listed, releaseName } from './take-over-words.ts';
import type { SecretReference } from './types.ts';

/** Everything that the cloud must allow, whoever asks (acr.md section 7). */
const ACTIONS = '`cr:GetAuthorizationToken`, `cr:ListInstanceEndpoint` and `cr:PullRepository`';

/** One line for each identity, with the registries that it serves, and what to check. */
export function identityLines(facts: TakeOverFacts): readonly string[] {
  const { configuration } = facts;
  const identities = configuration.ok ? (configuration.value?.identities ?? []) : [];
  if (identities.length === 0)
    return ['- No registry of Alibaba Cloud is configured, or the configuration is not known.'];
  const groups = Map.groupBy(identities, ({ base, assumedRole }) => JSON.stringify([base, assumedRole]));
  const lines = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const names = listed([...new Set(group.map(({ registry }) => registry))]);
    return [`${names}: ${baseText(first, facts)}${assumedText(first)}`];
  });
  const local = identities.filter(({ isLocal }) => isLocal).map(({ registry }) => registry);
  return [
    ...lines,
    ...(local.length === 0
      ? []
      : [
          `The local region comes from the node's metadata. Where there is none, as in registered and self-built clusters, set the key \`region\` of the ConfigMap, or \`regionId\` of the item.`,
        ]),
    ...managedRoleLines(facts, identities),
    `Whichever it is needs ${ACTIONS}; what was granted to the vendor's add-on does.`,
  ].map((line) => `- ${line}`);
}

/** True when the managed role may serve one of them. */
export function usesManagedRole(identities: readonly RegistryIdentity[]): boolean {
  return identities.some(({ base }) => base.kind === 'token-mode' && base.mode !== 'workerRole');
}

/** True when trust policies would have to name our own ServiceAccount. */
export function usesOwnSubject(identities: readonly RegistryIdentity[]): boolean {
  return identities.some(({ base }) => base.kind === 'rrsa' && base.serviceAccount === undefined);
}

/**
 * The ServiceAccount, `namespace/name`, whose token RRSA shows to the cloud once the commands are followed, at most one: it is one key
 * of the configuration.
 */
export function shownAccounts(identities: readonly RegistryIdentity[]): readonly string[] {
  const accounts = identities.flatMap(({ base }) =>
    base.kind === 'rrsa' ? [base.serviceAccount ?? VENDOR_HELPER] : [],
  );
  return accounts.slice(0, 1).map(placeOf);
}

function baseText({ base, assumedRole }: RegistryIdentity, facts: TakeOverFacts): string {
  switch (base.kind) {
    case 'secret':
      return `the AccessKey pair in the Secret ${placeOf(base.secret)}, ${presence(base.secret, facts)}.`;
    case 'inline':
      return `the AccessKey pair that stands in the ConfigMap. It works; whoever may read the ConfigMap has it. \`${PROGRAM} migrate config\` prints the form with a Secret.`;
    case 'half':
      return 'half of an AccessKey pair: not served until the other half is there.';
    case 'rrsa':
      return rrsaText(base, facts);
    case 'token-mode':
      return tokenModeText(base.mode, facts, assumedRole !== undefined);
  }
}

function assumedText({ assumedRole }: RegistryIdentity): string {
  return assumedRole === undefined
    ? ''
    : ` With it the role ${assumedRole} is assumed: that role must trust the identity, which needs \`sts:AssumeRole\`.`;
}

function rrsaText(base: Extract<RegistryIdentity['base'], { kind: 'rrsa' }>, facts: TakeOverFacts): string {
  const { namespace, instance } = facts;
  const role = `RRSA, ${base.roleArn === undefined ? 'the role that the environment names' : `the role ${base.roleArn}`}`;
  const vendors = placeOf(VENDOR_HELPER);
  const { serviceAccount } = base;
  if (serviceAccount === undefined) {
    const subject = subjectOf({ namespace, name: releaseName(instance) });
    return `${role}. As configured, the cloud sees the subject ${subject}, which trust policies made for the vendor's add-on refuse: they name ${subjectOf(VENDOR_HELPER)}. Set \`rrsa-service-account: ${vendors}\`, as below, and no policy has to change.`;
  }
  const place = placeOf(serviceAccount);
  const rights = place === vendors ? 'Should it go with the add-on, ours makes it again. ' : '';
  const granted = `Ours needs the right to create \`serviceaccounts/token\` of it, which the value \`rrsa.tokenServiceAccount\` of the chart gives.`;
  return `${role}, with a token of the ServiceAccount ${place}: the cloud sees the subject ${subjectOf(serviceAccount)}, which the role's trust policy must name. ${rights}${granted}`;
}

function tokenModeText(mode: string, facts: TakeOverFacts, isBase: boolean): string {
  const worker =
    "the worker RAM role of the nodes, which cannot be seen from here: look it up in the node pool's settings";
  if (mode === 'workerRole') return `${worker}.`;
  if (mode === 'managedRole') return 'the managed role of the cluster, and nothing else: see below.';
  const secret = `the Secret ${placeOf(facts.addonSecret)}, ${presence(facts.addonSecret, facts)}`;
  const order = isBase
    ? `${worker}; the managed role, see below; ${secret}`
    : `the managed role, see below; ${secret}; ${worker}`;
  return `the first that is there (\`tokenMode: auto\`): ${order}. The vendor's own \`tokenMode\` is a parameter of its installation and not in the ConfigMap: where it was not \`auto\`, set the key \`tokenMode\` to the same.`;
}

function managedRoleLines(facts: TakeOverFacts, identities: readonly RegistryIdentity[]): readonly string[] {
  if (!usesManagedRole(identities)) return [];
  const { managedRole, now } = facts;
  if (!managedRole.ok) return [`The managed role: its Secret could not be read: ${managedRole.cure}.`];
  const { value } = managedRole;
  if (value === undefined) {
    return [
      'The managed role: there is no Secret with its session, so that it serves nobody. ACK writes one where the add-on was installed through it and the role granted.',
    ];
  }
  const place = placeOf(value.secret);
  if (value.hasError)
    return [
      `The managed role: the Secret ${place} holds an error of the control plane: the role was not granted to the cluster.`,
    ];
  if (value.expiresAt === undefined) return [`The managed role: the Secret ${place} does not say until when it works.`];
  const until = new Date(value.expiresAt).toISOString();
  if (value.expiresAt <= now) {
    return [
      `The managed role: the session in the Secret ${place} ended at ${until}: nobody renews it, and it serves nobody.`,
    ];
  }
  return [
    `The managed role: the session in the Secret ${place} works until ${until}. ACK renews it for the vendor's add-on; whether it goes on, or removes the Secret, once that add-on is gone is not documented. Have another identity at hand (\`tokenMode: workerRole\`, RRSA or an AccessKey pair in a Secret) before the add-on is removed; one that is stopped is still installed.`,
  ];
}

function presence(secret: SecretReference, { secrets }: TakeOverFacts): string {
  if (!secrets.ok) return `which could not be looked for (${secrets.cure})`;
  const isThere = secrets.value.some((found) => placeOf(found) === placeOf(secret));
  return isThere ? 'which is there' : 'which is not there';
}

function subjectOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

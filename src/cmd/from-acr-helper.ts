// The command `migrate from-acr-helper`: what the move from Alibaba's add-on means for one cluster.
import { sentenceOf } from '../controller/report-configuration.ts';
import { parseConfig } from '../core/config.ts';
import { KubeError } from '../core/errors.ts';
import type { ConfigData } from '../core/managed-form.ts';
import { ACR_SECRET_NAME } from '../core/names.ts';
import type { ItemParser } from '../core/registry-items.ts';
import type { RegistryIdentity, TakeOverFacts, UnderstoodConfiguration } from '../core/take-over-facts.ts';
import { isAcrSecretName } from '../core/take-over-survey.ts';
import { withUnserved } from '../core/unserved-namespaces.ts';
import { renderTakeOver } from '../core/take-over.ts';
import { createItemParser } from '../credentials/requests.ts';
import { lookAround, lookForConfigMap } from '../kube/take-over-reads.ts';
import { ADDON_SECRET } from '../providers/alibaba/access-key.ts';
import { MANAGED_ROLE_SECRETS } from '../providers/alibaba/managed-role.ts';
import { parseAcrTarget, type AcrTarget } from '../providers/alibaba/target.ts';
import { createProviders } from '../providers/table.ts';
import { connect } from './connect.ts';
import type { Command } from './lifecycle.ts';
import type { SecretDefaults } from './secret-defaults.ts';
import { readSettings, type Settings } from './settings.ts';

const HELP = `registry-credential-helper migrate from-acr-helper prints the plan of a move from Alibaba's
aliyun-acr-credential-helper for this cluster: what is there, what would be adopted, which identities to check, the commands in
their order, and the way back. It writes nothing, and reads of Secrets only the metadata. Your own rights are enough: what may not
be read is said, and the rest is printed. Unless flags say otherwise, the configuration is that of the add-on,
kube-system/acr-configuration, and ours goes into the same namespace.

Usage: registry-credential-helper migrate from-acr-helper [FLAGS]

Examples:
  registry-credential-helper migrate from-acr-helper --kubeconfig ~/.kube/config
  registry-credential-helper migrate from-acr-helper --namespace=registry --instance=blue > plan.txt

Exit codes: 0 fine; 2 wrong usage; 3 the configuration is refused, the plan is printed all the same; 4 the cluster could not be
reached.
`;

/** Where the add-on reads its configuration. */
const VENDOR_PLACE = { namespace: 'kube-system', name: 'acr-configuration' } as const;

export const fromAcrHelperCommand: Command = {
  name: 'migrate from-acr-helper',
  help: HELP,
  async run({ args, version, signal }) {
    const settings = readSettings('migrate from-acr-helper', args);
    const { instance, configMap: place = VENDOR_PLACE } = settings;
    const { client, namespace } = connect({ ...settings, configMap: place }, version);
    const now = Date.now();
    try {
      const read = await lookForConfigMap(client, place, signal);
      const configuration: TakeOverFacts['configuration'] = read.ok
        ? { ok: true, value: read.value === undefined ? undefined : understand(read.value, namespace) }
        : read;
      const names = secretNames(configuration);
      const isNamed = (name: string): boolean => names.has(name) || isAcrSecretName(name);
      const at = { namespace, instance, now };
      const reads = await lookAround({ ...at, client, isNamed, managedRoleSecrets: MANAGED_ROLE_SECRETS, signal });
      process.stdout.write(renderTakeOver({ ...at, ...reads, place, configuration, addonSecret: ADDON_SECRET }));
      return configuration.ok && configuration.value !== undefined && configuration.value.config === undefined ? 3 : 0;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      process.stderr.write(`migrate from-acr-helper: ${error.message}\n`);
      return 4;
    } finally {
      await client.close();
    }
  },
};

/**
 * What our parser says of it in an installation in `namespace`, and as whom each registry of Alibaba's would be asked. The settings as
 * the controller is told them.
 */
export function understand(
  data: ConfigData,
  namespace: string,
  {
    secretNamespaces = [],
    keptSecrets = [],
    namespaces,
  }: Partial<Omit<SecretDefaults, 'namespace'> & Pick<Settings, 'namespaces'>> = {},
): UnderstoodConfiguration {
  const providers = createProviders();
  const defaults = { namespace, secretNamespaces, keptSecrets };
  const parseRequest = createItemParser(providers, defaults);
  const identities: RegistryIdentity[] = [];
  const parseItem: ItemParser = (name, item, inherited) => {
    // The request keeps its target to itself: the same parser gives it a second time, with its type.
    const parsed = name === 'acr' ? parseAcrTarget(item, { ...defaults, ...inherited }) : undefined;
    if (parsed?.ok === true) identities.push(identityOf(parsed.value));
    return parseRequest(name, item, inherited);
  };
  const parsed = withUnserved(
    parseConfig(data, { parseItem, providers: [...providers.keys()], namespace }),
    namespaces,
  );
  const remarks = parsed.issues.map(({ severity, path, correction, ...issue }) => ({
    ...{ severity, path, sentence: sentenceOf({ severity, path, ...issue }) },
    ...(correction === undefined ? {} : { correction }),
  }));
  return { config: parsed.ok ? parsed.value : undefined, remarks, identities };
}

function identityOf({ instanceId, region, base, assumedRole }: AcrTarget): RegistryIdentity {
  const where = region ?? 'the local region';
  return {
    registry: `${instanceId ?? 'the Personal Edition'} in ${where}`,
    isLocal: region === undefined,
    base: shownBase(base),
    assumedRole: assumedRole?.roleArn,
  };
}

/** Without what could be a key. */
function shownBase(base: AcrTarget['base']): RegistryIdentity['base'] {
  switch (base.kind) {
    case 'inline':
    case 'half':
      return { kind: base.kind };
    case 'rrsa': {
      const { roleArn, providerArn, serviceAccount } = base.role;
      // It names none: only a controller whose environment does would use RRSA, and the chart names them only when its values do.
      if (roleArn === undefined && providerArn === undefined) return { kind: 'token-mode', mode: base.mode };
      return { kind: 'rrsa', roleArn, serviceAccount };
    }
    case 'secret':
    case 'token-mode':
      return base;
  }
}

/** Secrets that the configuration writes, or takes keys from. */
function secretNames(configuration: TakeOverFacts['configuration']): ReadonlySet<string> {
  const { config, identities = [] } = (configuration.ok ? configuration.value : undefined) ?? {};
  return new Set([
    ...[ACR_SECRET_NAME, ADDON_SECRET.name],
    ...(config?.rules.map(({ secretName }) => secretName) ?? []),
    ...identities.flatMap(({ base }) => (base.kind === 'secret' ? [base.secret.name] : [])),
  ]);
}

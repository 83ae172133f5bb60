// The command `migrate`: what another add-on's configuration is in our own form.
import { readFileSync } from 'node:fs';
import type { Command, CommandGroup } from './lifecycle.ts';
import { connect } from './connect.ts';
import { fromAcrHelperCommand } from './from-acr-helper.ts';
import { fromTcrAssistantCommand } from './from-tcr-assistant.ts';
import { migrateConfig, printIssues, type MigrationSource } from './migrate-config.ts';
import { placesOf, readSettings, type Settings } from './settings.ts';
import { ConfigError, KubeError } from '../core/errors.ts';
import type { ConfigData } from '../core/managed-form.ts';
import { parseManifests, type FoundConfiguration } from '../core/manifests.ts';
import { readConfigMap } from '../kube/config-map.ts';

const CONFIG_HELP = `registry-credential-helper migrate config prints a configuration as this program understands it, as a ConfigMap in its own
form: from the cluster, or from a file with a ConfigMap (YAML or JSON, also among other objects) or with the JSON document of the
managed edition. Remarks and corrected text go to standard error. Nothing is written, and no key is printed: an AccessKey pair
becomes the name of a Secret, with the command that makes it.

Usage: registry-credential-helper migrate config [FLAGS]

Examples:
  registry-credential-helper migrate config --kubeconfig ~/.kube/config --config-map=kube-system/acr-configuration
  registry-credential-helper migrate config -f acr-configuration.yaml > configuration.yaml
  kubectl -n kube-system get configmap acr-configuration -o yaml | registry-credential-helper migrate config -f -

Exit codes: 0 fine, also with warnings; 2 wrong usage; 3 the configuration is refused; 4 the cluster could not be read.
`;

const configCommand: Command = {
  name: 'migrate config',
  help: CONFIG_HELP,
  async run({ args, version, signal }) {
    const settings = readSettings('migrate config', args);
    const { file, secretNamespaces } = settings;
    const print = {
      out: (text: string): void => void process.stdout.write(text),
      error: (text: string): void => void process.stderr.write(text),
    };
    try {
      const source =
        file === undefined ? await fromCluster(settings, version, signal) : fromFile(file, settings, print);
      return source === undefined ? 3 : migrateConfig({ ...source, secretNamespaces }, print);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      print.error(`migrate config: ${error.message}\n`);
      return 4;
    }
  },
};

export const migrateCommand: CommandGroup = {
  name: 'migrate',
  help: `registry-credential-helper migrate helps to move here from another add-on.
`,
  commands: {
    config: { summary: 'print a configuration as it is understood, in our own form', command: configCommand },
    'from-acr-helper': {
      summary: 'print the plan of a move from Alibaba’s add-on: findings, commands in order, the way back',
      command: fromAcrHelperCommand,
    },
    'from-tcr-assistant': {
      summary: 'print the plan of a move from Tencent’s add-on: findings, tokens, commands in order, the way back',
      command: fromTcrAssistantCommand,
    },
  },
};

/** The ConfigMap. Throws KubeError, also when there is none. */
async function fromCluster(settings: Settings, version: string, signal: AbortSignal): Promise<MigrationSource> {
  const { client, namespace, configMap: place } = connect(settings, version);
  try {
    const data = await readConfigMap(client, place, signal);
    if (data === undefined) throw new KubeError('NotFound', `there is no ConfigMap ${place.namespace}/${place.name}`);
    return { data, place, namespace };
  } finally {
    await client.close();
  }
}

/** The configuration of a file; undefined when it is refused, which is then told. Throws ConfigError for what is wrong usage. */
function fromFile(
  file: string,
  settings: Settings,
  print: { readonly error: (text: string) => void },
): MigrationSource | undefined {
  const parsed = parseManifests(readText(file));
  printIssues(parsed.issues, print);
  if (!parsed.ok) return undefined;
  const { data, name, namespace } = chosen(parsed.value, settings.configMap);
  const { configMap } = placesOf(settings, namespace);
  const place = { namespace: namespace ?? configMap.namespace, name: name ?? configMap.name };
  return { data, place, namespace: settings.namespace ?? place.namespace };
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new ConfigError([`--file=${file} cannot be read (${code})`]);
  }
}

/** The one that is meant: by the flag, as the only one, or by its usual name. Throws ConfigError when that is not clear. */
function chosen(
  found: readonly FoundConfiguration[],
  wanted: Settings['configMap'],
): FoundConfiguration & { readonly data: ConfigData } {
  const fits = found.filter(
    ({ name, namespace }) =>
      wanted === undefined ||
      ((name ?? wanted.name) === wanted.name && (namespace ?? wanted.namespace) === wanted.namespace),
  );
  const usual = fits.filter(({ name }) => name === 'acr-configuration');
  const [only, ...more] = fits.length > 1 && usual.length > 0 ? usual : fits;
  if (only !== undefined && more.length === 0) return only;
  const names = found.map(({ namespace = '?', name = '?' }) => `${namespace}/${name}`);
  throw new ConfigError([`--config-map must name one of those in the file: ${names.join(', ')}`]);
}

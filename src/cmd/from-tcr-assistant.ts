// The command `migrate from-tcr-assistant`: what the move from Tencent's add-on means for one cluster.
import { effectiveConfig } from '../core/effective-config.ts';
import { KubeError } from '../core/errors.ts';
import { parseImagePullSecret } from '../core/image-pull-secret.ts';
import { findTcrResource } from '../core/tcr-resources-found.ts';
import type { TcrTakeOverFacts } from '../core/tcr-take-over-facts.ts';
import { isTcrSecretName, renderTcrTakeOver } from '../core/tcr-take-over.ts';
import type { Config } from '../core/types.ts';
import { createItemParser } from '../credentials/requests.ts';
import { lookForConfigMap } from '../kube/take-over-reads.ts';
import { lookForTcrAssistant } from '../kube/tcr-assistant-reads.ts';
import { createProviders, withResourceProvider } from '../providers/table.ts';
import { connect } from './connect.ts';
import { understand } from './from-acr-helper.ts';
import type { Command } from './lifecycle.ts';
import { readSettings } from './settings.ts';

const HELP = `registry-credential-helper migrate from-tcr-assistant prints the plan of a move from Tencent's tcr-assistant for this
cluster: what is there, what would be adopted, which long-term tokens are left behind and how to revoke them, the commands in their
order, and the way back. It writes nothing, asks no cloud, reads of Secrets only the metadata, and prints no password: of those in
ImagePullSecret resources only what their claims say. Your own rights are enough: what may not be read is said, and the rest is printed.

Usage: registry-credential-helper migrate from-tcr-assistant [FLAGS]

Examples:
  registry-credential-helper migrate from-tcr-assistant --kubeconfig ~/.kube/config
  registry-credential-helper migrate from-tcr-assistant --namespace=registry > plan.txt

Exit codes: 0 fine; 2 wrong usage; 4 the cluster could not be reached.
`;

export const fromTcrAssistantCommand: Command = {
  name: 'migrate from-tcr-assistant',
  help: HELP,
  async run({ args, version, signal }) {
    const settings = readSettings('migrate from-tcr-assistant', args);
    const { instance, secretNamespaces } = settings;
    const place = { namespace: settings.namespace ?? 'kube-system', name: 'acr-configuration' };
    const { client, namespace, configMap } = connect({ ...settings, configMap: settings.configMap ?? place }, version);
    const at = { namespace, instance, now: Date.now() };
    const parseItem = createItemParser(withResourceProvider(createProviders()), { namespace, secretNamespaces });
    const find = (name: string, spec: unknown) =>
      findTcrResource(name, spec, (...resource) => parseImagePullSecret(...resource, parseItem));
    try {
      const [read, found] = await Promise.all([
        lookForConfigMap(client, configMap, signal),
        lookForTcrAssistant({ ...at, client, isNamed: isTcrSecretName, find, signal }),
      ]);
      const configured = read.ok && read.value !== undefined ? understand(read.value, namespace).config : undefined;
      process.stdout.write(renderTcrTakeOver({ ...at, ...found, config: inForce(found.resources, configured) }));
      return 0;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      process.stderr.write(`migrate from-tcr-assistant: ${error.message}\n`);
      return 4;
    } finally {
      await client.close();
    }
  },
};

/** The rules of the resources, under the settings of the ConfigMap where there is a good one. */
function inForce(resources: TcrTakeOverFacts['resources'], configured: Config | undefined): Config | undefined {
  const settings = configured ?? understand({ 'registry-info': '[]' }, 'kube-system').config;
  if (!resources.ok || settings === undefined) return undefined;
  return effectiveConfig({ ...settings, rules: [] }, { known: resources.value, areAll: true }, settings);
}

// A configuration in whatever form -> the same one in ours, as a ConfigMap for people: comments say what changed, no secret is shown.
import { CONFIG_KEYS, CONFIG_DEFAULTS, readTexts } from './config.ts';
import { parseDuration } from './duration.ts';
import { writeImpliedRegistry } from './implied-registry.ts';
import { parseItemDefaults } from './item-defaults.ts';
import { toConfigMapForm, type ConfigData } from './managed-form.ts';
import { VENDOR_HELPER } from './names.ts';
import { ownItems, type OwnItem } from './own-items.ts';
import { insideTypographicQuotes } from './quotes.ts';
import { parseNamePatterns } from './scope.ts';
import { maskKeys, withoutSecrets } from './secrecy.ts';
import type { Config } from './types.ts';
import { parseYaml, renderYaml } from './yaml.ts';

/** Keys that stand in the output under another name, or not at all. */
const REPLACED_KEYS: readonly string[] = ['registry-info', 'acr-registry-info', 'acr-registry', 'acr-secret-name'];

/** What is to be printed, and of what. */
export interface OwnFormInput {
  /** Data as it was written, which `parseConfig` takes. */
  readonly written: ConfigData;
  /** What `parseConfig` made of it. */
  readonly config: Config;
  /** Of the ConfigMap. */
  readonly place: { readonly namespace: string; readonly name: string };
  /** Our own namespace, where Secrets are looked for. */
  readonly namespace: string;
}

/**
 * The ConfigMap as YAML. It parses to the same rules, but for items with a plaintext AccessKey pair: they name a Secret, and a
 * comment holds the command that makes it, with placeholders.
 */
export function renderOwnForm({ written, config, place, namespace }: OwnFormInput): string {
  const nobody = (): void => undefined;
  const form = toConfigMapForm(written, nobody);
  const { data, impliedBy } = writeImpliedRegistry(form.data, nobody);
  const read = readTexts(data, nobody);
  const items = ownItems(data, { acrSecretName: read('acr-secret-name') ?? CONFIG_DEFAULTS['acr-secret-name'] });

  const out = new Map<string, string>();
  for (const key of [...CONFIG_KEYS, 'webhook-configuration']) {
    const isKept = !REPLACED_KEYS.includes(key) && read(key) !== undefined;
    const text =
      key === 'secret-name' && items?.secretName !== undefined ? items.secretName : isKept ? textOf(key) : undefined;
    if (text !== undefined) out.set(key, text);
  }
  if (items !== undefined) out.set('registry-info', listOf(items.items));

  const commands = [...new Set((items?.items ?? []).flatMap(({ newSecret }) => newSecret ?? []))].map(
    (name) =>
      `kubectl -n ${namespace} create secret generic ${name} --from-literal=access-key-id='<access key id>' --from-literal=access-key-secret='<access key secret>'`,
  );
  const comments = [
    `The configuration of ${place.namespace}/${place.name} as registry-credential-helper understands it, in its own form.`,
    ...changes(),
    'Put it in place with `kubectl replace -f`, which drops the keys that are not in it, or `kubectl create -f` where there is none yet.',
    "Not while Alibaba's add-on still runs, which does not know this form.",
    ...(commands.length === 0 ? [] : ['Before it is applied, move each AccessKey pair into a Secret:', ...commands]),
  ];
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: place, data: Object.fromEntries(out) };
  return `${comments.map((line) => `# ${line}\n`).join('')}${renderYaml(manifest)}`;

  function textOf(key: string): string | undefined {
    const text = read(key) ?? '';
    switch (key) {
      case 'watch-namespace':
      case 'exclude-namespace':
      case 'service-account':
        return namesOf(text, key);
      case 'expiring-threshold':
        return parseDuration(text) === undefined ? undefined : text.replace(/\s+/g, '').replace(/min/g, 'm');
      case 'rrsa':
        return parseItemDefaults({ data, read, namespace }, nobody).rrsaEnabled ? 'enable: true' : undefined;
      case 'tokenMode':
        return parseItemDefaults({ data, read, namespace }, nobody).tokenMode;
      case 'managed-secret-labels':
        return Object.keys(config.secretLabels).length === 0 ? undefined : renderYaml(config.secretLabels).trimEnd();
      case 'webhook-configuration': {
        const written = data[key] ?? '';
        const parsed = parseYaml(insideTypographicQuotes(written) ?? written, key, '');
        const shown = parsed.ok ? withoutSecrets(parsed.value) : undefined;
        return typeof shown === 'object' && shown !== null ? renderYaml(shown).trimEnd() : undefined;
      }
      default:
        return maskKeys(text);
    }
  }

  /** What is not where it was, for people. */
  function changes(): readonly string[] {
    const renamed = [...form.writtenAs].flatMap(([key, name]) =>
      REPLACED_KEYS.includes(key) || !out.has(key) ? [] : [`${shown(name)} is now ${key}.`],
    );
    const list = form.writtenAs.get('acr-registry-info') ?? 'acr-registry-info';
    const implied = impliedBy === undefined ? undefined : (form.writtenAs.get(impliedBy) ?? impliedBy);
    const left = Object.keys(form.data).filter(
      (key) => !out.has(key) && !REPLACED_KEYS.includes(key) && read(key) !== undefined,
    );
    return [
      ...renamed,
      ...(implied === undefined
        ? []
        : [`${shown(implied)} meant the Personal Edition of the local region: registry-info says so.`]),
      ...(implied === undefined && data['acr-registry-info'] !== undefined
        ? [`${shown(list)} is now registry-info, each item with \`provider: acr\`.`]
        : []),
      ...(items?.secretName === undefined ? [] : ['secret-name keeps the name of the Secret.']),
      ...(left.length === 0
        ? []
        : [
            `Left out, since it means nothing here: ${left.map((key) => shown(form.writtenAs.get(key) ?? key)).join(', ')}.`,
          ]),
      ...(out.has('rrsa') && !out.has('rrsa-service-account')
        ? [
            `Where trust policies name the ServiceAccount of Alibaba's add-on, add rrsa-service-account: ${VENDOR_HELPER.namespace}/${VENDOR_HELPER.name}.`,
          ]
        : []),
    ];
  }
}

/** A name as it may stand in a comment. */
function shown(name: string): string {
  return /^[\w.-]{1,253}$/.test(name) ? maskKeys(name) : '…';
}

/** A list of names as we write it. */
function namesOf(text: string, key: string): string | undefined {
  const parsed = parseNamePatterns(text, key);
  if (!parsed.ok) return undefined;
  const { names, globs, excluded } = parsed.value;
  const everything = key === 'service-account' ? '*' : 'all';
  return [
    ...names,
    ...globs.map((glob) => (glob === '*' ? everything : glob)),
    ...excluded.map((one) => `!${one}`),
  ].join(',');
}

/** The list, each item under its comment. */
function listOf(items: readonly OwnItem[]): string {
  if (items.length === 0) return '[]';
  return items.map(({ comment, fields }) => `# ${comment}\n${renderYaml([fields])}`).join('');
}

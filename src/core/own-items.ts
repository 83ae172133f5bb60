// The items of both lists -> those of `registry-info`, field by field, secrets left out.
import { readFields } from './fields.ts';
import { expandInstances } from './instance-lists.ts';
import { ITEM_FIELD_KINDS, MAP_FIELDS, SECRET_ITEM_FIELDS } from './item-fields.ts';
import type { ConfigData } from './managed-form.ts';
import { SECRET_NAME } from './names.ts';
import { isRecord } from './records.ts';
import { isBlank, parseYaml } from './yaml.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One item of `registry-info`. */
export interface OwnItem {
  /** Where it came from, for people. */
  readonly comment: string;
  readonly fields: Fields;
  /** Name of the Secret that its plaintext AccessKey pair goes into; undefined = it has none. */
  readonly newSecret: string | undefined;
}

/** The items, and the Secret that all of them share; undefined = that of the configuration. */
export interface OwnItems {
  readonly items: readonly OwnItem[];
  readonly secretName: string | undefined;
}

/**
 * Items of data under the keys of the ConfigMap, which `parseConfig` takes; undefined when there is no list. Items of the vendor's
 * list keep its Secret, `acrSecretName`.
 */
export function ownItems(
  data: ConfigData,
  { acrSecretName }: { readonly acrSecretName: string },
): OwnItems | undefined {
  const vendors = listUnder(data, 'acr-registry-info');
  const own = listUnder(data, 'registry-info');
  if (vendors === undefined && own === undefined) return undefined;
  const isAlone = own === undefined || own.length === 0;
  const shared = isAlone ? acrSecretName : (data['secret-name']?.trim() ?? SECRET_NAME);
  const secretOfVendors = shared === acrSecretName ? undefined : acrSecretName;
  const secrets = new SecretNames([...(vendors ?? []), ...(own ?? [])]);
  const items = [
    ...(vendors ?? []).flatMap((item, index) => {
      const members = expandInstances(item, '').items;
      const from = `from acr-registry-info[${index}]${members.length > 1 ? ', one of several instances in one item' : ''}`;
      return members.map((member) =>
        ownItem({ provider: 'acr', ...member }, { from, secretName: secretOfVendors, secrets }),
      );
    }),
    ...(own ?? []).map((item, index) => ownItem(item, { from: `from registry-info[${index}]`, secrets })),
  ];
  return { items, secretName: isAlone && vendors !== undefined && vendors.length > 0 ? acrSecretName : undefined };
}

function listUnder(data: ConfigData, key: string): readonly Fields[] | undefined {
  const text = data[key] ?? '';
  if (isBlank(text)) return undefined;
  const parsed = parseYaml(text, key, '');
  return parsed.ok && Array.isArray(parsed.value) ? parsed.value.filter(isRecord) : undefined;
}

function ownItem(
  item: Fields,
  {
    from,
    secretName,
    secrets,
  }: { readonly from: string; readonly secretName?: string | undefined; readonly secrets: SecretNames },
): OwnItem {
  const reader = readFields(item);
  const pair = SECRET_ITEM_FIELDS.flatMap((name) => reader.text(name) ?? []);
  const newSecret = pair.length > 0 && reader.object('accessKeySecretRef') === undefined ? secrets.of(pair) : undefined;
  const fields = [...ITEM_FIELD_KINDS].flatMap(([name, kind]): readonly (readonly [string, unknown])[] => {
    if (name === 'accessKeySecretRef' && newSecret !== undefined) return [[name, { name: newSecret }]];
    const value = valueOf(name, kind) ?? (name === 'secret-name' ? secretName : undefined);
    if (value !== undefined) return [[name, value]];
    // Written out: it is what makes it the Personal Edition.
    return name === 'instanceId' && reader.text('provider') === 'acr' ? [[name, '']] : [];
  });
  const comment = newSecret === undefined ? from : `${from}; its AccessKey pair belongs into the Secret ${newSecret}`;
  return { comment, fields: Object.fromEntries(fields), newSecret };

  function valueOf(name: string, kind: string): unknown {
    if (kind === 'list') return reader.list(name)?.join(',');
    if (kind === 'reference') {
      const reference = reader.object(name);
      const [object, namespace] = [reference?.text('name'), reference?.text('namespace')];
      if (object === undefined) return undefined;
      return namespace === undefined ? { name: object } : { name: object, namespace };
    }
    if (kind === 'map') {
      const map = reader.object(name);
      const texts = MAP_FIELDS.flatMap((field) => {
        const text = map?.text(field);
        return text === undefined ? [] : [[field, text] as const];
      });
      return texts.length === 0 ? undefined : Object.fromEntries(texts);
    }
    const text = reader.text(name);
    return name === 'expireDuration' && /^[1-9]\d{0,8}$/.test(text ?? '') ? Number(text) : text;
  }
}

/** Names for the Secrets of AccessKey pairs: one for each pair, none that an item names already. */
class SecretNames {
  readonly #taken: ReadonlySet<string>;
  readonly #names = new Map<string, string>();
  #last = 0;

  constructor(items: readonly Fields[]) {
    this.#taken = new Set(items.flatMap((item) => readFields(item).object('accessKeySecretRef')?.text('name') ?? []));
  }

  of(pair: readonly string[]): string {
    const key = JSON.stringify(pair);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    do this.#last += 1;
    while (this.#taken.has(`acr-access-key-${this.#last}`));
    const name = `acr-access-key-${this.#last}`;
    this.#names.set(key, name);
    return name;
  }
}

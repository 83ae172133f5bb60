// The configuration parser under texts with mistakes, the vendor's samples as their origin: what must hold for each of them.
import { load } from 'js-yaml';
import { parseConfig, type ConfigContext } from '../../src/core/config.ts';
import { toConfigMapForm } from '../../src/core/managed-form.ts';
import { isBlank } from '../../src/core/yaml.ts';
import { createItemParser } from '../../src/credentials/requests.ts';
import { createProviders } from '../../src/providers/table.ts';
import { mutate, seededRandom } from './mutations.ts';
import { RECORDING_CONTEXT } from './recorded-items.ts';
import {
  FAKE_KEY_ID,
  FAKE_KEY_SECRET,
  FULL_SAMPLE,
  GUIDE_MANIFESTS,
  MANAGED_DOCUMENT,
  REFUSED_SAMPLES,
} from './vendor-samples.ts';

type Data = Readonly<Record<string, string>>;

const KEYS = `  customAccessKey: "${FAKE_KEY_ID}"\n  customAccessKeySecret: ${FAKE_KEY_SECRET}\n`;
const SECRETS: readonly string[] = [FAKE_KEY_ID, FAKE_KEY_SECRET].map((secret) => secret.toLowerCase());

/** Configurations to begin from. */
const SAMPLES: readonly Data[] = [
  FULL_SAMPLE,
  ...REFUSED_SAMPLES.map(({ key, text }) => ({ 'acr-registry-info': '- instanceId: cri-a\n', [key]: text })),
  ...Object.values(GUIDE_MANIFESTS).map((text) => ({
    'acr-registry-info': text.replace(/^[^]*acr-registry-info: \|-?\s*\n/, ''),
  })),
  {
    AcrInstanceInfo: JSON.stringify(MANAGED_DOCUMENT.AcrInstanceInfo, undefined, 1),
    enableRRSA: 'true',
    watchNamespace: 'all',
  },
  {
    'registry-info': `- provider: static\n  domains: a.example\n  secretRef:\n    name: login\n- provider: acr\n  instanceId: cri-a\n  regionId: cn-hangzhou\n${KEYS}`,
  },
  {
    'acr-registry': 'registry.*.aliyuncs.com,registry-vpc.*.aliyuncs.com',
    'managed-secret-labels': 'team: shop',
    region: 'cn-hangzhou',
  },
  {
    'webhook-configuration': 'enable: true\n  failure-policy: Ignore\n',
    tokenMode: 'auto',
    'rrsa-service-account': 'a/b',
  },
];

/** The same, with the marked keys in each list of the vendor's form. */
const SEEDS: readonly Data[] = SAMPLES.map((seed): Data => {
  const list =
    'AcrInstanceInfo' in seed || 'registry-info' in seed
      ? {}
      : { 'acr-registry-info': withKeys(seed['acr-registry-info'] ?? '') };
  return { region: 'cn-hangzhou', ...seed, ...list };
});

const TEXTS: readonly string[] = SEEDS.flatMap((seed) => Object.values(seed));

/** Longest text that an input may have: mistakes must not add up to something that is only slow because it is long. */
const MAX_INPUT = 4_000;

function withKeys(list: string): string {
  return list === '' ? `- instanceId: cri-a\n  regionId: cn-hangzhou\n${KEYS}` : `${list.trimEnd()}\n${KEYS}`;
}

/** What the run met, so that a test can tell that it met anything. */
export interface FuzzCount {
  readonly accepted: number;
  readonly refused: number;
  readonly corrected: number;
}

/**
 * Parses `runs` configurations with mistakes. Throws with the input, as JSON, for the first one that breaks a promise: it throws,
 * tells a secret, tells more than is bounded, is taken although it is no YAML, or is taken in part.
 */
export function fuzzConfiguration(runs: number, seed: number): FuzzCount {
  const providers = createProviders();
  const real: ConfigContext = {
    parseItem: createItemParser(providers, { namespace: 'kube-system', secretNamespaces: [] }),
    providers: [...providers.keys()],
    namespace: 'kube-system',
  };
  const random = seededRandom(seed);
  const count = { accepted: 0, refused: 0, corrected: 0 };
  for (let run = 0; run < runs; run += 1) {
    const data = nextInput(random);
    // The real providers refuse most of it; one that takes everything lets the rest be reached.
    const broken = brokenPromise(data, run % 2 === 0 ? real : RECORDING_CONTEXT, count);
    if (broken !== undefined) throw new Error(`run ${run} of seed ${seed} ${broken}: ${JSON.stringify(data)}`);
  }
  return count;
}

/** Configurations with mistakes, the same ones for the same seed. */
export function mistakenConfigurations(count: number, seed: number): readonly Data[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => nextInput(random));
}

function nextInput(random: () => number): Data {
  const seed = SEEDS[Math.floor(random() * SEEDS.length)] ?? {};
  const keys = Object.keys(seed);
  const wrong = keys[Math.floor(random() * keys.length)] ?? '';
  const text = mutate(seed[wrong] ?? '', random, TEXTS).slice(0, MAX_INPUT);
  // A key may be misspelt, too.
  const key = random() < 0.02 ? mutate(wrong, random, keys).slice(0, 253) : wrong;
  return Object.fromEntries([...Object.entries(seed).filter(([name]) => name !== wrong), [key, text]]);
}

function brokenPromise(
  data: Data,
  context: ConfigContext,
  count: { accepted: number; refused: number; corrected: number },
): string | undefined {
  let parsed: ReturnType<typeof parseConfig>;
  try {
    parsed = parseConfig(data, context);
  } catch (error) {
    return `threw ${String(error)}`;
  }
  const { issues } = parsed;
  const told = JSON.stringify(issues);
  const folded = told.toLowerCase();
  if (SECRETS.some((secret) => folded.includes(secret))) return `told a secret in ${told}`;
  if (issues.length > 101 || told.length > 100_000) return `told ${issues.length} issues of ${told.length} characters`;
  if (issues.some(({ value = '' }) => value.length > 200)) return 'quoted a long text';
  if (parsed.ok === issues.some(({ severity }) => severity === 'error'))
    return 'was taken with errors, or refused without';
  if (issues.some(({ correction }) => correction !== undefined)) count.corrected += 1;
  if (!parsed.ok) {
    count.refused += 1;
    return undefined;
  }
  count.accepted += 1;
  const requests = parsed.value.rules.reduce((sum, rule) => sum + rule.requests.length, 0);
  return halfRead(data, requests);
}

/** What was taken must be YAML, and every item of a list must have become a request. */
function halfRead(data: Data, requests: number): string | undefined {
  const form = toConfigMapForm(data, () => undefined).data;
  let items = 0;
  for (const key of ['acr-registry-info', 'registry-info', 'rrsa'] as const) {
    const text = form[key] ?? '';
    if (isBlank(text)) continue;
    try {
      const value = load(text);
      if (key !== 'rrsa' && Array.isArray(value)) items += value.length;
    } catch {
      return `was taken although ${key} is no YAML`;
    }
  }
  return requests < items ? `has ${items} items and ${requests} requests` : undefined;
}

// Values that are not there: null, as a key with nothing after its colon is, and those that an older release did not have.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dump, load } from 'js-yaml';
import { GROUPS } from '../../scripts/chart-values/all.ts';
import type { Members, Section, Value } from '../../scripts/chart-values/shape.ts';
import { CHART, createHelm, EVERY_VALUE, manifestsOf, type Helm, type Values } from './helm.ts';
import { merge, nested } from './nested-values.ts';

const BUILD_MS = 900_000;
/** Every template renders something. */
const EVERYTHING = merge(EVERY_VALUE, {
  selfTest: { enabled: true, registries: true },
  metrics: {
    serviceMonitor: { enabled: true },
    podMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
});
/** What then lacks something that nothing can stand for: the message says what. */
const REFUSED: Readonly<Record<string, string>> = {
  'podServiceAccount.name': 'name the one to use in podServiceAccount.name',
  'webhook.port': 'set webhook.port to one that is free on every node',
};

jest.setTimeout(240_000);

let helm: Helm;
let folder: string;
beforeAll(async () => {
  helm = await createHelm();
  folder = await mkdtemp(path.join(tmpdir(), 'chart-'));
}, BUILD_MS);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await helm.remove();
});

const all = Object.assign({}, ...GROUPS.map(({ members }) => members)) as Members;
const everyPath = pathsOf(all, '');

describe('null', () => {
  test.each(Object.keys(all))('for %s, and for each member of it, renders, or is refused by name', async (name) => {
    for (const [key] of everyPath.filter(([key]) => key === name || key.startsWith(`${name}.`))) {
      const seen = await renderedOrRefused(merge(EVERYTHING, nested(key, null)));
      expect({ key, seen }).toEqual({ key, seen: expect.stringContaining(REFUSED[key] ?? 'rendered') });
    }
  });

  test('for each value but lists and maps is its default, all at once', async () => {
    const plain = everyPath.filter(([key, member]) => isPlain(member) && key !== 'config.exclude-namespace');
    expect(plain.length).toBeGreaterThan(80);
    const values = plain.map(([key]) => nested(key, null)).reduce(merge, {});
    expect(await helm.render(values)).toBe(await helm.render());
  });

  test('for each section is its defaults, all at once', async () => {
    const sections = Object.keys(all).filter((name) => all[name]?.kind === 'section');
    expect(await helm.render(Object.fromEntries(sections.map((name) => [name, null])))).toBe(await helm.render());
  });

  test('takes the default of a list or a map away, which nothing else does for a map', async () => {
    const text = await helm.render({ podSecurityContext: null, nodeSelector: null, topologySpreadConstraints: null });
    const { template } = manifestsOf(text).find(({ kind }) => kind === 'Deployment')?.spec ?? {};
    expect(template?.spec).not.toHaveProperty('securityContext');
    expect(template?.spec).not.toHaveProperty('nodeSelector');
    expect(template?.spec).not.toHaveProperty('topologySpreadConstraints');
  });

  test('for a key of the configuration is that the key is not given', async () => {
    const values = manifestsOf(await helm.render({ config: { 'exclude-namespace': null } })).find(
      ({ metadata }) => metadata.name === 'registry-credential-helper-values',
    );
    expect(values?.data ?? {}).toEqual({});
  });

  test.each<[Values, string]>([
    [{ podLabels: { team: null } }, "at '/podLabels/team': got null, want string"],
    [{ imagePullSecrets: [null] }, "at '/imagePullSecrets/0': got null, want object"],
    [{ config: { 'watch-namespace': ['shop', null] } }, "at '/config/watch-namespace/1': got null, want string"],
  ])('inside of a value, %j, is refused, and the message says where', async (values, message) => {
    await expect(helm.render(values)).rejects.toThrow(message);
  });
});

describe('with the values of a release that did not have it', () => {
  test.each(Object.entries(all))('%s renders', async (name, member) => {
    const text = await renderedWithout([name]);
    if (member.kind === 'section' || isPlain(member)) expect(text).toBe(await helm.render());
  });

  test('nothing of the chart renders as the defaults do, but for lists and maps', async () => {
    const text = await renderedWithout(Object.keys(all));
    expect(manifestsOf(text).map(({ kind }) => kind)).toEqual(manifestsOf(await helm.render()).map(({ kind }) => kind));
  });

  test('a chart that contains this one keeps its own `global` as it is', async () => {
    const parent = path.join(folder, 'parent');
    await cp(CHART, path.join(parent, 'charts', path.basename(CHART)), { recursive: true });
    const shown =
      '{apiVersion: v1, kind: ConfigMap, metadata: {name: shown}, data: {global: {{ .Values.global | toJson | quote }}}}';
    await writeFile(path.join(parent, 'values.yaml'), 'global: {imageRegistry: mirror.example.com}\n');
    await writeFile(path.join(parent, 'Chart.yaml'), 'apiVersion: v2\nname: parent\nversion: 1.0.0\n');
    await mkdir(path.join(parent, 'templates'));
    await writeFile(path.join(parent, 'templates/shown.yaml'), shown);
    const manifests = manifestsOf(await helm.succeed(['template', 'parent', parent]));
    const own = manifests.find(({ metadata }) => metadata.name === 'shown');
    expect(JSON.parse(own?.data?.global ?? '')).toEqual({ imageRegistry: 'mirror.example.com' });
  });
});

/** What came of values: no pointer to nothing. */
async function renderedOrRefused(values: Values): Promise<string> {
  try {
    manifestsOf(await helm.render(values));
    return 'rendered';
  } catch (error) {
    return (error as Error).message.split('\n').slice(1).join('\n');
  }
}

/** The text of a chart in whose values.yaml these are not: as `--reuse-values` keeps those of an older one. */
async function renderedWithout(names: readonly string[]): Promise<string> {
  const chart = path.join(folder, path.basename(CHART));
  await cp(CHART, chart, { recursive: true });
  const values = load(await readFile(path.join(CHART, 'values.yaml'), 'utf8')) as Values;
  const rest = Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
  await writeFile(path.join(chart, 'values.yaml'), dump(rest));
  return helm.succeed(['template', 'registry-credential-helper', chart, '--namespace=kube-system']);
}

function isPlain(member: Section | Value): boolean {
  return member.kind === 'value' && (typeof member.fallback !== 'object' || member.fallback === null);
}

function pathsOf(members: Members, prefix: string): readonly (readonly [string, Section | Value])[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const here = [`${prefix}${name}`, member] as const;
    return member.kind === 'value' ? [here] : [here, ...pathsOf(member.members, `${prefix}${name}.`)];
  });
}

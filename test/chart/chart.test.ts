// What the chart renders as a whole; no cluster is needed for that.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { CHART, createHelm, EVERY_VALUE, manifestsOf, valuesFiles, type Helm, type Manifest } from './helm.ts';
import { objectOf, withoutHooks } from './rendered.ts';

const BUILD_MS = 900_000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CRD = 'imagepullsecrets.tcr.tencentcloudcr.com';

jest.setTimeout(60_000);

let helm: Helm;
beforeAll(async () => {
  helm = await createHelm();
}, BUILD_MS);
afterAll(() => helm.remove());

describe('the chart', () => {
  test('passes helm lint --strict with every values file, and with every value set', async () => {
    for (const values of [EVERY_VALUE, ...valuesFiles().values()]) {
      await helm.succeed(['lint', '--strict', CHART, ...(await helm.values(values))]);
    }
  });

  test('installs the version of the program that it is released with', () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(load(readFileSync(path.join(CHART, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version });
  });

  test.each([...valuesFiles()])('renders the same text every time with values/%s.yaml', async (_, values) => {
    expect(await helm.render(values)).toBe(await helm.render(values));
  });

  test('renders the same text, whether it is installed or upgraded', async () => {
    expect(await helm.render({}, ['--is-upgrade'])).toBe(await helm.render());
  });

  test('serves Kubernetes from 1.22 on', async () => {
    await helm.render({}, ['--kube-version=1.22.0']);
    await helm.render({}, ['--kube-version=1.22.17-vendor.1']);
    await expect(helm.render({}, ['--kube-version=1.21.14'])).rejects.toThrow('requires kubeVersion: >=1.22.0-0');
  });

  test('holds no ConfigMap that people edit, and no hook on the way of an installation', async () => {
    const text = await helm.render();
    const names = manifestsOf(text).flatMap(({ kind, metadata }) => (kind === 'ConfigMap' ? [metadata.name] : []));
    expect(names).toEqual(['registry-credential-helper-values']);
    expect(text).not.toMatch(/helm\.sh\/hook["']?: .*(pre|post)-(install|upgrade)/);
  });

  test('has each object once', async () => {
    for (const values of valuesFiles().values()) {
      const places = manifestsOf(await helm.render(values)).map(
        ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
      );
      expect(places).toEqual([...new Set(places)]);
    }
  });

  test('bears the labels that Kubernetes recommends on every object, and no namespace but its own', async () => {
    for (const { kind, metadata } of withoutHooks(manifestsOf(await helm.render()))) {
      const { 'app.kubernetes.io/component': component = 'controller', ...labels } = metadata.labels ?? {};
      expect(component).toBe('controller');
      expect(labels).toEqual({
        'app.kubernetes.io/name': 'registry-credential-helper',
        'app.kubernetes.io/instance': 'registry-credential-helper',
        'app.kubernetes.io/version': '0.1.0',
        'app.kubernetes.io/managed-by': 'Helm',
        'helm.sh/chart': 'registry-credential-helper-0.1.0',
      });
      expect(metadata.namespace).toBe(/^(Cluster|CustomResource)/.test(kind) ? undefined : 'kube-system');
    }
  });

  test('names its objects after the release', async () => {
    const text = await helm.succeed(['template', 'shop', CHART, '--namespace=pulls']);
    const others = withoutHooks(manifestsOf(text))
      .map(({ metadata }) => metadata.name)
      .filter((name) => !name.startsWith('shop-registry-credential-helper'));
    expect(others.sort()).toEqual([CRD, 'registry-credential-helper-resources-default']);
  });

  test.each([
    [{ fullnameOverride: 'pulls' }, 'pulls'],
    [{ nameOverride: 'pulls' }, 'registry-credential-helper-pulls'],
    [{ fullnameOverride: 'n'.repeat(63) }, 'n'.repeat(63)],
  ])('with %j names them otherwise', async (values, name) => {
    const manifests = manifestsOf(await helm.render(values));
    expect(objectOf(manifests, 'Deployment').metadata.name).toBe(name);
    expect(objectOf(manifests, 'ServiceAccount').metadata.name).toBe(name);
  });

  test('puts common labels on every object and Pod, and common annotations on every object', async () => {
    const { commonLabels, commonAnnotations } = EVERY_VALUE;
    const extra = { hosts: { enabled: true }, networkPolicy: { enabled: true }, onUninstall: 'cleanup' };
    for (const { metadata, spec } of manifestsOf(await helm.render({ commonLabels, commonAnnotations, ...extra }))) {
      expect(metadata.labels).toMatchObject(commonLabels);
      expect(metadata.annotations).toMatchObject(commonAnnotations);
      const template = spec as { readonly template?: Manifest } | undefined;
      if (template?.template !== undefined) expect(template.template.metadata.labels).toMatchObject(commonLabels);
    }
  });

  test.each(['a text', 'a map'])('renders an extra object that is %s as a template', async (form) => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{ .Release.Name }}-extra' } };
    const extraObjects = [form === 'a map' ? object : JSON.stringify(object)];
    const rendered = manifestsOf(await helm.render({ extraObjects }));
    expect(objectOf(rendered, 'ConfigMap', 'registry-credential-helper-extra')).toMatchObject({ apiVersion: 'v1' });
  });
});

describe('the definition of resources', () => {
  const definition = async (version: string) =>
    objectOf(manifestsOf(await helm.render({}, [`--kube-version=${version}`])), 'CustomResourceDefinition');
  const shipped = load(readFileSync(path.join(CHART, 'files/imagepullsecrets.yaml'), 'utf8')) as Manifest;

  test('is the file that the chart ships, from Kubernetes 1.25 on', async () => {
    expect((await definition('1.25.0')).spec).toEqual(shipped.spec);
    expect((await definition('1.36.3')).spec).toEqual(shipped.spec);
  });

  test('is the same without the rules in CEL, before', async () => {
    const old = JSON.stringify((await definition('1.24.17')).spec);
    expect(old).not.toContain('x-kubernetes-validations');
    const withoutRules = JSON.stringify(shipped.spec, (key, value: unknown) =>
      key === 'x-kubernetes-validations' ? undefined : value,
    );
    expect(JSON.parse(old)).toEqual(JSON.parse(withoutRules));
    expect(JSON.stringify(shipped.spec)).toContain('x-kubernetes-validations');
  });

  test('stays when the release goes, unless told otherwise', async () => {
    expect((await definition('1.36.3')).metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    const gone = objectOf(manifestsOf(await helm.render({ crds: { keep: false } })), 'CustomResourceDefinition');
    expect(gone.metadata.annotations).toBeUndefined();
  });

  test('is left out with crds.install: false', async () => {
    expect(await helm.render({ crds: { install: false } })).not.toContain('CustomResourceDefinition');
  });
});

describe('the PodDisruptionBudget', () => {
  test.each([
    ['1.22.0', undefined],
    ['1.26.9', undefined],
    ['1.27.0', 'AlwaysAllow'],
    ['1.36.3', 'AlwaysAllow'],
  ])('of Kubernetes %s has the eviction policy %s', async (version, policy) => {
    const budget = objectOf(manifestsOf(await helm.render({}, [`--kube-version=${version}`])), 'PodDisruptionBudget');
    expect(budget.spec).toMatchObject({ maxUnavailable: 1 });
    expect((budget.spec as { unhealthyPodEvictionPolicy?: string }).unhealthyPodEvictionPolicy).toBe(policy);
  });
});

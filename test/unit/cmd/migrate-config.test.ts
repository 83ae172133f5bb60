// What `migrate config` prints: our form on one side, remarks with corrected text on the other.
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { migrateConfig, printIssues } from '../../../src/cmd/migrate-config.ts';
import { parseManifests } from '../../../src/core/manifests.ts';
import { FAKE_KEY_ID, FAKE_KEY_SECRET, GUIDE_MANIFESTS } from '../../support/vendor-samples.ts';

interface Printed {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

function migrate(data: Readonly<Record<string, string>>): Printed {
  const printed = { out: '', error: '' };
  const code = migrateConfig(
    {
      data,
      place: { namespace: 'kube-system', name: 'acr-configuration' },
      namespace: 'kube-system',
      secretNamespaces: [],
    },
    { out: (text) => (printed.out += text), error: (text) => (printed.error += text) },
  );
  return { code, ...printed };
}

describe('migrate config', () => {
  test('prints our form, and warnings elsewhere', () => {
    const { code, out, error } = migrate({
      'watch-namespaces': 'x',
      'acr-registry-info': '- instanceId: cri-a\n  regionId: cn-hangzhou\n',
    });
    expect(code).toBe(0);
    expect(load(out)).toMatchObject({ kind: 'ConfigMap', data: { 'registry-info': expect.any(String) } });
    expect(error).toBe(
      'migrate config: warning: watch-namespaces: unknown key, ignored: did you mean watch-namespace?\n',
    );
  });

  test('prints nothing of a configuration that is refused but why, and the corrected text', () => {
    const [{ data } = { data: {} }] = configurations(GUIDE_MANIFESTS.personal);
    const { code, out, error } = migrate(data);
    expect([code, out]).toEqual([3, '']);
    expect(error).toMatch(/^migrate config: error: acr-registry-info \(line 2\): is not YAML/);
    const pasted = /ready to paste below `data:`:\n(.*?)\n\n/s.exec(error)?.[1] ?? '';
    const corrected = load(`data:\n${pasted}\n`) as { readonly data: Readonly<Record<string, string>> };
    expect(load(corrected.data['acr-registry-info'] ?? '')).toEqual([{ instanceId: '', regionId: 'cn-hangzhou' }]);
    expect(migrate({ ...data, ...corrected.data })).toMatchObject({ code: 0 });
  });

  test('[acr I6] prints no key, whatever is wrong beside it', () => {
    const item = `- instanceId: "cri-a"\n  regionId: "cn-hangzhou"\n  customAccessKey: "${FAKE_KEY_ID}"`;
    const { code, out, error } = migrate({
      'acr-registry-info': `${item} // the id\n  customAccessKeySecret: "${FAKE_KEY_SECRET}"\n`,
    });
    expect([code, out]).toEqual([3, '']);
    expect(error).toContain('ready to paste below `data:` (write your own for ********)');
    expect(error).not.toMatch(new RegExp(`${FAKE_KEY_ID}|${FAKE_KEY_SECRET}`));
  });

  test('says of each remark how grave it is', () => {
    let text = '';
    const issue = { severity: 'warning', path: 'file', message: `is odd: ${FAKE_KEY_SECRET}` } as const;
    printIssues([issue], { error: (line) => (text += line) });
    expect(text).toBe('migrate config: warning: file: is odd: ********.\n');
  });
});

function configurations(text: string) {
  const parsed = parseManifests(text);
  return parsed.ok ? parsed.value : [];
}

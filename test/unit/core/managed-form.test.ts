// The managed edition's form: the same configuration under other names.
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../src/core/config.ts';
import { documentData, toConfigMapForm } from '../../../src/core/managed-form.ts';
import type { Issue } from '../../../src/core/types.ts';
import { RECORDING_CONTEXT, recordedConfig } from '../../support/recorded-items.ts';
import { MANAGED_DOCUMENT } from '../../support/vendor-samples.ts';

type Data = Readonly<Record<string, string>>;

const LIST = '- instanceId: cri-a\n  regionId: cn-hangzhou\n  expireDuration: 3600\n';

function convert(written: Data): { readonly data: Data; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const { data } = toConfigMapForm(written, (found) => void issues.push(...found));
  return { data, issues };
}

describe('[acr M1] a key of the managed edition is that of the ConfigMap:', () => {
  test.each([
    ['AcrInstanceInfo', LIST, 'acr-registry-info', LIST],
    ['acrInstanceInfo', LIST, 'acr-registry-info', LIST],
    ['ACRInstanceInfo', LIST, 'acr-registry-info', LIST],
    ['enableRRSA', 'true', 'rrsa', 'enable: true'],
    ['EnableRrsa', '"False"', 'rrsa', 'enable: false'],
    ['expiringThreshold', '15m', 'expiring-threshold', '15m'],
    ['serviceAccount', '*', 'service-account', '*'],
    ['ServiceAccount', '*', 'service-account', '*'],
    ['watchNamespace', 'all', 'watch-namespace', 'all'],
    ['notifyEmail', 'a@b.example', 'notify-email', 'a@b.example'],
  ])('%s', (name, text, key, expected) => {
    expect(convert({ [name]: text })).toEqual({ data: { [key]: expected }, issues: [] });
  });

  test('other spellings are not read', () => {
    const written = { watch_namespace: 'x', 'Service-Account': 'x', acr_instance_info: 'x' };
    expect(convert(written).data).toEqual(written);
  });

  test('the whole document, InstanceId and a bare number included', () => {
    const [first, second] = MANAGED_DOCUMENT.AcrInstanceInfo;
    const { instanceId: InstanceId, ...rest } = first;
    const variant = {
      ...MANAGED_DOCUMENT,
      AcrInstanceInfo: [
        { InstanceId, ...rest },
        { ...second, expireDuration: 3600 },
      ],
    };
    const inConfigMap = {
      'acr-registry-info': JSON.stringify(MANAGED_DOCUMENT.AcrInstanceInfo),
      rrsa: 'enable: true',
      'expiring-threshold': '15m',
      'service-account': 'default',
      'watch-namespace': 'all',
      'notify-email': 'cs@aliyuncs.com',
    };
    const expected = recordedConfig(inConfigMap);
    expect(expected.issues).toEqual([]);
    expect(expected.config.rules[0]?.requests).toHaveLength(2);
    expect(recordedConfig(documentData(MANAGED_DOCUMENT))).toEqual(expected);
    expect(recordedConfig(documentData(variant))).toEqual(expected);
  });

  test('issues name the key as it was written, with its line', () => {
    const text = JSON.stringify([{ instanceId: 'cri-a' }, { instanceId: ['x'] }], undefined, 2);
    const { issues } = parseConfig({ AcrInstanceInfo: text }, RECORDING_CONTEXT);
    expect(issues).toMatchObject([{ severity: 'error', path: 'AcrInstanceInfo[1].instanceId' }]);
  });

  test('a flag that is none is an error', () => {
    expect(convert({ enableRRSA: 'maybe' }).issues).toMatchObject([
      { severity: 'error', path: 'enableRRSA', message: 'must be `true` or `false`', value: 'maybe' },
    ]);
  });
});

describe('[acr M2] a key that is given in both forms', () => {
  test.each([
    ['acr-registry-info', LIST, 'AcrInstanceInfo', LIST.replace('cri-a', 'cri-b')],
    ['rrsa', 'enable: true', 'enableRRSA', 'false'],
    ['expiring-threshold', '15m', 'expiringThreshold', '16m'],
    ['service-account', 'default', 'serviceAccount', '*'],
    ['watch-namespace', 'a,b', 'watchNamespace', 'a'],
    ['notify-email', 'a@b.example', 'notifyEmail', 'c@b.example'],
    ['tokenMode', 'auto', 'token-mode', 'workerRole'],
  ])('with different values is refused, both named: %s', (key, text, name, other) => {
    for (const data of [
      { [key]: text, [name]: other },
      { [name]: other, [key]: text },
    ]) {
      const parsed = parseConfig({ 'registry-info': '[]', ...data }, RECORDING_CONTEXT);
      expect(parsed).toMatchObject({ ok: false, issues: [{ severity: 'error', path: name }] });
      expect(parsed.issues[0]?.message).toContain(`\`${key}\``);
    }
  });

  test.each([
    [
      'acr-registry-info',
      LIST,
      'AcrInstanceInfo',
      '[{"InstanceId": "cri-a", "regionId": "cn-hangzhou", "domains": "", "expireDuration": "3600"}]',
    ],
    ['rrsa', '{"enable": true}', 'enableRRSA', 'TRUE'],
    ['expiring-threshold', '15m', 'expiringThreshold', '900s'],
    ['service-account', 'a, b', 'serviceAccount', '"b",A'],
    ['watch-namespace', 'ALL', 'watchNamespace', '*'],
    ['notify-email', 'a@b.example', 'notifyEmail', ' a@b.example'],
    ['tokenMode', 'workerRole', 'token-mode', 'WORKERROLE'],
  ])('with equal values is fine: %s', (key, text, name, same) => {
    for (const data of [
      { [key]: text, [name]: same },
      { [name]: same, [key]: text },
    ]) {
      expect(convert(data)).toEqual({ data: { [key]: text }, issues: [] });
    }
  });

  test('and is empty in one of them has the other’s value', () => {
    expect(convert({ 'watch-namespace': ' ', watchNamespace: 'all' }).data).toEqual({ 'watch-namespace': 'all' });
    expect(convert({ 'watch-namespace': 'all', watchNamespace: '' }).data).toEqual({ 'watch-namespace': 'all' });
  });

  test('in two spellings of the managed edition is refused likewise', () => {
    expect(convert({ watchNamespace: 'a', WatchNamespace: 'b' }).issues).toMatchObject([
      { path: 'WatchNamespace', message: expect.stringContaining('`watchNamespace`') },
    ]);
  });
});

test('no key of a prototype is taken for one of ours', () => {
  const data = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Data;
  expect(convert(data).data).toEqual(data);
});

test('[acr M2] a list that is only a comment, as a fresh installation has it, does not contradict the managed form', () => {
  const issues: unknown[] = [];
  const { data } = toConfigMapForm(
    { 'acr-registry-info': '#- instanceId: ""\n', AcrInstanceInfo: '[{"instanceId": "cri-a"}]' },
    (found) => issues.push(...found),
  );
  expect(issues).toEqual([]);
  expect(data['acr-registry-info']).toContain('cri-a');
});

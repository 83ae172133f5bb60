// What is said of keys that do not follow the values: both texts, and never a secret.
import { describe, expect, test } from '@jest/globals';
import { keptSentence, unusedSentence } from '../../../src/core/shown-values.ts';
import { FAKE_KEY_ID, FAKE_KEY_SECRET } from '../../support/vendor-samples.ts';

const said = (key: string, live: string | undefined, value: string, isBinary = false): string =>
  keptSentence({ key, live, isBinary, value });

describe('a key that stays', () => {
  test.each<[string, string, string]>([
    [
      'is told with both texts',
      said('watch-namespace', 'mine', 'theirs'),
      'watch-namespace was edited by hand and stays: it reads "mine", the values say "theirs".',
    ],
    [
      'that was deleted, too',
      said('watch-namespace', undefined, 'theirs'),
      'watch-namespace was deleted by hand and stays away; the values say "theirs".',
    ],
    [
      'that is binary, too',
      said('region', undefined, 'x', true),
      'region is in binaryData and stays there; the values say "x".',
    ],
    [
      'with YAML is told in one line',
      said('rrsa', 'enable: false', 'enable: true\n'),
      'rrsa was edited by hand and stays: it reads "{\\"enable\\":false}", the values say "{\\"enable\\":true}".',
    ],
    [
      'with names of the managed edition is told as well',
      said('watchNamespace', 'a', 'b'),
      'watchNamespace was edited by hand and stays: it reads "a", the values say "b".',
    ],
    [
      'that nobody knows is not quoted',
      said('my-key', 'a', 'b'),
      'my-key was edited by hand and stays: it reads what is not shown, the values say what is not shown.',
    ],
    [
      'that differs in its form is told once',
      said('rrsa', 'enable: true', 'enable:   true'),
      'rrsa was edited by hand and stays; it differs from the values in what is not shown, or in its form: both read "{\\"enable\\":true}".',
    ],
  ])('%s', (_what, sentence, expected) => {
    expect(sentence).toBe(expected);
  });

  const item = (secret: string, region: string): string =>
    `- instanceId: cri-a\n  regionId: ${region}\n  customAccessKey: ${FAKE_KEY_ID}\n  customAccessKeySecret: ${secret}\n`;
  test.each<[string, string, string, string]>([
    ['in its field', 'acr-registry-info', item('short', 'cn-hangzhou'), item(FAKE_KEY_SECRET, 'cn-beijing')],
    ['that alone differs', 'acr-registry-info', item('short', 'cn-hangzhou'), item(FAKE_KEY_SECRET, 'cn-hangzhou')],
    [
      'in text that is no YAML',
      'acr-registry-info',
      `customAccessKeySecret: "short" // x`,
      `customAccessKeySecret: "${FAKE_KEY_SECRET}" // x`,
    ],
    ['under a field that nobody knows', 'registry-info', '- secretWord: short', `- secretWord: ${FAKE_KEY_SECRET}`],
    ['under a wrong key', 'region', 'cn-hangzhou', FAKE_KEY_SECRET],
    ['under a key that nobody knows', 'password', 'short', FAKE_KEY_SECRET],
    [
      'in the form of the managed edition',
      'AcrInstanceInfo',
      item('short', 'cn-hangzhou'),
      item(FAKE_KEY_SECRET, 'cn-beijing'),
    ],
  ])('shows no secret %s', (_what, key, live, value) => {
    for (const sentence of [said(key, live, value), said(key, value, live), said(key, undefined, value)]) {
      for (const secret of [FAKE_KEY_SECRET, FAKE_KEY_ID, 'short']) expect(sentence).not.toContain(secret);
    }
  });

  test('that is long begins shortly before the difference', () => {
    const names = (last: string): string =>
      [...Array.from({ length: 60 }, (_, index) => `team-${index}`), last].join(',');
    const sentence = said('watch-namespace', names('mine'), names('theirs'));
    expect(sentence).toMatch(/it reads "….{1,20}mine", the values say "….{1,20}theirs"/);
    expect(said('watch-namespace', 'x'.repeat(5_000), 'y'.repeat(5_000)).length).toBeLessThan(500);
  });
});

test('what was edited under the other name of a key is told with both', () => {
  const kept = { key: 'watch-namespace', writtenAs: 'watchNamespace', live: 'mine', isBinary: false, value: 'a' };
  expect(keptSentence(kept)).toBe(
    'watchNamespace, another name of watch-namespace, was edited by hand and stays: it reads "mine", the values say "a".',
  );
});

test('values that are not used are named by key, with the command that hands the ConfigMap over', () => {
  const sentence = unusedSentence(['region', 'watch-namespace'], {
    instance: 'blue',
    configMap: { namespace: 'kube-system', name: 'acr-configuration' },
  });
  expect(sentence).toContain('ConfigMap kube-system/acr-configuration');
  expect(sentence).toContain('not used: region, watch-namespace.');
  expect(sentence).toContain(
    "kubectl -n kube-system annotate configmap acr-configuration 'registry-credential-helper.io/values.blue={}'",
  );
});

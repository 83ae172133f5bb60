// What is in force when the ConfigMap and resources both have rules, and what stays while one of them is not known.
import { describe, expect, test } from '@jest/globals';
import { desiredFor } from '../../../src/core/desired.ts';
import { effectiveConfig, type KnownResource, type KnownResources } from '../../../src/core/effective-config.ts';
import { planNamespace } from '../../../src/core/plan.ts';
import type { Config, Rule, SecretUse } from '../../../src/core/types.ts';
import {
  buildContext,
  buildDefaults,
  buildObserved,
  buildRequest,
  buildRule,
  buildScope,
  buildSecret,
  buildServiceAccount,
  patterns,
} from '../../support/builders.ts';

const DEFAULTS = buildDefaults();

const configOf = (...rules: readonly Rule[]): Config => ({ ...DEFAULTS, rules });
const everywhere = buildScope({ namespaces: patterns('*'), serviceAccounts: patterns('*') });
const resourceRule = (name: string, secret?: SecretUse): Rule =>
  buildRule({
    secretName: `tcr.ips${name}`,
    scope: everywhere,
    requests: [{ ...buildRequest(`image-pull-secret/${name}`, ['a.example']), secret }],
  });
const all = (...known: readonly KnownResource[]): KnownResources => ({ known, areAll: true });
const NOT_KNOWN: KnownResources = { known: [], areAll: false };
const resource = (name: string, rule: Rule | undefined = resourceRule(name)): KnownResource => ({ name, rule });

describe('the rules in force', () => {
  test('are those of both, the ConfigMap’s first', () => {
    const config = effectiveConfig(
      configOf(buildRule({ secretName: 'own' })),
      all(resource('a'), resource('b')),
      DEFAULTS,
    );
    expect(config?.rules.map(({ secretName }) => secretName)).toEqual(['own', 'tcr.ipsa', 'tcr.ipsb']);
    expect(config?.unknown).toMatchObject({ configMap: false, resources: false, secretNames: new Set() });
  });

  test('are those of the resources while there was never a good ConfigMap', () => {
    const config = effectiveConfig(undefined, all(resource('a')), DEFAULTS);
    expect(config).toMatchObject({ thresholdMs: 900_000, unknown: { configMap: true, resources: false } });
  });

  test('are not known with neither a good ConfigMap nor resources that can be read', () => {
    expect(effectiveConfig(undefined, NOT_KNOWN, DEFAULTS)).toBeUndefined();
  });

  test('are none when there was never a good ConfigMap and the last resource is gone: that is known', () => {
    const config = effectiveConfig(undefined, all(), DEFAULTS);
    expect(config).toMatchObject({ rules: [], unknown: { configMap: true, resources: false } });
  });

  test('leave a resource out that would publish the key of another', () => {
    const reference = { namespace: 'kube-system', name: 'key' };
    const keeper = buildRule({ requests: [{ ...buildRequest('tcr/x'), secret: { reference, published: false } }] });
    const thief = resourceRule('thief', { reference, published: true });
    const config = effectiveConfig(configOf(keeper), all(resource('thief', thief), resource('a')), DEFAULTS);
    expect(config?.rules.map(({ secretName }) => secretName)).toEqual([keeper.secretName, 'tcr.ipsa']);
    expect(config?.unknown?.secretNames).toEqual(new Set(['tcr.ipsthief']));
    expect(config?.unknown?.conflicts?.get('thief')?.message).toContain('kube-system/key');
    expect(config?.unknown?.conflicts?.size).toBe(1);
  });
});

describe('what the cluster holds of rules that are not known', () => {
  const KEPT: readonly [string, Config | undefined, KnownResources, readonly string[]][] = [
    ['goes when both are known', configOf(), all(), []],
    ['stays where it may be of the ConfigMap', undefined, all(resource('other')), ['own']],
    ['stays where it may be of the ConfigMap, also when the last resource is gone', undefined, all(), ['own']],
    ['stays where it may be of a resource', configOf(), NOT_KNOWN, ['tcr.ipsa', 'tcr.ipsb']],
    ['stays where its resource cannot be understood', configOf(), all({ name: 'a', rule: undefined }), ['tcr.ipsa']],
  ];
  test.each(KEPT)('%s', (_what, config, resources, kept) => {
    const names = ['own', 'tcr.ipsa', 'tcr.ipsb'];
    const account = buildServiceAccount({ imagePullSecrets: ['theirs', ...names], recorded: names });
    const observed = buildObserved({
      secrets: names.map((name) => buildSecret({}, { name })),
      serviceAccounts: [account],
    });
    const inForce = effectiveConfig(config, resources, DEFAULTS);
    const desired = desiredFor(
      { rules: [], ...(inForce?.unknown && { unknown: inForce.unknown }) },
      observed.namespace,
    );
    const { writes } = planNamespace(desired, new Map(), { ...buildContext(), observed });
    const gone = names.filter((name) => !kept.includes(name));
    const deleted = writes.flatMap((write) => (write.kind === 'delete-secret' ? [write.name] : []));
    expect(deleted.sort()).toEqual(gone);
    const patched = writes.flatMap((write) => (write.kind === 'patch-service-account' ? [write] : []));
    expect(patched.map(({ removed, imagePullSecrets }) => ({ removed, imagePullSecrets }))).toEqual([
      { removed: gone, imagePullSecrets: ['theirs', ...kept] },
    ]);
    expect(patched[0]?.recorded).toEqual(kept);
  });
});

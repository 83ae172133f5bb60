// What an item of provider `tcr` means, and everything that can be wrong with it.
import { describe, expect, test } from '@jest/globals';
import { NO_ITEM_DEFAULTS } from '../../../src/core/item-defaults.ts';
import type { Parsed } from '../../../src/core/types.ts';
import { instanceNames } from '../../../src/providers/tencent/instance-domains.ts';
import { parseTcrTarget, type TcrTarget } from '../../../src/providers/tencent/target.ts';
import { TARGET_DEFAULTS } from '../../support/provider-world.ts';

type Item = Readonly<Record<string, unknown>>;

const parse = (item: Item, region: string | undefined = 'ap-guangzhou'): Parsed<TcrTarget> =>
  parseTcrTarget(item, { ...TARGET_DEFAULTS, ...NO_ITEM_DEFAULTS, region });
const targetOf = (item: Item): TcrTarget => {
  const parsed = parse(item);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.value;
};
const issuesOf = (item: Item): readonly string[] =>
  parse(item).issues.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);

const ID = { registryId: 'tcr-fake0000' };
const ROLE = 'qcs::cam::uin/100000000001:roleName/puller';

describe('an item', () => {
  test('with an id alone is a temporary token of that instance, in the region of the ConfigMap, as whoever we are', () => {
    expect(parse(ID)).toEqual({
      ok: true,
      issues: [],
      value: {
        ...{ instance: { kind: 'id', registryId: 'tcr-fake0000' }, region: 'ap-guangzhou', domains: undefined },
        ...{ mode: 'temp', description: undefined, namespaces: [] },
        identity: { base: { kind: 'auto' }, assumedRole: undefined },
      },
    });
  });

  test.each<[string, Item, object]>([
    ['the vendor’s other names', { instanceId: 'tcr-a1', region: 'AP-Beijing' }, { region: 'ap-beijing' }],
    [
      'a mode in any case',
      { ...ID, tokenMode: 'LongTerm', description: 'ci' },
      { mode: 'longterm', description: 'ci' },
    ],
    [
      'namespaces of a robot, sorted, each once',
      { ...ID, tokenMode: 'robot', namespaces: 'b,a,b' },
      { mode: 'robot', namespaces: ['a', 'b'] },
    ],
    [
      'a Secret',
      { ...ID, apiKeySecretRef: { name: 'keys' } },
      {
        identity: {
          base: { kind: 'secret', secret: { namespace: 'kube-system', name: 'keys' } },
          assumedRole: undefined,
        },
      },
    ],
    ['a source', { ...ID, identity: 'CVMRole' }, { identity: { base: { kind: 'cvm-role' }, assumedRole: undefined } }],
    [
      'pod identity, where it differs from the environment',
      { ...ID, webIdentity: { providerId: 'cls-1', roleARN: ROLE, tokenFile: '/var/run/secrets/x/token' } },
      {
        identity: {
          base: {
            kind: 'web-identity',
            role: { providerId: 'cls-1', roleArn: ROLE, tokenFile: '/var/run/secrets/x/token' },
          },
          assumedRole: undefined,
        },
      },
    ],
    [
      'a role that is assumed last',
      { ...ID, identity: 'file', assumeRoleARN: ROLE, externalId: 'x-1', expireDuration: 3600 },
      {
        identity: {
          base: { kind: 'file' },
          assumedRole: { roleArn: ROLE, externalId: 'x-1', durationSeconds: 3_600 },
        },
      },
    ],
  ])('may say %s', (_name, item, expected) => {
    expect(parse(item)).toMatchObject({ ok: true, issues: [], value: expected });
  });

  test.each<[string, Item, RegExp]>([
    ['an id of Alibaba Cloud', { registryId: 'cri-abc' }, /error registryId: must be the id of one instance: `tcr-`/],
    ['an id under both names', { ...ID, instanceId: 'tcr-b' }, /error instanceId: means the same as registryId/],
    ['a region that is none', { ...ID, regionId: 'evil.example/' }, /error regionId: must be the id of a region/],
    ['an unknown mode', { ...ID, tokenMode: 'auto' }, /error tokenMode: must be `temp`, `longterm` or `robot`/],
    ['neither id nor domain', {}, /error registryId: is missing: write `registryId: tcr-…`, or in `domains`/],
    ['a domain of its own without an id', { domains: 'images.acme.example' }, /error registryId: is missing/],
    [
      'domains of two instances',
      { domains: 'acme.tencentcloudcr.com,other.tencentcloudcr.com' },
      /error domains: are of several instances/,
    ],
    [
      'what stays at the cloud, of an instance without an id',
      { domains: 'acme.tencentcloudcr.com', tokenMode: 'longterm' },
      /error registryId: .*needs the id/,
    ],
    ['a robot without namespaces', { ...ID, tokenMode: 'robot' }, /error namespaces: is missing/],
    ['a namespace that is none', { ...ID, tokenMode: 'robot', namespaces: '*' }, /error namespaces: must be names/],
    ['namespaces without a robot', { ...ID, namespaces: 'a' }, /warning namespaces: .*ignored/],
    ['a description of what is not left', { ...ID, description: 'x' }, /warning description: .*ignored/],
    [
      'a description that looks like our tag',
      { ...ID, tokenMode: 'longterm', description: 'x [y]' },
      /error description: .*brackets/,
    ],
    [
      'a description that is longer than the cloud takes',
      { ...ID, tokenMode: 'longterm', description: 'x'.repeat(256) },
      /error description: is longer than the 255 characters that the cloud takes: shorten it/,
    ],
    [
      'a token by an endless path',
      { ...ID, webIdentity: { tokenFile: `/var/run/secrets/${'x'.repeat(1_024)}` } },
      /error webIdentity.tokenFile: is longer than 1024 characters/,
    ],
    [
      'a Secret elsewhere',
      { ...ID, apiKeySecretRef: { name: 'x', namespace: 'other' } },
      /error apiKeySecretRef.namespace: may not be read/,
    ],
    [
      'two identities',
      { ...ID, apiKeySecretRef: { name: 'x' }, identity: 'file' },
      /warning identity: is ignored: `apiKeySecretRef`/,
    ],
    [
      'pod identity beside another one',
      { ...ID, identity: 'file', webIdentity: { providerId: 'x' } },
      /warning webIdentity: is ignored: `identity: file`/,
    ],
    ['an unknown identity', { ...ID, identity: 'rrsa' }, /error identity: must be one of `auto`, `webIdentity`/],
    [
      'a file that is no mounted token',
      { ...ID, webIdentity: { tokenFile: '/etc/passwd' } },
      /error webIdentity.tokenFile: must be the path/,
    ],
    [
      'a file by a detour',
      { ...ID, webIdentity: { tokenFile: '/var/run/secrets/../../etc/passwd' } },
      /error webIdentity.tokenFile/,
    ],
    [
      'a role of Alibaba Cloud',
      { ...ID, assumeRoleARN: 'acs:ram::1:role/x' },
      /error assumeRoleARN: must be the ARN of a role: `qcs::cam::/,
    ],
    [
      'a session that is too short',
      { ...ID, assumeRoleARN: ROLE, expireDuration: 60 },
      /error expireDuration: must be a number of seconds from 900 to 43200/,
    ],
    ['a session that is too long', { ...ID, assumeRoleARN: ROLE, expireDuration: '43201' }, /error expireDuration/],
    ['an external id without a role', { ...ID, externalId: 'x-1' }, /warning externalId: .*ignored/],
  ])('with %s is told so', (_name, item, expected) => {
    expect(issuesOf(item)).toEqual([expect.stringMatching(expected)]);
  });

  test('tells every problem at once', () => {
    const wrong = { registryId: 'x', regionId: '/', tokenMode: 'y', identity: 'z', domains: 'quay.tencentcloudcr.com' };
    expect(issuesOf(wrong).map((issue) => issue.split(':')[0])).toEqual([
      ...['error registryId', 'error regionId', 'error domains', 'error tokenMode', 'error identity'],
    ]);
  });
});

describe('a token file', () => {
  test.each([
    ['/var/run/secrets/kubernetes.io/serviceaccount/token'],
    ['/var/run/secrets/kubernetes.io/serviceaccount/..data/token'],
    ['/var/run/secrets/kubernetes.io//serviceaccount/token'],
    ['//var/run/secrets/./kubernetes.io/serviceaccount/token'],
    ['/var/run/secrets/./kubernetes.io/serviceaccount/token'],
    ['/var/run/secrets/x/../kubernetes.io/serviceaccount/token'],
    ['/etc/../var/run/secrets/kubernetes.io/serviceaccount/token'],
    ['/var/run/secrets/kubernetes.io/serviceaccount'],
  ])('%s is never sent to the cloud: it is the controller’s own', (tokenFile) => {
    expect(issuesOf({ ...ID, webIdentity: { tokenFile } })).toEqual([
      expect.stringMatching(/^error webIdentity.tokenFile: must not be below .*the controller’s own/),
    ]);
  });

  test('beside that folder is one like every other', () => {
    for (const tokenFile of ['/var/run/secrets/kubernetes.io/serviceaccount-tcr/token', '/var/run/secrets/tke/token']) {
      expect(targetOf({ ...ID, webIdentity: { tokenFile } }).identity.base).toMatchObject({ role: { tokenFile } });
    }
  });
});

describe('[tcr K9] a domain', () => {
  test.each([
    ['quay.tencentcloudcr.com'],
    ['nvcr.tencentcloudcr.com'],
    ['helmhub.tencentcloudcr.com:443'],
    ['HELMHUB.tencentcloudcr.com'],
    ['*.tencentcloudcr.com'],
    ['q*y.tencentcloudcr.com'],
    ['a.b.tencentcloudcr.com'],
    ['*.tencentcloudcr.*'],
    ['*.*.com'],
    ['*.tencentcloudc*.com'],
    ['nvcr.t*.com'],
    ['*.*.*'],
    ['*.*.com:443'],
    ['*.com.cn'],
    ['a*.co.uk:443'],
    ['images.*.example'],
    ['images.acme.ex*'],
    ['*'],
  ])('%s is no instance’s, with an id and without', (domain) => {
    for (const item of [{ domains: domain }, { ...ID, domains: domain }, { ...ID, domains: `a.example,${domain}` }]) {
      expect(parse(item).ok).toBe(false);
      expect(issuesOf(item)).toContainEqual(
        expect.stringMatching(/^error domains: is (a service of the vendor|no domain of an instance|too wide)/),
      );
    }
  });

  test('with a wildcard is served where the registered name is whole', () => {
    expect(targetOf({ ...ID, domains: '*.acme.example,quay*.acme.example,*.acme.com.cn' }).domains).toHaveLength(3);
  });

  test.each([['ccr.ccs.tencentyun.com'], ['hkccr.ccs.tencentyun.com']])(
    '%s of the Personal Edition is served by another provider, which is named',
    (domain) => {
      expect(issuesOf({ ...ID, domains: domain })).toEqual([
        expect.stringMatching(/^error domains: .*`provider: static`/),
      ]);
    },
  );
});

describe('[tcr K8] the names that an instance may have', () => {
  test.each<[readonly string[], readonly string[]]>([
    [['acme.tencentcloudcr.com'], ['acme']],
    [['acme-vpc.tencentcloudcr.com'], ['acme-vpc', 'acme']],
    [['acme.tencentcloudcr.com', 'acme-vpc.tencentcloudcr.com:443'], ['acme']],
    [['acme-vpc.tencentcloudcr.com', 'acme-vpc-vpc.tencentcloudcr.com'], ['acme-vpc']],
    [
      ['images.acme.example', 'acme-vpc.tencentcloudcr.com'],
      ['acme-vpc', 'acme'],
    ],
    [['acme.tencentcloudcr.com', 'other.tencentcloudcr.com'], []],
    [['acme.tencentcloudcr.com', 'acme-vpc-vpc.tencentcloudcr.com'], []],
    [['images.acme.example'], []],
    [['acme.tencentcloudcr.com.evil.example'], []],
  ])('of %j are %j', (domains, names) => {
    expect(instanceNames(domains)).toEqual(names);
  });

  test('are what an item without an id goes by', () => {
    expect(targetOf({ domains: 'acme-vpc.tencentcloudcr.com,images.acme.example' })).toMatchObject({
      instance: { kind: 'name', names: ['acme-vpc', 'acme'] },
      domains: ['acme-vpc.tencentcloudcr.com', 'images.acme.example'],
    });
  });
});

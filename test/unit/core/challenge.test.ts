// What the challenge of a registry tells: which instance stands behind a domain, also behind a custom one.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseChallenge, parseTencentChallenge } from '../../../src/core/challenge.ts';

const REALM = 'https://dockerauth.cn-hangzhou.aliyuncs.com/auth';
const challenge = (service: string): string => `Bearer realm="${REALM}",service="${service}"`;

describe('[acr D5] the challenge', () => {
  test.each([
    ['of an instance', 'registry.aliyuncs.com:cn-hangzhou:china:cri-abc123', 'cn-hangzhou', 'cri-abc123'],
    ['of one outside of China', 'registry.aliyuncs.com:ap-southeast-1:intl:cri-x', 'ap-southeast-1', 'cri-x'],
    ['of the Personal Edition', 'registry.aliyuncs.com:cn-beijing:26842', 'cn-beijing', undefined],
  ])('%s tells region and instance', (_name, service, region, instanceId) => {
    expect(parseChallenge(challenge(service))).toEqual({ realm: REALM, region, instanceId });
  });

  test('may have more fields, in any order', () => {
    const header = `bearer service="registry.aliyuncs.com:cn-hangzhou:china:cri-a", scope="x", realm="${REALM}"`;
    expect(parseChallenge(header)).toEqual({ realm: REALM, region: 'cn-hangzhou', instanceId: 'cri-a' });
  });

  test.each([
    '',
    'Basic realm="x"',
    challenge('registry.docker.io'),
    challenge('registry.aliyuncs.com:'),
    challenge('registry.aliyuncs.com:CN HANGZHOU:x'),
    `${challenge('registry.aliyuncs.com:cn-hangzhou:1')}${' '.repeat(2_000)}`,
  ])('%j is none of Alibaba Cloud', (header) => {
    expect(parseChallenge(header)).toBeUndefined();
  });

  test('is never a reason to throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseChallenge(`Bearer ${text}`)));
  });
});

describe('[tcr W10] the challenge of Tencent’s registries', () => {
  test.each([
    ['Enterprise Edition', 'https://acme-prod.tencentcloudcr.com/service/token', 'harbor-registry', 'enterprise'],
    ['Personal Edition', 'https://ccr.ccs.tencentyun.com/service/token', 'token-service', 'personal'],
  ])('of the %s tells it', (_name, realm, service, edition) => {
    expect(parseTencentChallenge(`Bearer realm="${realm}",service="${service}"`)).toEqual({ realm, edition });
  });

  test.each([
    '',
    'Basic realm="https://ccr.ccs.tencentyun.com/service/token"',
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    'Bearer realm="https://auth.example/token",service="token-service"',
    challenge('registry.aliyuncs.com:cn-beijing:26842'),
  ])('%j is none of them', (header) => {
    expect(parseTencentChallenge(header)).toBeUndefined();
  });
});

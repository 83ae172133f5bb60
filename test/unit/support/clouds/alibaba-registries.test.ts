import { describe, expect, test } from '@jest/globals';
import type { Instance } from '../../../support/clouds/alibaba-state.ts';
import { buildAlibabaState, buildRegistryService } from '../../../support/clouds/alibaba-state.ts';
import { findRegistry } from '../../../support/clouds/alibaba-registries.ts';

const INSTANCE: Instance = {
  ...{ instanceId: 'cri-1', instanceName: 'acme', regionId: 'cn-hangzhou', accountId: '1' },
  userDomains: ['images.acme.example', '127.0.0.1:5000'],
};
const ENTERPRISE = 'registry.aliyuncs.com:cn-hangzhou:china:cri-1';

describe('the registry behind a host', () => {
  test.each<[string, string | undefined]>([
    ['acme-registry.cn-hangzhou.cr.aliyuncs.com', ENTERPRISE],
    ['acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com:443', ENTERPRISE],
    ['images.acme.example', ENTERPRISE],
    ['127.0.0.1:5000', ENTERPRISE],
    ['127.0.0.1:5001', undefined],
    ['acme-registry.cn-beijing.cr.aliyuncs.com', undefined],
    ['other-registry.cn-hangzhou.cr.aliyuncs.com', undefined],
    ['registry.cn-beijing.aliyuncs.com', 'registry.aliyuncs.com:cn-beijing:26842'],
    ['registry-vpc.cn-beijing.aliyuncs.com', 'registry.aliyuncs.com:cn-beijing:26842'],
    ['registry-internal.cn-beijing.aliyuncs.com', 'registry.aliyuncs.com:cn-beijing:26842'],
    ['registry-intl-vpc.ap-southeast-1.aliyuncs.com', 'registry.aliyuncs.com:ap-southeast-1:26842'],
    ['crpi-abc123-vpc.cn-hangzhou.personal.cr.aliyuncs.com', 'registry.aliyuncs.com:cn-hangzhou:26842'],
    ['registry.cn-beijing.aliyuncs.com.evil.example', undefined],
  ])('%s is %s', (host, service) => {
    expect(serviceOf(INSTANCE, host)).toBe(service);
  });

  test.each<[string, Partial<Instance>, string]>([
    ['public', { internetEnabled: false }, 'acme-registry.cn-hangzhou.cr.aliyuncs.com'],
    ['custom', { internetEnabled: false }, 'images.acme.example'],
    ['VPC', { linkedVpcIds: [] }, 'acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com'],
  ])('is nobody’s when its %s endpoint is off', (_name, change, host) => {
    expect(serviceOf({ ...INSTANCE, ...change }, host)).toBeUndefined();
  });
});

function serviceOf(instance: Instance, host: string): string | undefined {
  const registry = findRegistry(buildAlibabaState({ instances: [instance] }), host);
  return registry === undefined ? undefined : buildRegistryService(registry);
}

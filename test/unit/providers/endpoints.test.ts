// Where the services of Alibaba Cloud are.
import { describe, expect, test } from '@jest/globals';
import { endpointsOf, type AlibabaService } from '../../../src/providers/alibaba/endpoints.ts';
import type { ServiceEndpoint } from '../../../src/providers/provider.ts';

describe('[acr X7] the hosts', () => {
  test.each<[AlibabaService, string, string | undefined, readonly string[]]>([
    ['cr', 'cn-hangzhou', undefined, ['cr.cn-hangzhou.aliyuncs.com']],
    ['cr', 'cn-hangzhou', 'cn-beijing', ['cr.cn-hangzhou.aliyuncs.com']],
    ['cr', 'cn-hangzhou', 'cn-hangzhou', ['cr-vpc.cn-hangzhou.aliyuncs.com', 'cr.cn-hangzhou.aliyuncs.com']],
    ['cr', 'cn-wulanchabu', 'cn-wulanchabu', ['cr.cn-wulanchabu.aliyuncs.com']],
    ['cr', 'cn-huhehaote', 'cn-huhehaote', ['cr.cn-huhehaote.aliyuncs.com']],
    ['cr', 'cn-heyuan', 'cn-heyuan', ['cr.cn-heyuan.aliyuncs.com']],
    ['cr', 'cn-zhengzhou-jva', undefined, ['cr.cn-zhengzhou-jva.aliyuncs.com']],
    ['sts', 'cn-hangzhou', undefined, ['sts.cn-hangzhou.aliyuncs.com']],
    ['sts', 'cn-hangzhou', 'cn-hangzhou', ['sts-vpc.cn-hangzhou.aliyuncs.com', 'sts.cn-hangzhou.aliyuncs.com']],
    ['sts', 'cn-hangzhou-finance', 'cn-hangzhou-finance', ['sts.aliyuncs.com']],
    ['sts', 'cn-shenzhen-finance-1', undefined, ['sts.aliyuncs.com']],
    ['sts', 'us-southeast-1', 'us-southeast-1', ['sts.aliyuncs.com']],
    ['sts', 'ap-south-1', undefined, ['sts.aliyuncs.com']],
    ['sts', 'ap-southeast-2', undefined, ['sts.aliyuncs.com']],
    ['sts', 'ap-southeast-1', undefined, ['sts.ap-southeast-1.aliyuncs.com']],
  ])('of %s for %s, seen from %s', (service, region, localRegion, hosts) => {
    const endpoints = endpointsOf(service, region, { endpoints: {}, localRegion });
    expect(endpoints).toEqual(hosts.map((host) => ({ scheme: 'https', address: host, host, ca: undefined })));
  });

  test.each<[string, ServiceEndpoint, object]>([
    [
      'a VPC address',
      { url: 'https://cr-vpc.{region}.aliyuncs.com' },
      { scheme: 'https', address: 'cr-vpc.cn-hangzhou.aliyuncs.com', host: 'cr-vpc.cn-hangzhou.aliyuncs.com' },
    ],
    [
      'another address for the same host',
      { url: 'http://127.0.0.1:8443', host: 'cr.{region}.aliyuncs.com', ca: 'PEM' },
      { scheme: 'http', address: '127.0.0.1:8443', host: 'cr.cn-hangzhou.aliyuncs.com', ca: 'PEM' },
    ],
  ])('are those that the process is told, alone: %s', (_name, cr, expected) => {
    const endpoints = endpointsOf('cr', 'cn-hangzhou', { endpoints: { alibaba: { cr } }, localRegion: 'cn-hangzhou' });
    expect(endpoints).toMatchObject([expected]);
  });
});

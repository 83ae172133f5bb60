// What Alibaba's guides and users' files print for the add-on's configuration: acr.md sections 2 to 5, malformed ones included.

/** A malformed text of one key, and its well-formed twin. */
export interface MalformedSample {
  /** As in acr.md section 5. */
  readonly id: string;
  readonly what: string;
  readonly key: string;
  readonly text: string;
  readonly line: number;
  /** The same, well-formed; secrets stand as `********`. */
  readonly twin: string;
}

/** Keys of an account as samples show them: obviously fake, of the form of real ones. */
export const FAKE_KEY_ID = 'LTAI5tFakeN0tRea1Key0001';
export const FAKE_KEY_SECRET = 'F4keN0tRea1Va1ueF4keN0tRea1Va1';

const TWIN_F1 = `- instanceId: "cri-xxx"
  regionId: "cn-hangzhou"
  domains: "xxx.com,yyy.com"
`;

/** Samples that are refused, with the corrected text. */
export const REFUSED_SAMPLES: readonly MalformedSample[] = [
  {
    id: 'F1',
    what: 'two quoted texts after `domains`, with the spaces of the guide',
    key: 'acr-registry-info',
    text: `      
      - instanceId: "cri-xxx"
        regionId: "cn-hangzhou"         
        domains: "xxx.com","yyy.com"
`,
    line: 4,
    twin: TWIN_F1,
  },
  {
    id: 'F1',
    what: 'the same for the Personal Edition, single quotes and spaces',
    key: 'acr-registry-info',
    text: `- instanceId: ""\n  regionId: cn-hangzhou\n  domains: 'xxx.com' , 'yyy.com'  ,'zzz.com'`,
    line: 3,
    twin: `- {instanceId: "", regionId: cn-hangzhou, domains: "xxx.com,yyy.com,zzz.com"}`,
  },
  {
    id: 'F2',
    what: 'a second field further to the right',
    key: 'acr-registry-info',
    text: `- instanceId: ""\n    regionId: "cn-hangzhou"`,
    line: 2,
    twin: `- instanceId: ""\n  regionId: "cn-hangzhou"`,
  },
  {
    id: 'F2',
    what: 'the same in the second of two items, and a field after it',
    key: 'acr-registry-info',
    text: `- instanceId: cri-a\n  regionId: cn-beijing\n- instanceId: cri-b\n     regionId: cn-hangzhou\n     domains: a.example`,
    line: 4,
    twin: `[{instanceId: cri-a, regionId: cn-beijing}, {instanceId: cri-b, regionId: cn-hangzhou, domains: a.example}]`,
  },
  {
    id: 'F3',
    what: 'a comment that begins with //',
    key: 'acr-registry-info',
    text: `- instanceId: "cri-xxx"\n  regionId: "cn-hangzhou"\n  customAccessKey: "${FAKE_KEY_ID}" // the id\n  customAccessKeySecret: "${FAKE_KEY_SECRET}" // the secret\n`,
    line: 3,
    twin: `- {instanceId: cri-xxx, regionId: cn-hangzhou, customAccessKey: "********", customAccessKeySecret: "********"}`,
  },
  {
    id: 'F6',
    what: 'a deeper second key',
    key: 'rrsa',
    text: `enable: true\n  failure-policy: Ignore`,
    line: 2,
    twin: `enable: true\nfailure-policy: Ignore`,
  },
  {
    id: 'F11',
    what: 'everything in one line',
    key: 'acr-registry-info',
    text: `- instanceId: <cri-instanceId> regionId: "cn-hangzhou" domains: "xxx.com,yyy.com"`,
    line: 1,
    twin: `- instanceId: <cri-instanceId>\n  regionId: "cn-hangzhou"\n  domains: "xxx.com,yyy.com"`,
  },
  {
    id: 'F11',
    what: 'everything in one line, with the domains of F1 and the comment of F3, beside an item of F2',
    key: 'acr-registry-info',
    text: `- instanceId: "cri-a" regionId: cn-hangzhou domains: "a.example", "b.example" // mine\n- instanceId: ""\n      regionId: cn-beijing`,
    line: 1,
    twin: `[{instanceId: cri-a, regionId: cn-hangzhou, domains: "a.example,b.example"}, {instanceId: "", regionId: cn-beijing}]`,
  },
];

/** Manifests of the guide for self-managed clusters (002), as they are printed there: F2 and F4. */
export const GUIDE_MANIFESTS = {
  enterprise: `apiVersion: v1
data:
  acr-api-version: "2018-12-01"
  acr-registry-info: |-
    - instanceId: "cri-xxx"
      regionId: "cn-hangzhou"
  expiring-threshold: 15m
  service-account: default
  watch-namespace: all
kind: ConfigMap
metadata:
 name: acr-configuration
  namespace: kube-system
 selfLink: /api/v1/namespaces/kube-system/configmaps/acr-configuration
`,
  personal: `apiVersion: v1
data:
  acr-api-version: "2018-12-01"
  acr-registry-info: |-
    - instanceId: ""
        regionId: "cn-hangzhou"
  expiring-threshold: 15m
  service-account: default
  watch-namespace: all
kind: ConfigMap
metadata:
 name: acr-configuration
 namespace: kube-system
 selfLink: /api/v1/namespaces/kube-system/configmaps/acr-configuration
`,
  /** Guide 002, scenario 1: only a fragment. */
  fragment: `data:    
    service-account: "default"    
    watch-namespace: "all"    
    expiring-threshold: "15m"    
    notify-email: "cs@aliyuncs.com"    
    acr-registry-info: |      
      - instanceId: "cri-xxx"
        regionId: "cn-hangzhou"         
        domains: "xxx.com","yyy.com"
`,
  crossRegion: `data:
    service-account: "default"
    watch-namespace: "all"
    expiring-threshold: "15m"
    notify-email: "cs@aliyuncs.com"
    acr-registry-info: |
      - instanceId: ""
        regionId: cn-beijing
      - instanceId: ""
        regionId: cn-hangzhou
`,
} as const;

/** A configuration that has every documented field. */
export const FULL_SAMPLE: Readonly<Record<string, string>> = {
  'service-account': 'default,builder',
  'watch-namespace': 'shop,billing',
  'expiring-threshold': '15m',
  'acr-api-version': '2018-12-01',
  rrsa: 'enable: true\n',
  'acr-registry-info': `- instanceId: cri-aaaa0000bbbb1111
  regionId: cn-hangzhou
  domains: "acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com,images.acme.example"
- instanceId: cri-cccc2222dddd3333
  regionId: ap-southeast-1
  rrsaRoleARN: acs:ram::1000000000000001:role/acr-a
  rrsaOIDCProviderRoleARN: acs:ram::1000000000000001:oidc-provider/ack-rrsa-c0ffee
  assumeRoleARN: acs:ram::2000000000000002:role/acr-b
  expireDuration: 3600
- instanceId: ""
  regionId: cn-beijing
`,
};

/** The managed edition's document, as its API takes it. */
export const MANAGED_DOCUMENT = {
  AcrInstanceInfo: [
    { instanceId: 'cri-aaaa0000bbbb1111', regionId: 'cn-hangzhou', domains: 'images.acme.example' },
    {
      instanceId: 'cri-cccc2222dddd3333',
      regionId: 'ap-southeast-1',
      assumeRoleARN: 'acs:ram::2000000000000002:role/acr-b',
      expireDuration: '3600',
      rrsaRoleARN: 'acs:ram::1000000000000001:role/acr-a',
      rrsaOIDCProviderRoleARN: 'acs:ram::1000000000000001:oidc-provider/ack-rrsa-c0ffee',
    },
  ],
  enableRRSA: true,
  expiringThreshold: '15m',
  serviceAccount: 'default',
  watchNamespace: 'all',
  notifyEmail: 'cs@aliyuncs.com',
} as const;

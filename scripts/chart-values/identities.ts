// Values about how the controller shows itself to clouds, and how it gets there.
import { NAMESPACE, OPTIONAL_NAME, OPTIONAL_PLACE } from './schemas.ts';
import { flag, list, section, text, value, type Members } from './shape.ts';

/** Identities and the way to clouds. */
export const IDENTITIES: Members = {
  rrsa: section('RRSA of Alibaba Cloud.', {
    enabled: flag(
      'Mounts a token of the controller’s own ServiceAccount, for trust policies that name that one. Not needed with `config.rrsa-service-account`, nor for any other identity. The key `rrsa` of the configuration switches RRSA itself on.',
      false,
    ),
    roleArn: text(
      'ARN of the role, for items that name none with `rrsaRoleARN`; empty = every item names its own.',
      '',
      {
        pattern: '^(acs:ram::[0-9]{1,20}:role/[A-Za-z0-9_.@/-]{1,128})?$',
      },
    ),
    oidcProviderArn: text(
      'ARN of the cluster’s OIDC provider, for items that name none with `rrsaOIDCProviderRoleARN`; empty = every item names it.',
      '',
      { pattern: '^(acs:ram::[0-9]{1,20}:oidc-provider/[A-Za-z0-9_.@/-]{1,128})?$' },
    ),
    tokenServiceAccount: text(
      'ServiceAccount, `namespace/name`, whose tokens the controller may ask for: say here the one that an edit of the configuration may name. Empty = that of `config.rrsa-service-account`; not given either, `kube-system/aliyun-acr-credential-helper` where the values switch RRSA on, or `config.existingConfigMap` may, and `rrsa.enabled` is off, else none.',
      '',
      OPTIONAL_PLACE,
    ),
  }),
  tke: section('Pod identity of TKE, where its webhook does not serve the namespace.', {
    enabled: flag('Mounts a token of the controller’s own ServiceAccount for Tencent Cloud.', false),
    providerId: text('Name of the OIDC provider in CAM: the id of the cluster, `cls-…`.'),
    roleArn: text('The role: `qcs::cam::uin/…:roleName/…`.', '', { pattern: '^(qcs::cam::.+)?$' }),
    region: text('Where STS is asked; empty = `global.cluster.longregion`.'),
    audience: text('Audience of the token.', 'sts.cloud.tencent.com', { minLength: 1 }),
  }),
  allowSecretNamespaces: list(
    'Further namespaces that Secret references in the configuration may name, besides that of the release.',
    NAMESPACE,
  ),
  proxy: section(
    'The way to clouds through a proxy. The API server and metadata services are never asked through it.',
    {
      http: text('For `http://`: a URL.', '', { pattern: '^(https?://.+)?$' }),
      https: text('For `https://`: a URL.', '', { pattern: '^(https?://.+)?$' }),
      noProxy: list('Hosts that are asked directly: `registry.example.com`, `.example.com`, addresses.', {
        type: 'string',
        minLength: 1,
      }),
    },
  ),
  extraCa: section('Further certificate authorities that are trusted, such as that of a proxy.', {
    secretName: text('Secret that holds them.', '', OPTIONAL_NAME),
    configMapName: text('Or ConfigMap.', '', OPTIONAL_NAME),
    key: value('Key with the certificates, PEM.', 'ca.crt', { type: 'string', minLength: 1 }),
  }),
};

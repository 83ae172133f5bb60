// Values that say which registries, which namespaces and which ServiceAccounts: the keys of the ConfigMap under their own names.
import { CONFIG_NAMES } from './installation.ts';
import { OPTIONAL_NAMESPACE } from './schemas.ts';
import { section, text, value, type Members, type Schema, type Value } from './shape.ts';

const REGISTRIES: Schema = { type: ['string', 'array'], items: { type: 'object' } };
const NAMES: Schema = { type: ['string', 'array'], minItems: 1, items: { type: 'string' } };
// No text as a default: Helm warns where a map takes its place.
const MAP: Schema = { type: ['string', 'object', 'null'] };

const registries = (about: string): Value => value(about, '', REGISTRIES);
// null = the key is not given, whatever the default.
const names = (about: string, fallback = ''): Value => ({ ...value(about, fallback, NAMES), missing: '' });

/** The configuration: every key of docs/configuration.md in its exact name. */
export const CONFIGURATION: Members = {
  config: section(
    'The configuration. It becomes the ConfigMap `config.name` where there is none; what you edit there by hand stays, and what you did not edit follows these values. An empty text, or null = the key is not given.',
    {
      ...CONFIG_NAMES,
      namespace: text('Namespace of the ConfigMap; empty = that of the release.', '', OPTIONAL_NAMESPACE),
      'registry-info': registries(
        'Registries: a list of items, each with its `provider`, or the same as text. `[]` = none: everything that was written is removed.',
      ),
      'acr-registry-info': registries('The same in the grammar of Alibaba’s add-on.'),
      'tcr-registry-info': registries('The same for Tencent’s registries.'),
      'watch-namespace': names(
        'Namespaces in scope: a list of names and patterns, `all`, or the same as text. Not given = `default`.',
      ),
      'watch-namespace-selector': text('Further namespaces in scope, by label selector.'),
      'exclude-namespace': names(
        'Namespaces that `all`, patterns and selectors do not reach.',
        'kube-system,kube-public,kube-node-lease',
      ),
      'service-account': names('ServiceAccounts that get the reference: names, patterns, `*`. Not given = `default`.'),
      'service-account-selector': text('Further ServiceAccounts, by label selector.'),
      'expiring-threshold': text('Renew when less than this is left, such as `15m`, which it is when not given.'),
      region: text('The local region, for items that name none. Not given = `global.cluster.longregion`.'),
      'secret-name': text('Secret of `registry-info` in each namespace. Not given = `registry-credentials`.'),
      'acr-secret-name': text(
        'Secret of `acr-registry-info` in each namespace. Not given = `acr-credential-secret-aggregation`.',
      ),
      'adopt-existing': value('Which Secrets that were there before may be taken over. Not given = `vendor`.', '', {
        type: 'string',
        enum: ['', 'vendor', 'all', 'none'],
      }),
      'managed-secret-labels': value('Further labels on Secrets: a map, or the same as text.', null, MAP),
      'notify-email': text('Written as `email` into every entry.'),
      rrsa: value('`{enable: true}` turns the RRSA fields of items on; also as text.', null, MAP),
      'rrsa-service-account': text(
        '`namespace/name` of the ServiceAccount whose token RRSA shows to the cloud: `kube-system/aliyun-acr-credential-helper` fits the trust policies of Alibaba’s guides. Not given = the controller’s own.',
      ),
      tokenMode: text(
        'Role of the cluster for `acr` items without an identity: `auto`, `managedRole` or `workerRole`. Not given = `auto`.',
      ),
      'webhook-configuration': value(
        'Switches the admission webhook for ServiceAccounts: `{enable: true, failure-policy: Ignore, timeout-seconds: 3}`; also as text.',
        null,
        MAP,
      ),
      'acr-registry': text('The older list of domains of the Personal Edition.'),
      'acr-api-version': text('Of Alibaba’s add-on; selects nothing.'),
    },
  ),
};

// Values in the forms of the add-ons that this one replaces: unchanged, so that what people have goes on working.
import { OPTIONAL_NAME, strictMap } from './schemas.ts';
import { list, openSection, section, text, value, type Members, type Schema } from './shape.ts';

const TEXT: Schema = { type: 'string' };

/** The form of Alibaba's managed edition (acr.md section 4). */
export const MANAGED_FORM: Members = {
  AcrInstanceInfo: list('The same as `config.acr-registry-info`, as a list.', {
    type: 'object',
    // Names of fields count in any case.
    additionalProperties: { type: ['string', 'integer', 'boolean', 'null'] },
  }),
  enableRRSA: value('`true` is `config.rrsa: {enable: true}`. null = not given.', null, {
    type: ['boolean', 'null'],
  }),
  expiringThreshold: text('The same as `config.expiring-threshold`.'),
  serviceAccount: text('The same as `config.service-account`; the controller’s own is `podServiceAccount`.'),
  watchNamespace: text('The same as `config.watch-namespace`.'),
  notifyEmail: text('The same as `config.notify-email`.'),
};

const FLAT: Readonly<Record<string, Schema>> = {
  name: { ...TEXT, minLength: 1 },
  namespaces: TEXT,
  serviceAccounts: TEXT,
  type: { ...TEXT, enum: ['docker'] },
  dockerServer: TEXT,
  dockerUsername: TEXT,
  dockerPassword: TEXT,
};

const HOST: Readonly<Record<string, Schema>> = { domain: TEXT, ip: TEXT, disabled: { type: 'boolean' } };

/** An item of `hosts.items`. */
export const HOST_ITEM: Schema = strictMap(HOST, ['domain']);

/** The form of Tencent's add-on (tcr.md section 7), what a parent chart says for all its charts, and declared resources. */
export const GLOBAL: Members = {
  global: openSection('What Helm gives to every subchart. Members that are not listed here are ignored.', {
    imageRegistry: text('Registry of every image, also with a path: `mirror.example.com/quay`.'),
    imagePullSecretsCrs: list('The same as `imagePullSecrets`, in the form of Tencent’s add-on.', {
      type: 'object',
      required: ['name'],
      properties: FLAT,
    }),
    hosts: list('The same as `hosts.items`, in the form of Tencent’s add-on.', {
      type: 'object',
      required: ['domain'],
      properties: HOST,
    }),
    cluster: openSection('What TKE says of the cluster.', {
      region: text('Short name of the region; read by nobody here.'),
      longregion: text('Region, such as `ap-guangzhou`: that of `config.region` where that is not given.'),
    }),
  }),
};

/** Declared resources. */
export const DECLARED: Members = {
  imagePullSecrets: list(
    '`ImagePullSecret` resources that the controller makes and keeps, each with `name` and `spec`, or in the form of Tencent’s add-on. They go into a Secret. With what the Pods of this chart are pulled says `image.pullSecrets`.',
    strictMap({ ...FLAT, spec: { type: 'object' } }, ['name']),
  ),
  declaredResources: section('Where the list of such resources is.', {
    existingSecret: text(
      'Name of a Secret of yours with the list, in the place of the lists here: so that passwords do not stand in values.',
      '',
      OPTIONAL_NAME,
    ),
  }),
};

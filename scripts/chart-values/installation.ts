// Values about what is installed, and under which names.
import { OBJECT_NAME, OPTIONAL_NAME, REFERENCE, TEXTS } from './schemas.ts';
import { choice, flag, integer, list, section, text, value, type Members } from './shape.ts';

/** Image, replicas, instance. */
export const INSTALLATION: Members = {
  image: section('The one image of all Pods.', {
    registry: text(
      'Host of the registry, also with a path, without `https://`; `global.imageRegistry` takes its place. Empty = none.',
    ),
    repository: text(
      'Where the image is in that registry. None is published yet: build it from the Dockerfile of this project.',
      'registry-credential-helper',
      { minLength: 1 },
    ),
    tag: text('Tag; empty = the appVersion of this chart.', '', {
      pattern: '^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$',
    }),
    digest: text('Digest, `sha256:…`; when set, the tag does not count.', '', { pattern: '^(sha256:[0-9a-f]{64})?$' }),
    pullPolicy: choice('When nodes pull it.', 'IfNotPresent', ['IfNotPresent', 'Always', 'Never']),
    pullSecrets: list(
      'Secrets of the release’s namespace to pull this image with: `[{name: my-registry}]`.',
      REFERENCE,
    ),
  }),
  replicas: integer('Pods of the controller. One writes, the others follow and take over when it is gone.', 2, 0),
  instance: text(
    'Label value that tells several installations in one cluster apart. Another installation needs another one.',
    'default',
    { pattern: '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$' },
  ),
  namespaces: value(
    'The only namespaces that are served, by name; they must be there. Empty = every namespace. With them the controller has rights on Secrets and ServiceAccounts in these alone, and in its own.',
    [],
    { type: 'array', uniqueItems: true, items: { type: 'string', pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' } },
  ),
};

/** Names, labels, ServiceAccount, rights. */
export const NAMES: Members = {
  nameOverride: text('In the place of the chart’s name in names and labels.', '', {
    pattern: '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$',
  }),
  fullnameOverride: text('In the place of the release’s and the chart’s name in the names of objects.', '', {
    pattern: '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$',
  }),
  commonLabels: value(
    'Labels on every object and Pod, and, by `config.managed-secret-labels`, on the Secrets that the controller writes.',
    {},
    TEXTS,
  ),
  commonAnnotations: value('Annotations on every object of the chart.', {}, TEXTS),
  podServiceAccount: section('The ServiceAccount of the controller’s Pods.', {
    create: flag('`false` = it is there already: then say its `name`.', true),
    name: text('Its name; empty = that of the other objects.', '', OPTIONAL_NAME),
    annotations: value('Annotations, such as those that an injector of cloud identities reads.', {}, TEXTS),
  }),
  rbac: section('Rights.', {
    create: flag(
      '`false` = somebody else grants what `docs/rbac.yaml` lists, with a ClusterRole of the objects’ name that owns the webhook.',
      true,
    ),
    takeOver: flag(
      'Looks whether Alibaba’s add-on runs, and stands down while it does: list and watch of its Deployment in kube-system; with `namespaces` also of the three Secrets there that hold its keys; with `config.existingConfigMap` also tokens of its ServiceAccount. `false` = no right there, where that add-on never was.',
      true,
    ),
  }),
  crds: section('The definition of `ImagePullSecret` resources.', {
    install: flag(
      '`false` = use the one that is there, such as that of Tencent’s add-on, as it is; without one there are no such resources.',
      true,
    ),
    keep: flag('Keep it, and with it every such resource, when the release is uninstalled.', true),
  }),
};

/** What `config` needs of names. */
export const CONFIG_NAMES: Members = {
  existingConfigMap: text(
    'Name of a ConfigMap that is yours, or a vendor’s, and that the controller only reads: `acr-configuration` of kube-system for a take-over. Give no key of the configuration beside it, nor a `name`: such values would do nothing, and are refused.',
    '',
    OPTIONAL_NAME,
  ),
  name: text(
    'Name of the ConfigMap that the controller makes from the keys below where there is none, and that people edit.',
    'acr-configuration',
    OBJECT_NAME,
  ),
};

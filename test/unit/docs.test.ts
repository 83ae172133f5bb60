// The documentation says what the program does: no key, reason, right, metric or flag more, and none less.
import { accessSync, constants as modes, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load, loadAll } from 'js-yaml';
import { flagsHelp } from '../../src/cmd/flags.ts';
import { EVENT_REASONS } from '../../src/controller/report.ts';
import { LEFT_BEHIND } from '../../src/controller/tell-left-behind.ts';
import { CONFIG_DEFAULTS, CONFIG_KEYS, parseConfig } from '../../src/core/config.ts';
import { foldName } from '../../src/core/fields.ts';
import { NO_ITEM_DEFAULTS } from '../../src/core/item-defaults.ts';
import { HOSTS_KEY, parseHostsItems } from '../../src/core/hosts-items.ts';
import { equalKey, MANAGED_NAMES } from '../../src/core/managed-form.ts';
import * as names from '../../src/core/names.ts';
import { ITEM_FIELDS } from '../../src/core/registry-items.ts';
import { createItemParser } from '../../src/credentials/requests.ts';
import { NAMESPACED_PERMISSIONS, REQUIRED_PERMISSIONS, type PermissionScope } from '../../src/kube/permissions.ts';
import { HOSTS_FAILURES } from '../../src/hosts/failure.ts';
import { ALIBABA_VARIABLES } from '../../src/providers/alibaba/environment.ts';
import { createProviders, IDENTITY_VARIABLES } from '../../src/providers/table.ts';
import { TENCENT_VARIABLES } from '../../src/providers/tencent/environment.ts';
import { ADMISSION_OUTCOMES } from '../../src/webhook/handlers.ts';
import { controllerText, hostsText } from '../support/exposed-metrics.ts';
import { codeBlocks, documentationPages, inlineCode, localLinks, tableUnder } from '../support/markdown.ts';
import { TARGET_DEFAULTS } from '../support/provider-world.ts';

const pages = documentationPages();
const providers = createProviders();
const defaults = TARGET_DEFAULTS;
const parse = (data: Readonly<Record<string, string>>) =>
  parseConfig(data, {
    parseItem: createItemParser(providers, defaults),
    providers: [...providers.keys()],
    namespace: defaults.namespace,
  });
const sorted = (texts: Iterable<string>): readonly string[] => [...new Set(texts)].sort();

describe('docs/configuration.md', () => {
  const PAGE = 'docs/configuration.md';
  const text = readFileSync(PAGE, 'utf8');

  test('lists exactly the keys of the ConfigMap, with their defaults', () => {
    const rows = tableUnder(PAGE, 'Keys').map(([key = '', value = '']) => [inlineCode(key)[0], inlineCode(value)[0]]);
    expect(sorted(rows.map(([key = '']) => key))).toEqual(sorted(CONFIG_KEYS));
    for (const [key = '', value = ''] of rows) {
      expect([key, value]).toEqual([key, (CONFIG_DEFAULTS as Readonly<Record<string, string>>)[key] ?? '']);
    }
  });

  test('names the vendor’s keys that nobody needs', () => {
    const [, silent = ''] = /\n((?:`[^`]+`(?: and |, )?)+) are read by nobody/.exec(text) ?? [];
    const issuesOf = (key: string) => parse({ 'registry-info': '[]', [key]: 'x' }).issues;
    for (const key of inlineCode(silent)) expect(issuesOf(key)).toEqual([]);
    expect(inlineCode(silent)).toHaveLength(2);
  });

  test('lists exactly the names of the managed edition, each with the key that it means', () => {
    const rows = tableUnder(PAGE, "The forms of Alibaba's add-on").map((cells) =>
      cells.map((cell) => inlineCode(cell)[0]),
    );
    const known = CONFIG_KEYS.flatMap((key) => MANAGED_NAMES.get(key) ?? []);
    expect(sorted(rows.map(([name = '']) => name))).toEqual(sorted(known));
    for (const [name = '', key] of rows) expect([name, equalKey(name)]).toEqual([name, key]);
  });

  test.each([...providers])('lists exactly the fields of the provider %s', (name, provider) => {
    const documented = tableUnder(PAGE, 'Items').flatMap(([fields = '', owner = '']) =>
      inlineCode(owner).includes(name) ? inlineCode(fields) : [],
    );
    // The message about a field that nobody could have meant names all that are known.
    const { issues } = provider.parseTarget({ qqqqqqqqqqqqqqqqqqqq: 1 }, { ...defaults, ...NO_ITEM_DEFAULTS });
    const known = /known are (.*)$/.exec(issues.map(({ message }) => message).join('\n'))?.[1]?.split(', ') ?? [];
    expect(sorted(documented)).toEqual(sorted(known));
  });

  test('lists exactly the fields that every item may have', () => {
    const documented = tableUnder(PAGE, 'Items').flatMap(([fields = '', owner = '']) =>
      owner === 'all' || owner === '`registry-info`' ? inlineCode(fields) : [],
    );
    expect(sorted(documented.map(foldName))).toEqual(sorted(ITEM_FIELDS.map(foldName)));
  });

  test('lists exactly the labels and annotations that are written or read', () => {
    const written = tableUnder(PAGE, 'Labels and annotations').flatMap(([, cell = '']) =>
      inlineCode(cell).map((code) => (code.split(': ')[0] ?? '').split('=')[0] ?? ''),
    );
    const documented = written.flatMap((code) => /^[a-z.-]+\/[\w.<>-]+$/.exec(code)?.[0] ?? []);
    const constants = Object.values(names).flatMap((value) => (typeof value === 'string' ? [value] : []));
    const known = [
      ...constants.filter((value: string) => value.includes('/') && value !== names.SECRET_TYPE),
      ...[names.referencesAnnotation('<instance>'), names.valuesAnnotation('<instance>'), `${names.DOMAIN}/state`],
      ...Object.keys(names.GITOPS_ANNOTATIONS),
    ];
    expect(sorted(documented)).toEqual(sorted(known));
  });
});

describe('docs/reasons.md', () => {
  const reasonsUnder = (heading: string): readonly string[] =>
    sorted(tableUnder('docs/reasons.md', heading).flatMap(([cell = '']) => inlineCode(cell)));
  /** Members of a union of texts, from its source: types are gone at run time. */
  const union = (file: string, name: string): readonly string[] => {
    const source = readFileSync(file, 'utf8').replace(/\/\*\*.*?\*\//gs, '');
    const body = new RegExp(`export type ${name} =([^;]*);`).exec(source)?.[1] ?? '';
    return [...body.matchAll(/'(\w+)'/g)].map(([, member = '']) => member);
  };

  test.each([
    [
      'Why something is written',
      [
        ...union('src/core/plan-types.ts', 'WriteReason'),
        ...union('src/core/plan-declared.ts', 'DeclarationReason'),
        ...union('src/core/plan-values.ts', 'ValuesReason'),
      ],
    ],
    [
      'Why something is left alone',
      [...union('src/core/plan-types.ts', 'SkipReason'), ...union('src/core/plan-values.ts', 'ValuesSkipReason')],
    ],
    ['Why a credential cannot be obtained', [...union('src/core/errors.ts', 'FailureReason'), 'CredentialPending']],
    ['Answers of the webhook', ADMISSION_OUTCOMES],
    ['Events', [...EVENT_REASONS, LEFT_BEHIND]],
  ])('%s: lists exactly the reasons that there are', (heading, reasons) => {
    expect(reasons.length).toBeGreaterThan(3);
    expect(reasonsUnder(heading)).toEqual(sorted(reasons));
  });
});

test.each([
  ['docs/identities-alibaba.md', ALIBABA_VARIABLES],
  ['docs/identities-tencent.md', TENCENT_VARIABLES],
])('%s names every environment variable that identities read', (page, variables) => {
  const named = inlineCode(readFileSync(page, 'utf8'));
  expect(variables.filter((name) => !named.some((code) => code.split('=')[0] === name))).toEqual([]);
});

test('providers name no environment variable that the process does not read for them', () => {
  const sources = readdirSync('src/providers', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const named = sources.flatMap((name) =>
    [
      ...readFileSync(path.join('src/providers', name), 'utf8').matchAll(
        /\b(?:ALIBABA_CLOUD|TENCENTCLOUD|TKE)_[A-Z\d_]+/g,
      ),
    ].map(([variable]) => variable),
  );
  expect(sorted(named)).toEqual(sorted(IDENTITY_VARIABLES).filter((name) => name !== 'HOME'));
});

describe('docs/hosts-updater.md', () => {
  test('explains exactly the reasons for which a hosts file cannot be kept', () => {
    const explained = tableUnder('docs/hosts-updater.md', 'When it cannot').flatMap(([cell = '']) => inlineCode(cell));
    expect(sorted(explained)).toEqual(sorted(HOSTS_FAILURES));
  });
});

describe('docs/rbac.yaml and docs/rbac.md', () => {
  type Rules = readonly { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
  const objects = loadAll(readFileSync('docs/rbac.yaml', 'utf8')) as {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly labels?: object };
    readonly roleRef?: { readonly name: string };
    readonly rules?: Rules;
  }[];
  const bound = objects.flatMap(({ roleRef }) => roleRef?.name ?? []);
  const isForPeople = ({ kind, metadata }: (typeof objects)[number]) =>
    kind.endsWith('Role') && !bound.includes(metadata.name);
  const granted = objects
    .filter((object) => !isForPeople(object))
    .flatMap(({ kind, rules = [] }) =>
      rules.flatMap(({ apiGroups, resources, verbs, resourceNames = ['any'] }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            verbs.flatMap((verb) => resourceNames.map((name) => [kind, group, resource, verb, name].join(' '))),
          ),
        ),
      ),
    );

  test('grant exactly the rights that the program asks about at its start', () => {
    const needed = REQUIRED_PERMISSIONS.flatMap(
      ({ scope, group, resource, subresource, verb, resourceNames = ['any'] }) => {
        const what = subresource === undefined ? resource : `${resource}/${subresource}`;
        const kind = scope === 'cluster' ? 'ClusterRole' : 'Role';
        return resourceNames.map((name) => [kind, group, what, verb, name].join(' '));
      },
    );
    expect(sorted(granted)).toEqual(sorted(needed));
  });

  test('roles for people are about resources alone, and do not aggregate to those that many have', () => {
    const roles = objects.filter(isForPeople);
    expect(roles.map(({ metadata }) => metadata.name)).toEqual([
      'registry-credential-helper-resources-view',
      'registry-credential-helper-resources-edit',
    ]);
    for (const { metadata, rules = [] } of roles) {
      expect(metadata.labels).toBeUndefined();
      expect(rules).toMatchObject([{ apiGroups: ['tcr.tencentcloudcr.com'], resources: ['imagepullsecrets'] }]);
      expect(readFileSync('docs/rbac.md', 'utf8')).toContain(`\`${metadata.name}\``);
    }
  });

  test('explain each of them', () => {
    const explained = tableUnder('docs/rbac.md', 'Rights').flatMap(([right = '']) => {
      const [, resource = '', verbs = '', own] =
        /^`([\w/]+)`: ([a-z, ]+?)(, (?:of one name )?in (?:our namespace|its namespace|kube-system))?$/.exec(right) ??
        [];
      return verbs.split(', ').map((verb) => `${own === undefined ? 'ClusterRole' : 'Role'} ${resource} ${verb}`);
    });
    expect(sorted(explained)).toEqual(
      sorted(granted.map((right) => right.replace(/^(\w+) \S* ?([\w/]+ \w+) \S+$/, '$1 $2'))),
    );
  });
});

describe('docs/rbac-namespaced.yaml and docs/rbac.md', () => {
  type Rules = readonly { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
  const objects = loadAll(readFileSync('docs/rbac-namespaced.yaml', 'utf8')) as {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string };
    readonly roleRef?: { readonly kind: string; readonly name: string };
    readonly subjects?: readonly unknown[];
    readonly rules?: Rules;
  }[];
  const OWN = 'registry-credential-helper';
  /** Where the file has each scope: of the served namespaces it shows two. */
  const PLACES: Readonly<Record<PermissionScope, readonly string[]>> = {
    cluster: ['the cluster'],
    'own-namespace': [OWN],
    'config-namespace': [OWN],
    'vendor-namespace': ['kube-system'],
    'served-namespaces': ['team-a', 'team-b'],
    'secret-namespaces': [],
    'default-namespace': ['default'],
  };
  const granted = objects.flatMap(({ metadata: { namespace = 'the cluster' }, rules = [] }) =>
    rules.flatMap(({ apiGroups, resources, verbs, resourceNames = ['any'] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) => resourceNames.map((name) => [namespace, group, resource, verb, name].join(' '))),
        ),
      ),
    ),
  );

  test('grant in each place exactly the rights that the program asks about with --namespaces=team-a,team-b', () => {
    const needed = NAMESPACED_PERMISSIONS.flatMap(
      ({ scope, group, resource, subresource, verb, resourceNames = ['any'] }) => {
        const what = subresource === undefined ? resource : `${resource}/${subresource}`;
        return PLACES[scope].flatMap((place) =>
          resourceNames.map((name) => [place, group, what, verb, name].join(' ')),
        );
      },
    );
    expect(sorted(granted)).toEqual(sorted(needed));
  });

  test('give no right on Secrets or ServiceAccounts in the whole cluster', () => {
    const inCluster = granted.filter((right) => right.startsWith('the cluster '));
    expect(inCluster.length).toBeGreaterThan(10);
    expect(inCluster.filter((right) => / (secrets|serviceaccounts|events|\*) /.test(right))).toEqual([]);
  });

  test('bind every role where it is to the one ServiceAccount', () => {
    const of = (isBinding: boolean) =>
      objects
        .filter(({ kind }) => kind.endsWith(isBinding ? 'RoleBinding' : 'Role'))
        .map(({ kind, metadata: { name, namespace = '' }, roleRef }) =>
          [isBinding ? roleRef?.kind : kind, namespace, isBinding ? roleRef?.name : name].join(' '),
        );
    expect(sorted(of(true))).toEqual(sorted(of(false)));
    const subjects = objects.flatMap((object) => object.subjects ?? []);
    expect(new Set(subjects.map((subject) => JSON.stringify(subject)))).toEqual(
      new Set([JSON.stringify({ kind: 'ServiceAccount', name: OWN, namespace: OWN })]),
    );
  });

  test('explain each right that differs from those in the whole cluster', () => {
    const words: Readonly<Partial<Record<PermissionScope, string>>> = {
      'served-namespaces': 'each of `--namespaces`',
      'own-namespace': 'our namespace',
      'vendor-namespace': 'kube-system',
      'default-namespace': 'default',
    };
    const isShared = (one: object) =>
      REQUIRED_PERMISSIONS.some((other) => JSON.stringify(other) === JSON.stringify(one));
    const different = NAMESPACED_PERMISSIONS.filter((one) => !isShared(one) && one.scope in words).map(
      ({ scope, resource, verb, resourceNames = [] }) =>
        [words[scope], resource, verb, ['', 'one', 'two', 'three'][resourceNames.length]].join(' '),
    );
    const explained = tableUnder('docs/rbac.md', 'Only in some namespaces').flatMap(([right = '', where = '']) => {
      const [, resource = '', verbs = '', count = ''] = /^`(\w+)`: ([a-z, ]+?)(?:, of (\w+) names)?$/.exec(right) ?? [];
      return verbs.split(', ').map((verb) => [where, resource, verb, count].join(' '));
    });
    expect(different.length).toBeGreaterThan(10);
    expect(sorted(explained)).toEqual(sorted(different));
  });
});

describe('docs/metrics.md', () => {
  /** Name, type and labels of every metric in a text of the Prometheus format. */
  const found = (text: string): readonly string[] =>
    [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name = '', type = '']) => {
      const [, set = ''] = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, 'm').exec(text) ?? [];
      const labels = [...set.matchAll(/(\w+)="/g)].map(([, label = '']) => label);
      return [name, type, labels.sort().join(', ')].join(' | ');
    });
  const documentedUnder = (heading: string): readonly string[] =>
    tableUnder('docs/metrics.md', heading).map(([name = '', type = '', labels = '']) =>
      [inlineCode(name)[0], type, [...inlineCode(labels)].sort().join(', ')].join(' | '),
    );

  test('lists exactly the metrics of the command hosts', async () => {
    const text = await hostsText({ process: false });
    const build = found(text).filter((row) => row.includes('_build_info'));
    expect(sorted([...documentedUnder('Metrics of the command hosts'), ...build])).toEqual(sorted(found(text)));
  });

  test('lists exactly the metrics that there are, with type and labels', async () => {
    const text = await controllerText({ process: false });
    expect(sorted(documentedUnder('Metrics'))).toEqual(sorted(found(text)));
  });
});

describe('every page', () => {
  const blocks = (language: string) =>
    pages.flatMap((page) =>
      codeBlocks(page).flatMap(({ language: is, text }) => (is === language ? [[page, text]] : [])),
    );
  const code = pages.flatMap((page) => {
    const inline = inlineCode(readFileSync(page, 'utf8'));
    return [...inline, ...blocks('sh').map(([, text = '']) => text)].map((text) => ({ page, text }));
  });

  test('says of every fenced block what it is, or draws a picture', () => {
    const languages = pages.flatMap((page) => codeBlocks(page).map(({ language }) => language));
    expect(sorted(languages).filter((language) => !['', 'json', 'sh', 'text', 'yaml'].includes(language))).toEqual([]);
  });

  test('holds only YAML and JSON that parse', () => {
    for (const [, text = ''] of blocks('yaml')) expect(loadAll(text)).not.toEqual([]);
    for (const [, text = ''] of blocks('json')) expect(() => JSON.parse(text) as unknown).not.toThrow();
  });

  test('shows only ConfigMaps that the parser takes without a remark', () => {
    const configMaps = blocks('yaml')
      .flatMap(([, text = '']) => loadAll(text) as { kind?: string; data?: Readonly<Record<string, string>> }[])
      .filter(({ kind }) => kind === 'ConfigMap');
    expect(configMaps.length).toBeGreaterThan(0);
    const [lists, configurations] = [
      configMaps.filter(({ data = {} }) => HOSTS_KEY in data),
      configMaps.filter(({ data = {} }) => !(HOSTS_KEY in data)),
    ];
    for (const { data = {} } of configurations) expect(parse(data)).toMatchObject({ ok: true, issues: [] });
    expect(lists.length).toBeGreaterThan(0);
    for (const { data = {} } of lists)
      expect(parseHostsItems(data[HOSTS_KEY] ?? '')).toMatchObject({ ok: true, issues: [] });
  });

  test('mentions only flags that there are', () => {
    const helps = [
      'controller',
      'cleanup',
      'migrate config',
      'migrate from-acr-helper',
      'migrate from-tcr-assistant',
      'hosts',
      'explain pod',
      'doctor',
      'self-test',
    ].map(flagsHelp);
    const scripts = ['scripts/demo.mjs', 'scripts/image.ts', 'scripts/release.ts'];
    const known = [...helps, ...scripts.map((file) => readFileSync(file, 'utf8'))].join('\n');
    const ours = code.filter(
      ({ text }) =>
        !/kubectl|helm |npm |node -|^--(from-literal|force-conflicts|timeout)/.test(text) || text.includes('main.mjs'),
    );
    const flags = ours.flatMap(({ text }) => [...text.matchAll(/(?<=^|[\s(])--[a-z][a-z-]+/g)].map(([flag]) => flag));
    expect(flags.length).toBeGreaterThan(5);
    const common = ['--help', '--version'];
    const lost = sorted(flags).filter((flag) => !common.includes(flag) && !new RegExp(`${flag}\\b(?!-)`).test(known));
    expect(lost).toEqual([]);
  });

  test('mentions only metrics that there are', () => {
    const documented = readFileSync('docs/metrics.md', 'utf8');
    const mentioned = code.flatMap(({ text }) => /registry_credential_helper_\w+/.exec(text)?.[0] ?? []);
    for (const name of mentioned) expect(documented).toContain(`\`${name}\``);
  });

  test('runs only scripts that there are', () => {
    const { scripts } = load(readFileSync('package.json', 'utf8')) as { scripts: Readonly<Record<string, string>> };
    const lines = blocks('sh').flatMap(([, text = '']) => text.split('\n'));
    for (const line of lines.filter((one) => one !== '' && !one.startsWith('#'))) {
      const [command = '', first = '', second = ''] = line.split(/\s+/);
      if (command.startsWith('scripts/')) expect(() => accessSync(command, modes.X_OK)).not.toThrow();
      else if (command === 'npm' && first === 'run') expect(Object.keys(scripts)).toContain(second);
      else if (command === 'npm') expect(['ci', 'install', 'test']).toContain(first);
      else expect(['npx', 'kubectl', 'helm', 'curl']).toContain(command);
    }
  });

  test('links only to files that there are', () => {
    for (const page of pages) {
      for (const link of localLinks(page)) {
        expect({ page, link, exists: existsSync(path.join(path.dirname(page), link)) }).toMatchObject({ exists: true });
      }
    }
  });
});

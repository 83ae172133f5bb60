// The layers, as data: who may import whom, and what no file does. Design and reasons: `src/ARCHITECTURE.md`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { violations, type Rules, type SourceText } from '../support/architecture.ts';

const ORCHESTRATION = ['core', 'credentials', 'kube', 'observability'];

const RULES: Rules = {
  layers: {
    core: { imports: ['core'], packages: [], types: ['@kubernetes/client-node'], builtins: ['node:crypto'] },
    providers: { imports: ['core', 'providers'], packages: [], builtins: 'all' },
    credentials: {
      imports: ['core', 'credentials', 'providers/provider.ts', 'providers/table.ts'],
      packages: [],
      builtins: 'all',
    },
    kube: { imports: ['core', 'kube'], packages: ['@kubernetes/client-node', 'undici'], builtins: 'all' },
    observability: {
      imports: ['core', 'observability'],
      packages: ['winston', '@prometheus-io/client'],
      builtins: 'all',
    },
    controller: { imports: [...ORCHESTRATION, 'controller'], packages: [], builtins: 'all' },
    webhook: { imports: [...ORCHESTRATION, 'webhook'], packages: [], builtins: 'all' },
    hosts: { imports: [...ORCHESTRATION, 'hosts'], packages: [], builtins: 'all' },
    cmd: {
      imports: [...ORCHESTRATION, 'cmd', 'controller', 'webhook', 'hosts', 'providers'],
      packages: [],
      builtins: 'all',
    },
    'main.ts': { imports: ['cmd'], packages: [], builtins: 'all' },
  },
  onlyIn: {
    'js-yaml': 'core/yaml.ts',
    '@alicloud/': 'providers/alibaba/client.ts',
    tencentcloud: 'providers/tencent/client.ts',
    '@peculiar/x509': 'webhook/issuing.ts',
    'reflect-metadata': 'webhook/issuing.ts',
  },
  environment: 'cmd/settings.ts',
  pure: 'core',
  strangers: { folder: 'providers', table: 'providers/table.ts' },
  maxLines: 250,
  // Only declarations: the vocabulary is read a word at a time.
  longer: {},
};

const SOURCES = join(import.meta.dirname, '../../src');

function readSources(): readonly SourceText[] {
  const paths = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(SOURCES, path), 'utf8') }));
}

test('no file under src breaks the rules of the layers', () => {
  const files = readSources();
  expect(files.length).toBeGreaterThan(30);
  expect(violations(files, RULES)).toEqual([]);
});

describe('the checker catches', () => {
  test.each<readonly [string, string, string, string]>([
    [
      'core that imports another layer',
      'core/a.ts',
      "import { x } from '../kube/client.ts';",
      'imports ../kube/client.ts: core may import core',
    ],
    [
      'a type that is imported upwards',
      'core/a.ts',
      "import type { X } from '../controller/x.ts';",
      'core may import core',
    ],
    [
      'a type that is imported inside of a type',
      'core/a.ts',
      "export type X = import('../kube/x.ts').X;",
      'core may import core',
    ],
    ['a re-export', 'core/a.ts', "export { x } from '../kube/x.ts';", 'core may import core'],
    ['a dynamic import', 'kube/a.ts', "await import('../providers/table.ts');", 'kube may import core, kube'],
    ['a required module', 'kube/a.ts', "require('../controller/x.ts');", 'kube may import core, kube'],
    ['an import whose name is computed', 'kube/a.ts', 'await import(name);', 'kube may not import it'],
    ['an import for its effect', 'core/a.ts', "import '../kube/x.ts';", 'core may import core'],
    ['a way out through dots', 'core/a.ts', "import { x } from './../core/../kube/x.ts';", 'core may import core'],
    [
      'the controller that imports a provider',
      'controller/a.ts',
      "import { x } from '../providers/table.ts';",
      'controller may import',
    ],
    [
      'the controller that imports the webhook',
      'controller/a.ts',
      "import { x } from '../webhook/x.ts';",
      'controller may import',
    ],
    [
      'the store that imports a cloud',
      'credentials/a.ts',
      "import { x } from '../providers/alibaba/acr.ts';",
      'credentials may import',
    ],
    [
      'a cloud that imports another',
      'providers/tencent/a.ts',
      "import { x } from '../alibaba/acr.ts';",
      'providers do not know each other',
    ],
    [
      'a shared file that imports a cloud',
      'providers/shared.ts',
      "import { x } from './alibaba/acr.ts';",
      'providers do not know each other',
    ],
    [
      'a cloud that imports the table',
      'providers/alibaba/a.ts',
      "import { x } from '../table.ts';",
      'does not know the table',
    ],
    [
      'an SDK outside of its client.ts',
      'providers/alibaba/acr.ts',
      "import type { X } from '@alicloud/openapi-client';",
      'only providers/alibaba/client.ts may import it',
    ],
    [
      'another cloud’s SDK in a client.ts',
      'providers/tencent/client.ts',
      "import x from '@alicloud/tea-util';",
      'only providers/alibaba/client.ts may import it',
    ],
    [
      'js-yaml outside of yaml.ts',
      'core/config.ts',
      "import { load } from 'js-yaml';",
      'only core/yaml.ts may import it',
    ],
    [
      'the Kubernetes client at run time in core',
      'core/a.ts',
      "import { V1Pod } from '@kubernetes/client-node';",
      'core may not import it',
    ],
    [
      'one value beside a type',
      'core/a.ts',
      "import { type V1Pod, KubeConfig } from '@kubernetes/client-node';",
      'core may not import it',
    ],
    [
      'the Kubernetes client outside of kube',
      'controller/a.ts',
      "import { KubeConfig } from '@kubernetes/client-node';",
      'controller may not import it',
    ],
    ['a package that is not in the table', 'cmd/a.ts', "import x from 'lodash';", 'cmd may not import it'],
    ['a built-in module in core', 'core/a.ts', "import { readFileSync } from 'node:fs';", 'core may not import it'],
    ['node:process', 'cmd/a.ts', "import { env } from 'node:process';", 'the environment is read in one place'],
    [
      'a folder that is not in the table',
      'utils/a.ts',
      "import { x } from '../core/x.ts';",
      'utils is not in the table of layers',
    ],
    ['an import without suffix', 'core/a.ts', "import { x } from './x';", 'imports carry the .ts suffix'],
    [
      'process.env',
      'cmd/a.ts',
      'export const home = process.env.HOME;',
      'reads process.env: only cmd/settings.ts does',
    ],
    ['process.env in a disguise', 'cmd/a.ts', "export const x = process['env'];", 'reads process.env'],
    ['process.env taken apart', 'cmd/a.ts', 'const { env } = process;', 'reads process.env'],
    ['a default export', 'cmd/a.ts', 'export default 1;', 'has a default export'],
    ['a default function', 'cmd/a.ts', 'export default function x() {}', 'has a default export'],
    ['a renamed default export', 'cmd/a.ts', 'const x = 1; export { x as default };', 'has a default export'],
    ['a barrel', 'core/index.ts', 'export {};', 'is a barrel'],
    ['an enum', 'cmd/a.ts', 'enum X { A }', 'has an enum'],
    ['a long file', 'cmd/a.ts', '\n'.repeat(251), 'has 251 lines'],
    ['async in core', 'core/a.ts', 'export const x = async () => 1;', 'is async'],
    ['an async method in core', 'core/a.ts', 'export const x = { async y() {} };', 'is async'],
    ['await in core', 'core/a.ts', 'await x;', 'awaits'],
    ['a promise in core', 'core/a.ts', 'export const x = Promise.resolve();', 'uses Promise'],
    ['the clock in core', 'core/a.ts', 'export const x = Date.now();', 'uses Date.now'],
    ['the clock in core, without its name', 'core/a.ts', 'export const x = new Date();', 'uses the clock'],
    ['a timer in core', 'core/a.ts', 'setTimeout(f, 1);', 'uses setTimeout'],
    ['chance in core', 'core/a.ts', 'export const x = Math.random();', 'uses Math.random'],
    ['chance of another kind in core', 'core/a.ts', "import { randomUUID } from 'node:crypto';", 'imports randomUUID'],
    ['the process in core', 'core/a.ts', 'process.exit();', 'uses process'],
    ['output in core', 'core/a.ts', "console.log('x');", 'uses console'],
    ['a logger in core', 'core/a.ts', "export const f = (logger: L) => logger.info('x');", 'uses logger'],
  ])('%s', (_, path, text, expected) => {
    const found = violations([{ path, text }], RULES);
    expect(found.join('\n')).toContain(expected);
    for (const sentence of found) expect(sentence.startsWith(path)).toBe(true);
  });
});

describe('the checker allows', () => {
  test.each([
    ['types of the Kubernetes client in core', 'core/a.ts', "import type { V1Pod } from '@kubernetes/client-node';"],
    ['hashes in core', 'core/a.ts', "import { createHash } from 'node:crypto';"],
    ['a date that is made from an instant', 'core/a.ts', 'export const x = (at: number) => new Date(at);'],
    ['a member that is called process', 'core/a.ts', 'export const x = (y: Y) => y.process({ console: 1 });'],
    ['js-yaml in its file', 'core/yaml.ts', "import { load } from 'js-yaml';"],
    ['an SDK in its client.ts', 'providers/alibaba/client.ts', "await import('@alicloud/openapi-client');"],
    [
      'a cloud’s own files and the shared ones',
      'providers/alibaba/acr.ts',
      "import { x } from './client.ts';\nimport { y } from '../provider.ts';",
    ],
    ['the table that knows every cloud', 'providers/table.ts', "import { x } from './alibaba/acr.ts';"],
    ['the environment in its file', 'cmd/settings.ts', 'export const x = process.env;'],
    ['words in texts and comments', 'core/a.ts', '// await process.env\nexport const x = \'import("../kube/x.ts")\';'],
  ])('%s', (_, path, text) => {
    expect(violations([{ path, text }], RULES)).toEqual([]);
  });
});

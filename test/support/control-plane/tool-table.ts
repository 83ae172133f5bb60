// Which programs the tests build, from which module, and how a built one is named in the cache.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program that tests and the demo start. */
export type ToolName =
  | 'etcd'
  | 'helm3'
  | 'helm4'
  | 'helm-unittest'
  | 'kube-apiserver'
  | 'kube-apiserver-oldest'
  | 'kube-controller-manager'
  | 'kube-proxy'
  | 'kube-scheduler'
  | 'kubectl'
  | 'kubelet'
  | 'promtool'
  | 'registry';

/** Where a program comes from. */
export interface Tool {
  readonly name: ToolName;
  /** The folder with the go.mod that pins it. */
  readonly folder: string;
  /** The module whose version is the program's version. */
  readonly module: string;
  /** The Go package to build. */
  readonly package: string;
  /** Build tags, joined by commas; none unless told. */
  readonly tags?: string;
}

/** What identifies one build of a program. */
export interface ToolBuild {
  readonly tool: Tool;
  readonly version: string;
  /** The name of the binary in the cache: another version or another set of dependencies has another name. */
  readonly cacheName: string;
}

const TOOLS_FOLDER = fileURLToPath(new URL('../../tools/', import.meta.url));

const kubernetes = (name: ToolName): Tool => ({
  name,
  folder: path.join(TOOLS_FOLDER, 'kubernetes'),
  module: 'k8s.io/kubernetes',
  package: `k8s.io/kubernetes/cmd/${name}`,
});

/** Every program, by name. */
export const TOOLS: Readonly<Record<ToolName, Tool>> = {
  etcd: {
    name: 'etcd',
    folder: path.join(TOOLS_FOLDER, 'etcd'),
    module: 'go.etcd.io/etcd/server/v3',
    package: 'go.etcd.io/etcd/server/v3',
  },
  helm3: {
    name: 'helm3',
    folder: path.join(TOOLS_FOLDER, 'helm3'),
    module: 'helm.sh/helm/v3',
    package: 'helm.sh/helm/v3/cmd/helm',
  },
  helm4: {
    name: 'helm4',
    folder: path.join(TOOLS_FOLDER, 'helm4'),
    module: 'helm.sh/helm/v4',
    package: 'helm.sh/helm/v4/cmd/helm',
  },
  'helm-unittest': {
    name: 'helm-unittest',
    folder: path.join(TOOLS_FOLDER, 'helm-unittest'),
    module: 'github.com/helm-unittest/helm-unittest',
    package: 'github.com/helm-unittest/helm-unittest/cmd/helm-unittest',
  },
  'kube-apiserver': kubernetes('kube-apiserver'),
  // The oldest release that is to be had: what the chart renders has to pass there too. Without the clouds' drivers, as their module
  // is not; nothing here needs them.
  'kube-apiserver-oldest': {
    name: 'kube-apiserver-oldest',
    folder: path.join(TOOLS_FOLDER, 'kubernetes-oldest'),
    module: 'k8s.io/kubernetes',
    package: 'k8s.io/kubernetes/cmd/kube-apiserver',
    tags: 'providerless',
  },
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  // Of the same version, with modules that nothing else here needs.
  'kube-proxy': { ...kubernetes('kube-proxy'), folder: path.join(TOOLS_FOLDER, 'kube-proxy') },
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubectl: kubernetes('kubectl'),
  promtool: {
    name: 'promtool',
    folder: path.join(TOOLS_FOLDER, 'promtool'),
    module: 'github.com/prometheus/prometheus',
    package: 'github.com/prometheus/prometheus/cmd/promtool',
    // Without the service discovery of every cloud, which takes several times as long to fetch and to build.
    tags: 'remove_all_sd',
  },
  kubelet: kubernetes('kubelet'),
  registry: {
    name: 'registry',
    folder: path.join(TOOLS_FOLDER, 'registry'),
    module: 'github.com/distribution/distribution/v3',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
  },
};

/** The build that the go.mod and go.sum in the tree ask for. */
export function readToolBuild(name: ToolName): ToolBuild {
  const tool = TOOLS[name];
  const goMod = readFileSync(path.join(tool.folder, 'go.mod'), 'utf8');
  const goSum = readFileSync(path.join(tool.folder, 'go.sum'), 'utf8');
  const version = moduleVersion(goMod, tool.module);
  return { tool, version, cacheName: buildCacheName({ name, version, goMod, goSum, tags: tool.tags }) };
}

/** The version that a go.mod requires of a module. */
export function moduleVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [first, second, third] = line
      .trim()
      .replace(/^require\s+/, '')
      .split(/\s+/);
    if (first === module && second !== undefined && (third === undefined || third === '//')) return second;
  }
  throw new Error(`The go.mod of the test tools does not require ${module}`);
}

/** The file name of a built program: readable version first, then a digest of everything that pins its sources. */
export function buildCacheName(of: {
  readonly name: ToolName;
  readonly version: string;
  readonly goMod: string;
  readonly goSum: string;
  readonly tags?: string | undefined;
}): string {
  const digest = createHash('sha256').update(of.goMod).update('\0').update(of.goSum);
  if (of.tags !== undefined) digest.update('\0').update(of.tags);
  return `${of.name}-${of.version}-${digest.digest('hex').slice(0, 12)}`;
}

/** The folder of built programs, shared by all checkouts of a user. */
export function toolsCacheFolder(env: NodeJS.ProcessEnv): string {
  const cache =
    notEmpty(env.REGISTRY_CREDENTIAL_HELPER_CACHE) ??
    notEmpty(env.XDG_CACHE_HOME) ??
    path.join(notEmpty(env.HOME) ?? homedir(), '.cache');
  return path.resolve(cache, 'registry-credential-helper', 'tools');
}

/** The linker flags: kubectl and Helm must be able to parse the version that the API server tells. */
export function linkerFlags({ tool, version }: ToolBuild): string {
  if (tool.module !== 'k8s.io/kubernetes') return '-s -w';
  const [major, minor] = version.replace(/^v/, '').split('.');
  const stamp = { gitVersion: version, gitMajor: major ?? '', gitMinor: minor ?? '' };
  const values = Object.entries(stamp).map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`);
  return ['-s -w', ...values].join(' ');
}

function notEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

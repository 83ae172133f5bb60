import { describe, expect, test } from '@jest/globals';
import {
  buildCacheName,
  linkerFlags,
  moduleVersion,
  readToolBuild,
  TOOLS,
  toolsCacheFolder,
  type ToolName,
} from '../../../support/control-plane/tool-table.ts';

const BUILD = { name: 'etcd', version: 'v3.6.6', goMod: 'module a\n', goSum: 'b h1:c\n' } as const;

describe('the cache name of a built tool', () => {
  test('begins with name and version, for people', () => {
    expect(buildCacheName(BUILD)).toMatch(/^etcd-v3\.6\.6-[0-9a-f]{12}$/);
  });

  test.each([
    ['version', { ...BUILD, version: 'v3.6.7' }],
    ['go.mod', { ...BUILD, goMod: 'module x\n' }],
    ['go.sum', { ...BUILD, goSum: 'b h1:d\n' }],
    ['build tags', { ...BUILD, tags: 'a' }],
    ['border between go.mod and go.sum', { ...BUILD, goMod: 'module a\nb', goSum: ' h1:c\n' }],
  ])('changes with the %s', (_, other) => {
    expect(buildCacheName(other)).not.toBe(buildCacheName(BUILD));
  });
});

test('two builds of one program have names of their own in the cache', () => {
  const names = (Object.keys(TOOLS) as ToolName[]).map((name) => readToolBuild(name).cacheName);
  expect(new Set(names).size).toBe(names.length);
  expect(TOOLS['kube-apiserver-oldest'].package).toBe(TOOLS['kube-apiserver'].package);
});

describe('the version of a module', () => {
  test.each([
    ['a block', 'require (\n\tk8s.io/kubernetes v1.36.3\n)\n'],
    ['a line of its own', 'require k8s.io/kubernetes v1.36.3\n'],
    ['an indirect one', 'require (\n\tk8s.io/kubernetes v1.36.3 // indirect\n)\n'],
    ['one with a replacement', 'replace k8s.io/kubernetes => k8s.io/x v9.9.9\n\nrequire k8s.io/kubernetes v1.36.3\n'],
  ])('is read from %s', (_, goMod) => {
    expect(moduleVersion(goMod, 'k8s.io/kubernetes')).toBe('v1.36.3');
  });

  test('is an error when the module is not required', () => {
    expect(() => moduleVersion('module a\n', 'k8s.io/kubernetes')).toThrow('does not require k8s.io/kubernetes');
  });

  test.each(Object.keys(TOOLS) as ToolName[])('of %s is pinned in the tree', (name) => {
    expect(readToolBuild(name).version).toMatch(/^v\d+\.\d+\.\d+$/);
  });
});

test('Kubernetes programs are stamped with their version', () => {
  expect(linkerFlags({ tool: TOOLS.kubectl, version: 'v1.36.3', cacheName: '' })).toBe(
    '-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 ' +
      '-X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36',
  );
});

test.each([
  [{ REGISTRY_CREDENTIAL_HELPER_CACHE: '/ours', XDG_CACHE_HOME: '/xdg', HOME: '/home' }, '/ours'],
  [{ REGISTRY_CREDENTIAL_HELPER_CACHE: '', XDG_CACHE_HOME: '/xdg', HOME: '/home' }, '/xdg'],
  [{ HOME: '/home' }, '/home/.cache'],
])('the cache for %j is in %s', (env, folder) => {
  expect(toolsCacheFolder(env)).toBe(`${folder}/registry-credential-helper/tools`);
});

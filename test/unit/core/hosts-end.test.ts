// How a DaemonSet is told of the end, and which nodes are there yet.
import { describe, expect, test } from '@jest/globals';
import { BEFORE_END_ANNOTATION } from '../../../src/core/names.ts';
import {
  disownHosts,
  ENDING_FLAG,
  endHosts,
  hostsEndProgress,
  resumeHosts,
  type HostsPod,
} from '../../../src/core/hosts-end.ts';

const daemonSet = (containers: readonly object[], more: object = {}) => ({
  metadata: { uid: 'u', resourceVersion: '7', generation: 2 },
  spec: { updateStrategy: { type: 'OnDelete' }, template: { spec: { containers } } },
  ...more,
});

describe('a DaemonSet', () => {
  test('of the command hosts is changed in that container alone, and replaces all Pods at once', () => {
    const found = endHosts(
      daemonSet([
        { name: 'sidecar', args: ['serve'] },
        { name: 'hosts', args: ['hosts', '--in-place=true'] },
      ]),
    );
    const before = {
      ...{ name: 'hosts', args: ['hosts', '--in-place=true'] },
      ...{ updateStrategy: { type: 'OnDelete' }, generation: 2 },
    };
    expect(found).toEqual({
      isEnding: false,
      patch: {
        metadata: {
          ...{ uid: 'u', resourceVersion: '7' },
          annotations: { [BEFORE_END_ANNOTATION]: JSON.stringify(before) },
        },
        spec: {
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%', maxSurge: 0 } },
          template: { spec: { containers: [{ name: 'hosts', args: ['hosts', '--in-place=true', ENDING_FLAG] }] } },
        },
      },
    });
  });

  test('that names the command in another place is found, too', () => {
    const found = endHosts(daemonSet([{ name: 'a', command: ['/node', '/app/main.mjs', 'hosts'] }]));
    expect(found).toMatchObject({
      patch: { spec: { template: { spec: { containers: [{ name: 'a', args: [ENDING_FLAG] }] } } } },
    });
  });

  test.each([ENDING_FLAG, `${ENDING_FLAG}=true`])('that is told already (%s) is left as it is', (flag) => {
    expect(endHosts(daemonSet([{ name: 'a', args: ['hosts', flag] }]))).toEqual({ isEnding: true });
  });

  test.each<[string, object]>([
    ['runs something else', daemonSet([{ name: 'a', args: ['serve', 'hosts-file'] }])],
    ['has no containers', daemonSet([])],
    ['is nonsense', { spec: 7 }],
  ])('that %s is not changed', (_, found) => {
    expect(endHosts({ ...found })).toBeUndefined();
  });
});

describe('a DaemonSet that was told', () => {
  const told = (annotation: string, args = ['hosts', '-v', ENDING_FLAG], generation = 3) =>
    daemonSet([{ name: 'hosts', args }], {
      metadata: { uid: 'u', resourceVersion: '8', generation, annotations: { [BEFORE_END_ANNOTATION]: annotation } },
    });
  const BEFORE = JSON.stringify({
    ...{ name: 'hosts', args: ['hosts', '-v'] },
    ...{ updateStrategy: { type: 'OnDelete' }, generation: 2 },
  });

  test('becomes what it was, in the version that was read', () => {
    expect(resumeHosts(told(BEFORE))).toEqual({
      metadata: { uid: 'u', resourceVersion: '8', annotations: { [BEFORE_END_ANNOTATION]: null } },
      spec: {
        updateStrategy: { $patch: 'replace', type: 'OnDelete' },
        template: { spec: { containers: [{ name: 'hosts', args: ['hosts', '-v'] }] } },
      },
    });
  });

  test.each<[string, object]>([
    ['somebody put it right since', told(BEFORE, ['hosts', '-v'])],
    ['somebody changed it and told it since', told(BEFORE, ['hosts', '-w', ENDING_FLAG])],
    ['somebody put it right and told it since', told(BEFORE, ['hosts', '-v', ENDING_FLAG], 5)],
    ['it was told by somebody else', daemonSet([{ name: 'hosts', args: ['hosts', ENDING_FLAG] }])],
    ['what it was is not known', told('nonsense')],
    ['what it was is no map', told('[]')],
  ])('is left as it is where %s', (_, found) => {
    expect(resumeHosts({ ...found })).toBeUndefined();
  });
});

describe('a DaemonSet that was set back', () => {
  const held = (managers: readonly string[]) =>
    daemonSet([], {
      metadata: {
        ...{ uid: 'u', resourceVersion: '9' },
        managedFields: managers.map((manager) => ({ manager, fieldsV1: { [`f:${manager}`]: {} } })),
      },
    });

  test('is left to those who else write it', () => {
    expect(disownHosts(held(['helm', 'registry-credential-helper', 'kube-controller-manager']))).toEqual({
      metadata: {
        ...{ uid: 'u', resourceVersion: '9' },
        managedFields: [
          { manager: 'helm', fieldsV1: { 'f:helm': {} } },
          { manager: 'kube-controller-manager', fieldsV1: { 'f:kube-controller-manager': {} } },
        ],
      },
    });
  });

  test('is left as it is where nothing of it is ours', () => {
    expect(disownHosts(held(['helm']))).toBeUndefined();
    expect(disownHosts(daemonSet([]))).toBeUndefined();
  });
});

const DONE = { left: [], missing: 0 };

describe('the end', () => {
  const status = (desired: number, observedGeneration = 2) => ({
    status: { desiredNumberScheduled: desired, observedGeneration },
  });
  const pod = (node: string | undefined, isReady: boolean, isEnding = true): HostsPod => ({
    ...{ name: `p-${node ?? ''}`, node, isReady },
    args: ['hosts', ...(isEnding ? [ENDING_FLAG] : [])],
  });

  test.each<[string, number, readonly HostsPod[], object]>([
    ['is there when each node has a ready Pod that removes the block', 2, [pod('a', true), pod('b', true)], DONE],
    ['is there where there is no node', 0, [], DONE],
    ['is not there where the Pod is not ready', 2, [pod('a', true), pod('b', false)], { left: ['b'], missing: 0 }],
    [
      'is not there where the Pod is an old one',
      2,
      [pod('b', true, false), pod('a', true)],
      { left: ['b'], missing: 0 },
    ],
    ['is not there where no Pod is yet', 2, [pod('a', true)], { left: [], missing: 1 }],
    ['is not there where a Pod has no node yet', 2, [pod('a', true), pod(undefined, false)], { left: [], missing: 1 }],
    ['is there beside an old Pod that still ends', 1, [pod('a', false, false), pod('a', true)], DONE],
    ['is not there on a node that should have none and has an old one', 0, [pod('z', true, false)], { left: ['z'] }],
  ])('%s', (_, desired, pods, expected) => {
    const isDone = expected === DONE;
    expect(hostsEndProgress(daemonSet([], status(desired)), pods, [])).toMatchObject({ isDone, ...expected });
  });

  test('is not there where a node had a Pod and gets none any more, since the DaemonSet does not count it', () => {
    const progress = hostsEndProgress(daemonSet([], status(1)), [pod('a', true)], ['tainted', 'a']);
    expect(progress).toEqual({ isDone: false, left: ['tainted'], missing: 0 });
  });

  test('is not there before the change was looked at, however many Pods are ready', () => {
    expect(hostsEndProgress(daemonSet([], status(0, 1)), [], []).isDone).toBe(false);
    expect(hostsEndProgress(daemonSet([]), [], []).isDone).toBe(false);
  });
});

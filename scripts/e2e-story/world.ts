// The parts of the end-to-end test: a cluster with a node, a cloud, a private registry, and the commands that people type.
import { globSync } from 'node:fs';
import { SAMPLE, type Clouds } from '../../test/support/clouds/clouds.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import type { ControlPlane } from '../../test/support/control-plane/control-plane.ts';
import type { Registry } from '../../test/support/control-plane/registry.ts';
import { eventually } from '../../test/support/eventually.ts';
import { ADDRESSES } from '../../test/e2e/addresses.ts';
import type { ClusterNode } from '../../test/e2e/node.ts';
import { runProgram, type ProgramAnswer } from '../../test/e2e/run-program.ts';
import { StepFailure } from '../demo-story/steps.ts';

/** The chart under test. */
export const CHART = 'charts/registry-credential-helper';

/** The chart of an application, with a ServiceAccount of its own. */
export const APP_CHART = 'test/e2e/app-chart';

/** The release of the chart, its namespace, and the Secret with the cloud's key there. */
export const RELEASE = 'registry-credential-helper';
export const SYSTEM = 'registry-system';
export const KEY_SECRET = 'cloud-key';

/** The configuration that people edit. */
export const CONFIG_MAP = 'acr-configuration';

/** The Secret that the program writes for `acr-registry-info`. */
export const SECRET = 'acr-credential-secret-aggregation';

/** The private images: of one repository, with nothing in common. */
export const REPOSITORY = 'shop/web';
export const TAGS = ['1.0', '1.1', '1.2'] as const;
export type Tag = (typeof TAGS)[number];

/** The name of one of them, as Pods know it. */
export function imageName(tag: Tag): string {
  return `${ADDRESSES.registryName}/${REPOSITORY}:${tag}`;
}

/** Name of the program's image on the node, which never pulls it. */
export const PROGRAM_REPOSITORY = 'e2e.local/registry-credential-helper';

/** Life of the cloud's tokens while the story needs them to expire, and afterwards. */
export const SHORT_LIFE_MS = 24_000;
export const USUAL_LIFE_MS = 3_600_000;

/** The simulated instance of the cloud. */
export const INSTANCE = SAMPLE.instance;

/** Runs a command to its end: its arguments, and variables besides its own environment. */
export type Command = (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<ProgramAnswer>;

/** Everything that runs. */
export interface NodeWorld {
  readonly folder: string;
  readonly plane: ControlPlane;
  readonly cluster: Cluster;
  readonly node: ClusterNode;
  readonly clouds: Clouds;
  readonly registry: Registry;
  /** PEM of the registry's authority. */
  readonly registryCa: string;
  readonly kubectl: Command;
  readonly helm: Readonly<Record<HelmMajor, Command>>;
}

export type HelmMajor = 'helm3' | 'helm4';

/** A command with a home of its own, so that nothing of the person who runs the test counts. */
export function createCommand(command: string, of: { readonly home: string; readonly kubeconfig: string }): Command {
  const own = { PATH: process.env.PATH, HOME: of.home, TMPDIR: of.home, KUBECONFIG: of.kubeconfig, KUBERC: 'off' };
  return (args, env = {}) => runProgram(command, args, { env: { ...own, ...env } });
}

/** Runs a command that must succeed; fails the step with what it said otherwise. */
export async function mustSucceed(what: string, answer: Promise<ProgramAnswer>): Promise<string> {
  const { code, stdout, stderr } = await answer;
  if (code === 0) return stdout;
  throw new StepFailure(
    `${what} succeeds`,
    `exit code ${code}: ${stderr.trim()}${stdout.trim() === '' ? '' : `\n${stdout.trim()}`}`,
  );
}

/** Where the kubelet keeps what containers print; the node's own, as everything below /var. */
export const POD_LOGS = '/var/log/pods';

/** Files with what the containers of Pods of the release's namespace printed; the Pods' name may be a pattern. */
export function findPodLogs(pod: string): readonly string[] {
  return globSync(`${POD_LOGS}/${SYSTEM}_${pod}_*/*/*.log`).sort();
}

/** Something to wait for. */
export interface Awaited<T> {
  /** In words; printed when it does not come. */
  readonly expected: string;
  readonly look: () => Promise<T> | T;
  readonly holds: (seen: T) => boolean;
  /** What was seen, in words; JSON unless given. */
  readonly describe?: (seen: T) => string;
  /** 60 s unless told: how long something takes is no failure. */
  readonly timeoutMs?: number;
}

/** Waits until what is looked at holds, and returns it. Throws StepFailure with what was seen last. */
export async function reach<T>(awaited: Awaited<T>): Promise<T> {
  const { expected, look, holds, describe = JSON.stringify, timeoutMs = 60_000 } = awaited;
  let last = 'nothing yet';
  const check = async (): Promise<{ readonly seen: T } | undefined> => {
    const seen = await look();
    last = describe(seen);
    return holds(seen) ? { seen } : undefined;
  };
  const { seen } = await eventually(expected, check, timeoutMs).catch((error: unknown) => {
    const cause = (error as Error).cause;
    const why = cause instanceof Error ? `${last} (${cause.message})` : last;
    throw new StepFailure(`${expected}, within ${timeoutMs / 1000} s`, why, { cause: error });
  });
  return seen;
}

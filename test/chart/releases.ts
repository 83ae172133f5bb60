// Releases of the chart on a real API server, by the Helm of either major version.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ControlPlane } from '../support/control-plane/control-plane.ts';
import { findTools } from '../support/control-plane/tools.ts';
import { CHART, type HelmResult, type Values } from './helm.ts';

/** Both majors that the chart is for. */
export const HELM_MAJORS = ['helm3', 'helm4'] as const;

export type HelmMajor = (typeof HELM_MAJORS)[number];

/** One release, by its name and namespace. */
export interface Release {
  readonly name: string;
  readonly namespace: string;
  /** Prints what Helm said; throws with it when it fails. `args`: further flags. */
  install(values?: Values, args?: readonly string[]): Promise<string>;
  upgrade(values?: Values, args?: readonly string[]): Promise<string>;
  rollback(revision: number): Promise<string>;
  uninstall(): Promise<string>;
  /** What the release holds, as text. */
  manifest(): Promise<string>;
  /** Its hooks, as text. */
  hooks(): Promise<string>;
  /** Never throws for an exit code. */
  run(command: readonly string[], values?: Values): Promise<HelmResult>;
}

/** Helm as `admin` of the control plane. Builds it where it is missing. */
export async function createReleases(
  plane: ControlPlane,
  major: HelmMajor,
): Promise<(name: string, namespace: string) => Release> {
  const found = await findTools([major]);
  const home = path.join(plane.folder, `home-of-${major}`);
  // Nothing of the person who runs the tests: no plugins, no cluster, no default namespace.
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: plane.folder };
  const helm = (args: readonly string[]): Promise<HelmResult> =>
    new Promise((resolve) => {
      const options = { env, cwd: plane.folder, timeout: 120_000, maxBuffer: 16_777_216 };
      execFile(found[major], args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  const succeed = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await helm(args);
    if (code === 0) return stdout;
    throw new Error(`${major} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
  };
  return (name, namespace) => {
    const place = [`--namespace=${namespace}`, `--kubeconfig=${plane.adminKubeconfig}`];
    const valuesFile = async (values: Values): Promise<string> => {
      const file = path.join(plane.folder, `values-${randomUUID()}.json`);
      await writeFile(file, JSON.stringify(values));
      return `--values=${file}`;
    };
    return {
      name,
      namespace,
      install: async (values = {}, args = []) =>
        succeed(['install', name, CHART, ...place, await valuesFile(values), ...args]),
      upgrade: async (values = {}, args = []) =>
        succeed(['upgrade', name, CHART, ...place, await valuesFile(values), ...args]),
      rollback: (revision) => succeed(['rollback', name, String(revision), ...place]),
      uninstall: () => succeed(['uninstall', name, ...place]),
      manifest: () => succeed(['get', 'manifest', name, ...place]),
      hooks: () => succeed(['get', 'hooks', name, ...place]),
      run: async ([command = '', ...args], values = {}) =>
        helm([command, name, ...(takesChart(command) ? [CHART, await valuesFile(values)] : []), ...place, ...args]),
    };
  };
}

function takesChart(command: string): boolean {
  return ['install', 'upgrade', 'template'].includes(command);
}

// Runs a command of the program that ends by itself, with only the rights that `docs/rbac.yaml` documents.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from './control-plane/processes.ts';
import { PROGRAM_USER, type World } from './world.ts';
import { PROGRAM_FILE } from './program.ts';

/**
 * Runs e.g. `cleanup --dry-run` to its end; returns its exit code and everything that it printed. `meanwhile` may ask it to end, as kubelet
 * does.
 */
export async function runCommand(
  { plane }: World,
  command: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  meanwhile: (end: () => void) => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly code: number | null; readonly output: string }> {
  const logFile = join(plane.folder, 'logs', `${command}-${randomUUID()}.log`);
  const running = await startProcess({
    name: command,
    command: process.execPath,
    args: [
      PROGRAM_FILE,
      command,
      `--kubeconfig=${plane.kubeconfig(PROGRAM_USER)}`,
      '--config-map=kube-system/acr-configuration',
      ...args,
    ],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    logFile,
  });
  await meanwhile(() => void running.stop());
  const { code } = await running.exited();
  return { code, output: await readFile(logFile, 'utf8') };
}

// What the commands that look at a cluster, and change nothing, have in common: where the installation is, and how they end.
import type { Finding } from '../core/doctor.ts';
import { KubeError } from '../core/errors.ts';
import type { EpochMs } from '../core/types.ts';
import type { PodReads } from '../kube/pod-reads.ts';
import { connect, type Connection } from './connect.ts';
import { findInstallation } from './installation-namespace.ts';
import type { CommandContext } from './lifecycle.ts';
import { readSettings, type Settings } from './settings.ts';

/** Their exit codes; 1 and 2 are those of every command. */
export const EXIT = { fine: 0, configuration: 3, cluster: 4, findings: 6 } as const;

/** What such a command is given. */
export interface Look {
  readonly settings: Settings;
  readonly connection: Connection;
  readonly reads: PodReads;
  readonly now: EpochMs;
  readonly print: (line: string) => void;
  /** Tells what went wrong, on standard error. */
  readonly complain: (line: string) => void;
}

/** What people wrote into objects may hold what a terminal obeys. */
function withoutControls(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

/** Runs `look` on the cluster; returns its exit code, or that of a cluster which cannot be read. */
export async function lookAtInstallation(
  command: string,
  { args, version, signal }: CommandContext,
  look: (of: Look) => Promise<number>,
): Promise<number> {
  const settings = readSettings(command, args);
  const configMap = settings.configMap ?? { namespace: 'kube-system', name: 'acr-configuration' };
  const connection = connect({ ...settings, configMap }, version);
  const complain = (line: string): void => void process.stderr.write(`${command}: ${withoutControls(line)}\n`);
  const { client } = connection;
  try {
    // For the others --namespace is that of Pods.
    const isOurs = command === 'self-test';
    const namespace = isOurs
      ? connection.namespace
      : await findInstallation(client, { ...settings, configMap }, signal);
    return await look({
      ...{ settings, connection: { ...connection, namespace }, complain },
      reads: { client, instance: settings.instance, signal },
      now: Date.now(),
      print: (line) => void process.stdout.write(`${withoutControls(line)}\n`),
    });
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    complain(error.message);
    return EXIT.cluster;
  } finally {
    await client.close();
  }
}

/** A finding as it is printed. */
export function linesOf({ level, subject, sentences, cure, page }: Finding): readonly string[] {
  const [verdict = '', ...more] = sentences;
  return [
    `${level}  ${subject}: ${verdict}`,
    ...more.map((line) => `      ${line}`),
    ...(cure === undefined ? [] : [`      What to do: ${cure}${page === undefined ? '' : ` (docs/${page})`}`]),
  ];
}

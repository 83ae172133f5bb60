// The real kubectl as `admin`: what a person sees who types.
import { execFile } from 'node:child_process';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { findTools } from './control-plane/tools.ts';

/** What a command ended with. */
export interface KubectlAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl to its end, with `input` as its standard input; never throws for an exit code. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<KubectlAnswer>;

/** kubectl of the control plane; what it remembers of an API server is kept in the folder of this one. */
export async function kubectlOf(plane: ControlPlane): Promise<Kubectl> {
  const { kubectl } = await findTools(['kubectl']);
  const env = { ...process.env, KUBECONFIG: plane.adminKubeconfig, KUBECACHEDIR: `${plane.folder}/kubectl-cache` };
  return (args, input = '') =>
    new Promise((resolve) => {
      const running = execFile(kubectl, args, { env, maxBuffer: 16_777_216 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      });
      running.stdin?.end(input);
    });
}

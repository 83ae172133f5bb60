// How the program is started where it is installed: with the Node flags of the image, in the memory that the chart gives it.
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';

const PERCENTAGE = /^--max-old-space-size-percentage=(\d+)$/;

/**
 * Flags of Node as in the `Dockerfile`. The share of a container's memory, which is not there, becomes MiB of the chart's default
 * limit. Throws when either file says it in another way.
 */
export async function shippedNodeFlags(): Promise<readonly string[]> {
  const dockerfile = await readFile('Dockerfile', 'utf8');
  const entrypoint = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as readonly string[];
  const flags = entrypoint.filter((argument) => argument.startsWith('--'));
  if (!flags.some((flag) => PERCENTAGE.test(flag))) throw new Error('The Dockerfile does not bound the heap');
  const values = load(await readFile('charts/registry-credential-helper/values.yaml', 'utf8')) as {
    readonly resources: { readonly limits: { readonly memory: string } };
  };
  const limit = /^(\d+)Mi$/.exec(values.resources.limits.memory)?.[1];
  if (limit === undefined) throw new Error('The memory limit of the chart is not in Mi');
  return flags.map((flag) =>
    flag.replace(PERCENTAGE, (_, share: string) => {
      return `--max-old-space-size=${Math.floor((Number(limit) * Number(share)) / 100)}`;
    }),
  );
}

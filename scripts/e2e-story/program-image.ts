// The image of the program, as an archive that a container runtime loads.
import { stat } from 'node:fs/promises';
import { runProgram } from '../../test/e2e/run-program.ts';
import { StepFailure, type Teller } from '../demo-story/steps.ts';

/** Builds it from this tree, as it is released; writes the archive to `file`. */
export async function buildProgramImage(file: string, tell: Teller): Promise<void> {
  const { code, stdout, stderr } = await runProgram('scripts/image', ['--output', `docker-archive:${file}`]);
  if (code !== 0) throw new StepFailure('scripts/image builds the image', `${stdout}${stderr}`.trim());
  tell.say(`${Math.round((await stat(file)).size / 2 ** 20)} MiB`);
}

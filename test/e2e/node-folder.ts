// The one folder on the machine's disk that a node writes to.
import { tmpdir } from 'node:os';
import { createRunFolder, type RunFolder } from '../support/control-plane/run-folder.ts';

/** Folders that a node sees through an overlay of its own: what is below them is not the same inside. */
const COVERED = /^\/(etc|opt|run|usr|var)(\/|$)/;

/** Makes the folder, in the system's temporary one unless a node would not see that. */
export function createNodeFolder(): Promise<RunFolder> {
  return createRunFolder('e2e', COVERED.test(tmpdir()) ? '/tmp' : tmpdir());
}

// The end-to-end test inside of the node's private namespaces: tells the story, and says what was going on where it breaks.
// Started by e2e.ts, with: an empty folder, the archive of the program's image, the file for the results, and `--json` or not.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildScreen } from './demo-story/screen.ts';
import { createSteps } from './demo-story/steps.ts';
import { tellBeginning } from './e2e-story/begin.ts';
import { printEvidence } from './e2e-story/evidence.ts';
import { tellHosts } from './e2e-story/hosts.ts';
import { tellChanges, tellSelfTest, tellService } from './e2e-story/serve.ts';
import { tellHelm3, tellReleases } from './e2e-story/upgrade.ts';
import type { NodeWorld } from './e2e-story/world.ts';

const [folder = '', programArchive = '', resultsFile = '', form] = process.argv.slice(2);
const screen = buildScreen(form === '--json' ? process.stderr : process.stdout);
const steps = createSteps(screen);
let world: NodeWorld | undefined;
let isTold = false;

try {
  const work = path.join(folder, 'work');
  await mkdir(work);
  world = await tellBeginning(steps, { folder: work, programArchive });
  await tellService(steps, world);
  await tellSelfTest(steps, world);
  await tellChanges(steps, world);
  await tellHosts(steps, world);
  await tellReleases(steps, world);
  await tellHelm3(steps, world);
  isTold = true;
} catch (error) {
  // A step that did not hold has been printed; anything else is a fault of the test.
  if (steps.results.every(({ ok }) => ok)) screen.print(String(error instanceof Error ? error.stack : error));
  await printEvidence(screen, path.join(folder, 'work'), world);
}
await writeFile(resultsFile, JSON.stringify(steps.results));
// Nothing here is worth a clean end: it goes with the namespaces.
process.exit(isTold ? 0 : 1);

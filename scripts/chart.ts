// Writes the files of the chart that are made from scripts/chart-values/, or tells which are stale.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chartFiles } from './chart-values/chart-files.ts';

const HELP = `Usage: scripts/chart [--check]

Writes values.yaml, values.schema.json, files/missing-values.yaml and the tables in README.md of the chart from scripts/chart-values/.

  --check     write nothing; end with 1 and name the files that are stale
  -h, --help  this text
`;

const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });

if (values.help === true) process.stdout.write(HELP);
else await run(values.check === true);

async function run(isCheck: boolean): Promise<void> {
  const stale = (await chartFiles()).filter(({ text, wanted }) => text !== wanted);
  for (const file of stale) {
    const name = path.relative(process.cwd(), file.path);
    if (isCheck) process.stderr.write(`${name} is stale: run scripts/chart\n`);
    else {
      writeFileSync(file.path, file.wanted);
      process.stdout.write(`${name} written\n`);
    }
  }
  if (isCheck && stale.length > 0) process.exitCode = 1;
}

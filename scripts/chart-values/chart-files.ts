// The files of the chart that are made from its values.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { GROUPS } from './all.ts';
import { writeMissingValues } from './write-missing-values.ts';
import { writeSchema } from './write-schema.ts';
import { writeTables } from './write-tables.ts';
import { writeValues } from './write-values.ts';

const CHART = fileURLToPath(new URL('../../charts/registry-credential-helper/', import.meta.url));

/** One of these files, as it is and as it should be. */
export interface ChartFile {
  readonly path: string;
  readonly text: string;
  readonly wanted: string;
}

/** values.yaml, values.schema.json, README.md, and what takes the place of missing values. */
export async function chartFiles(): Promise<readonly ChartFile[]> {
  const readme = read('README.md');
  const wanted = {
    'values.yaml': writeValues(GROUPS),
    'values.schema.json': writeSchema(GROUPS),
    'README.md': writeTables(GROUPS, readme),
    'files/missing-values.yaml': writeMissingValues(GROUPS),
  };
  return Promise.all(
    Object.entries(wanted).map(async ([name, text]) => {
      const file = path.join(CHART, name);
      const options = (await resolveConfig(file)) ?? {};
      return { path: file, text: read(name), wanted: await format(text, { ...options, filepath: file }) };
    }),
  );
}

function read(name: string): string {
  return readFileSync(path.join(CHART, name), 'utf8');
}

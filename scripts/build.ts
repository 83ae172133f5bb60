// Bundles the program into dist/: one entry, vendor SDKs in chunks of their own that are loaded when a provider needs them.
import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { BUNDLE } from './bundle.ts';
import { bundledPackages, writeLicences } from './licences.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

// Chunks carry a hash in their names: those of an earlier build would pile up.
rmSync('dist', { recursive: true, force: true });

const { metafile } = await build({
  ...BUNDLE,
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  sourcemap: 'linked',
  legalComments: 'linked',
  metafile: true,
  define: { __VERSION__: JSON.stringify(version) },
});
writeLicences('dist/licenses', bundledPackages(metafile));

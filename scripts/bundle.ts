// How the program is bundled: for the build, and for tests that what is bundled still works.
import type { BuildOptions } from 'esbuild';

/** Options of esbuild, without entry and output. */
export const BUNDLE = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  minify: true,
  keepNames: true,
  // The vendors' CommonJS code calls require for what Node brings along.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
} as const satisfies BuildOptions;

// Compiles a test or source file for jest with esbuild. Types are not checked here: `npm run typecheck` does that.
import { createHash } from 'node:crypto';
import { transformSync, version } from 'esbuild';

export default {
  process: (source, file, options) =>
    transformSync(source, {
      loader: 'ts',
      format: options.supportsStaticESM ? 'esm' : 'cjs',
      target: 'node22',
      sourcemap: 'inline',
      sourcefile: file,
    }),
  getCacheKey: (source, file, options) =>
    createHash('sha256')
      .update([version, file, source, String(options.supportsStaticESM), options.configString].join('\0'))
      .digest('hex'),
};

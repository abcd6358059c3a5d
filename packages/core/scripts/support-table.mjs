// `node packages/core/scripts/support-table.mjs [BACKEND …]` runs every kernel and writes docs/support.md.
// Default: all. The sources are TypeScript; tsup bundles them, tfjs and ONNX Runtime stay outside.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

const core = join(dirname(fileURLToPath(import.meta.url)), '..');
// Where every backend can be resolved.
const outDir = join(core, '..', '..', 'quality', 'dist', 'support');
await build({
  config: false,
  entry: [join(core, 'scripts', 'support-table.ts')],
  outDir,
  format: ['esm'],
  platform: 'node',
  target: 'es2022',
  silent: true,
  // One copy of core for everybody.
  esbuildOptions: (options) => {
    options.conditions = ['@poiesis/source'];
  },
  external: [/^@tensorflow\/tfjs-core$/, /^@tensorflow\/tfjs-backend-/, /^onnxruntime-/],
  noExternal: [/^@tensorflow\/tfjs-core\/dist\//],
});
const backends = process.argv.slice(2);
const file = join(core, '..', '..', 'docs', 'support.md');
const { status } = spawnSync(
  process.execPath,
  [join(outDir, 'support-table.js'), file, ...(backends.length ? backends : ['cpu', 'wasm', 'onnx'])],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;

import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'src/index.ts', 'node/index': 'src/node/index.ts' },
  format: ['esm', 'cjs'],
  // Also in CommonJS: two entries with a copy each of the same module would be two sets of classes.
  splitting: true,
  dts: true,
  clean: true,
  sourcemap: true,
  target: 'es2022',
  // The codecs' WebAssembly is found by `import.meta.url`, also from CommonJS.
  shims: true,
});

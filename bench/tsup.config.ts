import { defineConfig } from 'tsup';

// Made from the packages' sources, so that a measurement needs no build of the packages first.
export default defineConfig({
  entry: { main: 'src/main.ts', child: 'src/child/main.ts', share: 'src/share.ts' },
  format: ['esm'],
  platform: 'node',
  target: 'es2022',
  clean: true,
  external: ['onnxruntime-node', /^@tensorflow\/tfjs-core$/, /^@tensorflow\/tfjs-backend-/],
  noExternal: [/^@poiesis\//, /^@tensorflow\/tfjs-core\/dist\//],
  esbuildOptions(options) {
    options.conditions = ['@poiesis/source', 'node', 'import', 'module'];
  },
});

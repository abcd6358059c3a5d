import { defineConfig } from 'tsup';

// One bundle, made from the packages' sources, so that `npm start` needs no build of the packages first.
export default defineConfig({
  entry: { main: 'src/main.ts' },
  format: ['esm'],
  platform: 'node',
  target: 'es2022',
  clean: true,
  sourcemap: true,
  external: ['onnxruntime-node', /^@tensorflow\/tfjs-core$/, /^@tensorflow\/tfjs-backend-/],
  noExternal: [/^@poiesis\//, /^@tensorflow\/tfjs-core\/dist\//],
  // Bundled CommonJS packages go on requiring Node's own modules.
  banner: {
    js: "import { createRequire as requireOfApp } from 'node:module'; globalThis.require ??= requireOfApp(import.meta.url);",
  },
  esbuildOptions(options) {
    options.conditions = ['@poiesis/source', 'node', 'import', 'module'];
  },
});

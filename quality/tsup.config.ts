import { defineConfig } from 'tsup';

// Bundles made from the packages' sources, so that a check needs no build of the packages first.
export default defineConfig({
  entry: ['src/dcgan-run.ts', 'src/soak.ts'],
  format: ['esm'],
  platform: 'node',
  target: 'es2022',
  clean: true,
  external: [/^@tensorflow\/tfjs-core$/, /^@tensorflow\/tfjs-backend-/],
  noExternal: [/^@poiesis\//, /^@tensorflow\/tfjs-core\/dist\//],
  // Libraries written in CommonJS are bundled too, and ask for Node's modules by `require`.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  esbuildOptions(options) {
    options.conditions = ['@poiesis/source', 'node', 'import', 'module'];
  },
});

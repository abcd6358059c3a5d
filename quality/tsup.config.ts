import { defineConfig } from 'tsup';

// Bundles made from the packages' sources, so that a check needs no build of the packages first.
export default defineConfig({
  entry: [
    'src/canvas.ts',
    'src/clip-emoji-export.ts',
    'src/coloured-shapes.ts',
    'src/dcgan-run.ts',
    'src/embedding-index.ts',
    'src/soak.ts',
    'src/unread.ts',
    'src/layers-speed.ts',
  ],
  format: ['esm'],
  platform: 'node',
  target: 'es2022',
  clean: true,
  external: [
    'onnxruntime-node',
    'usearch',
    /^@tensorflow\/tfjs-(core|layers)$/,
    /^@tensorflow\/tfjs-backend-/,
  ],
  noExternal: [/^@poiesis\//, /^@tensorflow\/tfjs-core\/dist\//],
  // Libraries written in CommonJS are bundled too, and ask for Node's modules by `require`.
  banner: {
    js: "import { createRequire as requireOfBundle } from 'node:module'; globalThis.require ??= requireOfBundle(import.meta.url);",
  },
  esbuildOptions(options) {
    options.conditions = ['@poiesis/source', 'node', 'import', 'module'];
  },
});

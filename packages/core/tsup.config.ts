import { defineConfig } from 'tsup';
import { tfjsMainEntry } from './tfjs-main-entry';

export default defineConfig({
  entry: { index: 'src/index.ts', 'node/index': 'src/node/index.ts' },
  format: ['esm', 'cjs'],
  // Also in CommonJS: two entries with a copy each of the same module would be two registries and two sets of classes.
  splitting: true,
  dts: true,
  clean: true,
  sourcemap: true,
  target: 'es2022',
  // tfjs-core itself stays external (two copies are two engines); its gradient registrations are bundled,
  // because their published files are extensionless ESM that Node can neither import nor require.
  external: [/^@tensorflow\/tfjs-core$/, /^@tensorflow\/tfjs-backend-/],
  noExternal: [/^@tensorflow\/tfjs-core\/dist\//],
  esbuildPlugins: [tfjsMainEntry],
});

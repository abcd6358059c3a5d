import { defineConfig } from 'tsup';

const options = { format: ['esm' as const, 'cjs' as const], dts: true, sourcemap: true, target: 'es2022' };

export default defineConfig([
  // The runtime is loaded with `require`, from ESM by way of `import.meta.url`.
  { ...options, entry: { index: 'src/index.ts' }, shims: true, clean: true },
  { ...options, entry: { web: 'src/web.ts' }, platform: 'browser' },
]);

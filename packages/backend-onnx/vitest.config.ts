import { defineConfig } from 'vitest/config';

const conditions = ['@poiesis/source', 'import', 'module', 'node', 'default'];

/** This package's own tests, and the numerical suites of the packages that run on it, unchanged. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'onnx',
    maxWorkers: 2,
    dir: '..',
    include: [
      'backend-onnx/test/**/*.test.ts',
      'core/test/{compile,nn,ops,init,optim,random,train}/**/*.test.ts',
      'attention/test/**/*.test.ts',
      'gan/test/**/*.test.ts',
      'clip/test/{checkpoints,model,objectives,towers,training}/**/*.test.ts',
    ],
    setupFiles: ['./test/setup.ts'],
    env: { POIESIS_TEST_BACKEND: 'onnx' },
    testTimeout: 60_000,
    server: { deps: { inline: [/@tensorflow\/tfjs-core\/dist\//] } },
  },
});

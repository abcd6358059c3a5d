import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Backends that every numerical suite runs on. */
export const backends = ['cpu', 'wasm'] as const;

/** Vitest config of a package: its whole suite once per backend, host-only tests once.
 *  Sources are run, not builds: the `@poiesis/source` export condition. */
export function suites({ hostOnly = [] as string[] } = {}): ViteUserConfig {
  const only = process.env.POIESIS_TEST_BACKEND;
  const chosen = only ? [only] : backends;
  const shared = {
    setupFiles: ['./test/setup.ts'],
    testTimeout: 60_000,
    server: { deps: { inline: [/@tensorflow\/tfjs-core\/dist\//] } },
  };
  const resolve = { conditions: ['@poiesis/source', 'import', 'module', 'node', 'default'] };
  const ssr = { resolve: { conditions: ['@poiesis/source', 'import', 'module', 'node', 'default'] } };
  return defineConfig({
    test: {
      maxWorkers: 2,
      projects: [
        ...chosen.map((backend) => ({
          resolve,
          ssr,
          test: {
            ...shared,
            name: backend,
            include: ['test/**/*.test.ts'],
            exclude: hostOnly,
            env: { POIESIS_TEST_BACKEND: backend },
          },
        })),
        ...(hostOnly.length && (!only || only === 'cpu')
          ? [
              {
                resolve,
                ssr,
                test: {
                  ...shared,
                  name: 'host',
                  include: hostOnly.map((g) => g.replace(/\*\*$/, '**/*.test.ts')),
                  env: { POIESIS_TEST_BACKEND: 'cpu' },
                },
              },
            ]
          : []),
      ],
    },
  });
}

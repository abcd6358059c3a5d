import { defineConfig } from 'vitest/config';

const conditions = ['@poiesis/source', 'import', 'module', 'node', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { server: { deps: { inline: [/^@tensorflow\/tfjs-core\/dist\//] } } },
});

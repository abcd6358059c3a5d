import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentType } from '../../scripts/lib/browser.mjs';
import { openPage } from './chromium.mjs';

const src = dirname(fileURLToPath(import.meta.url));

/**
 * Bundles a program of this folder for a browser, from the packages' sources.
 *
 * @param {string} name
 * @returns the folder with the bundle, `NAME.js`.
 */
export async function bundlePage(name) {
  const { build } = await import('esbuild');
  const out = join(src, '..', 'dist', name);
  await build({
    entryPoints: [join(src, `${name}.ts`)],
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    outdir: out,
    logLevel: 'error',
    conditions: ['@poiesis/source', 'browser'],
    // What Emscripten's loader asks for under Node only.
    external: [
      'module',
      'worker_threads',
      'fs',
      'path',
      'url',
      'crypto',
      'os',
      'perf_hooks',
      'node:*',
      'util',
    ],
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  return out;
}

/**
 * Serves an empty page that runs `script`, and the files of folders.
 *
 * @param {[beginning: string, folder: string][]} folders of the first whose beginning an address has.
 * @param {string} script
 */
export async function servePages(folders, script) {
  let isolated = false;
  /** @type {(told: Record<string, any>) => void} */
  let told = () => {};
  const server = createServer((request, response) => {
    if (isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        response.end();
        told(JSON.parse(body));
      });
      return;
    }
    try {
      const [beginning, folder] = folders.find(([start]) => pathname.startsWith(start)) ?? ['', ''];
      const file =
        pathname === '/' ? undefined : readFileSync(join(folder, pathname.slice(beginning.length)));
      response.setHeader('content-type', contentType(pathname) ?? 'text/html');
      response.end(
        file ?? `<!doctype html><meta charset="utf-8"><script type="module" src="/${script}"></script>`,
      );
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    /**
     * Opens the page, and waits for what it posts.
     *
     * @param {URLSearchParams} query
     * @param {{ isolated?: boolean }} [options] `isolated`: with the headers that allow threads.
     * @returns {Promise<Record<string, any>>} `{ error }` where the browser ends before.
     */
    async ask(query, { isolated: alone = false } = {}) {
      isolated = alone;
      const result = new Promise((resolve) => {
        told = resolve;
      });
      const page = openPage(`http://127.0.0.1:${port}/?${query}`);
      try {
        return await Promise.race([result, page.ended]);
      } finally {
        await page.close();
      }
    },
    close: () => server.close(),
  };
}

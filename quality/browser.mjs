// `node quality/browser.mjs [--workload mlp-train,dcgan-train] [--backend onnx,wasm] [--threads 1,2] [--seconds 5]
// [--rounds 1] [--json]`: training steps in headless Chromium (CHROMIUM, or the first in PATH), by backend. More than one
// thread means a page with the two headers that make it cross-origin isolated.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureInstalled } from '../scripts/lib/workspace.mjs';
import { openPage } from './src/chromium.mjs';

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: 'mlp-train,dcgan-train' },
    backend: { type: 'string', default: 'onnx,wasm' },
    threads: { type: 'string', default: '1,2' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const cwd = dirname(fileURLToPath(import.meta.url));
await ensureInstalled();
const { build } = await import('esbuild');
const out = join(cwd, 'dist', 'browser');
await build({
  entryPoints: [join(cwd, 'src', 'browser-page.ts')],
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  outdir: out,
  logLevel: 'error',
  conditions: ['@poiesis/source', 'browser'],
  // What Emscripten's loader asks for under Node only.
  external: ['module', 'worker_threads', 'fs', 'path', 'url', 'crypto', 'os', 'perf_hooks', 'node:*', 'util'],
  define: { 'process.env.NODE_ENV': '"production"' },
});

const require = createRequire(import.meta.url);
/** Folders that the server serves, by the beginning of the address. @type {[string, string][]} */
const folders = [
  ['/onnxruntime-web/', dirname(require.resolve('onnxruntime-web'))],
  ['/tfjs-wasm/', join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist')],
  ['/', out],
];
const types = new Map([
  ['.js', 'text/javascript'],
  ['.mjs', 'text/javascript'],
  ['.wasm', 'application/wasm'],
]);
let isolated = false;
/** @type {(result: Record<string, any>) => void} */
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
  const [beginning, folder] = folders.find(([start]) => pathname.startsWith(start)) ?? ['/', out];
  try {
    const file = pathname === '/' ? undefined : readFileSync(join(folder, pathname.slice(beginning.length)));
    response.setHeader('content-type', types.get(extname(pathname)) ?? 'text/html');
    response.end(
      file ?? '<!doctype html><meta charset="utf-8"><script type="module" src="/browser-page.js"></script>',
    );
  } catch {
    response.statusCode = 404;
    response.end();
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
const address = server.address();
const port = typeof address === 'object' && address ? address.port : 0;

const list = (/** @type {string} */ text) => text.split(',');
const rows = [];
for (let round = 0; round < Number(values.rounds); round++)
  for (const workload of list(values.workload))
    for (const threads of list(values.threads))
      for (const backend of list(values.backend)) {
        isolated = Number(threads) > 1;
        const query = new URLSearchParams({ workload, backend, threads, seconds: values.seconds });
        const result = new Promise((resolve) => {
          told = resolve;
        });
        const page = openPage(`http://127.0.0.1:${port}/?${query}`);
        const row = {
          workload,
          backend,
          threads: Number(threads),
          ...(await Promise.race([result, page.ended])),
        };
        await page.close();
        rows.push(row);
        if (!values.json) console.log(show(row));
      }
server.close();
if (values.json) console.log(JSON.stringify(rows));
process.exitCode = rows.some((row) => 'error' in row) ? 1 : 0;

/** @param {Record<string, any>} row */
function show({
  workload,
  backend,
  threads,
  error,
  device,
  medianMs,
  minMs,
  maxMs,
  firstMs,
  loadMs,
  steps,
  loss,
}) {
  const name = `${workload}  ${backend}  ${threads === 1 ? 'page as it is' : `isolated, ${threads} threads`}`;
  if (error) return `${name}: ${error}`;
  const [median, min, max, first, load] = [medianMs, minMs, maxMs, firstMs, loadMs].map((ms) =>
    ms.toFixed(1),
  );
  return `${name}: ${median} ms a step (${min} to ${max}, first ${first}, load ${load}, ${steps} steps, loss ${loss.toFixed(4)}; ${device})`;
}

// `node quality/browser.mjs [--workload mlp-train,dcgan-train] [--backend onnx,wasm] [--threads 1,2] [--seconds 5]
// [--rounds 1] [--json]`: training steps in headless Chromium (CHROMIUM, or the first in PATH), by backend. More than one
// thread means a page with the two headers that make it cross-origin isolated.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled } from '../scripts/lib/workspace.mjs';
import { bundlePage, servePages } from './src/pages.mjs';

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
await ensureInstalled();
const out = await bundlePage('browser-page');

const require = createRequire(import.meta.url);
/** Folders that the server serves, by the beginning of the address. @type {[string, string][]} */
const folders = [
  ['/onnxruntime-web/', dirname(require.resolve('onnxruntime-web'))],
  ['/tfjs-wasm/', join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist')],
  ['/', out],
];
const pages = await servePages(folders, 'browser-page.js');

const list = (/** @type {string} */ text) => text.split(',');
const rows = [];
for (let round = 0; round < Number(values.rounds); round++)
  for (const workload of list(values.workload))
    for (const threads of list(values.threads))
      for (const backend of list(values.backend)) {
        const query = new URLSearchParams({ workload, backend, threads, seconds: values.seconds });
        const told = await pages.ask(query, { isolated: Number(threads) > 1 });
        const row = { workload, backend, threads: Number(threads), ...told };
        rows.push(row);
        if (!values.json) console.log(show(row));
      }
pages.close();
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

// One contender's process: `node child.js CONTENDER WORKLOAD THREADS`. What it is then asked: ../protocol.ts.
import type { Engine } from './engine';
import { serve } from './serve';

// Each engine loads itself only: a contender's memory must not hold the others.
const engines: Record<string, () => Promise<{ start: Engine }>> = {
  onnx: () => import('./onnx'),
  'tfjs-wasm': () => import('./tfjs-wasm'),
  'tfjs-node': () => import('./tfjs-node'),
  onnxruntime: () => import('./onnxruntime'),
  'transformers.js': () => import('./transformers-js'),
};

console.log = console.error; // standard output is for answers
const [contender = '', workload = '', threads = '1'] = process.argv.slice(2);
const { start } = await engines[contender]!();
const begin = performance.now();
const ready = await start(workload, Number(threads));
await serve(ready, performance.now() - begin);

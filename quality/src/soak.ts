// node --expose-gc soak.js STEPS BACKEND: memory of a long run. Its last line is the verdict.
import '@poiesis/backend-onnx';
import { train, useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { smallDcgan } from './small-dcgan';

const [steps = '', backend = ''] = process.argv.slice(2);
const total = Number(steps);
const active = await useBackend(backend);
const { step, batches } = smallDcgan();

interface Reading {
  step: number;
  tensors: number;
  buffers: number;
  dataIds: number;
  rss: number;
}

/** What the process holds when nothing is in use: after a garbage collection. */
function read(at: number): Reading {
  globalThis.gc!();
  const { numTensors, numDataBuffers } = tf.memory();
  const dataIds = tf.engine().backend.numDataIds();
  return { step: at, tensors: numTensors, buffers: numDataBuffers, dataIds, rss: process.memoryUsage.rss() };
}

const readings: Reading[] = [];
const every = Math.max(1, Math.floor(total / 100));
// The last step is alone in the queue of losses, so it holds less than the others.
for await (const event of train(step, batches, { steps: total + 1, seed: 4, lag: 1 })) {
  if (event.type !== 'step' || event.step % every !== 0 || event.step > total) continue;
  readings.push(read(event.step));
  if (readings.length % 10 === 0) {
    const { tensors, buffers, dataIds, rss } = readings.at(-1)!;
    const mb = (rss / 2 ** 20).toFixed(1);
    console.log(
      `step ${event.step}: ${tensors} tensors, ${buffers} buffers, ${dataIds} data ids, ${mb} MB resident`,
    );
  }
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const tenth = Math.floor(readings.length / 10);
const warm = readings.slice(2 * tenth);
const flat = (['tensors', 'buffers', 'dataIds'] as const).every(
  (k) => new Set(warm.map((r) => r[k])).size === 1,
);
const before = median(readings.slice(2 * tenth, 3 * tenth).map((r) => r.rss));
const after = median(readings.slice(-tenth).map((r) => r.rss));
const growth = after / before - 1;
console.log(
  `${total} steps on ${active.name}: ${flat ? 'tensors, buffers and data ids flat' : 'TENSORS OR BUFFERS GREW'}, ` +
    `resident memory ${(growth * 100).toFixed(2)} % from the third tenth to the last`,
);
process.exitCode = flat && growth < 0.02 ? 0 : 1;

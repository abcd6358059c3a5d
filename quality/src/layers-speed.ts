// node layers-speed.js [--models LIST] [--backends LIST] [--rounds N] [--width N]: tfjs-layers models, unchanged, on several backends.
// The first fit compares losses over 50 steps with the first backend's; later ones, interleaved, are timed.
import '@poiesis/backend-onnx';
import { parseArgs } from 'node:util';
import { useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { BATCH, type Task, tasks } from './layers-models';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: Object.keys(tasks).join() },
    backends: { type: 'string', default: 'cpu,wasm,onnx' },
    rounds: { type: 'string', default: '5' },
    width: { type: 'string', default: '1' },
  },
});
const backends = values.backends.split(',');
const COMPARED = 50;
const TIMED = 10;

interface Contender extends Task {
  backend: string;
  losses: number[];
  fit: number[];
  predict: number[];
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
const difference = (a: number[], b: number[]) =>
  Math.max(...a.map((v, i) => Math.abs(v - b[i]!) / Math.abs(v)));

async function losses({ model, x, y }: Task): Promise<number[]> {
  const seen: number[] = [];
  await model.fit(x, y, {
    batchSize: BATCH,
    shuffle: false,
    verbose: 0,
    yieldEvery: 'never',
    callbacks: { onBatchEnd: (_, logs) => void seen.push(logs!.loss as number) },
  });
  return seen;
}

/** Milliseconds of a training step and of a prediction of one batch. */
async function time({ model, x, y }: Task): Promise<{ fit: number; predict: number }> {
  const [inputs, targets] = [x, y].map((t) => tf.slice(t, 0, TIMED * BATCH)) as [tf.Tensor, tf.Tensor];
  let start = performance.now();
  await model.fit(inputs, targets, { batchSize: BATCH, verbose: 0 });
  const fit = (performance.now() - start) / TIMED;
  start = performance.now();
  for (let i = 0; i < TIMED; i++) {
    const predicted = tf.tidy(() => model.predict(tf.slice(x, i * BATCH, BATCH)) as tf.Tensor);
    await predicted.data();
    predicted.dispose();
  }
  const predict = (performance.now() - start) / TIMED;
  tf.dispose([inputs, targets]);
  return { fit, predict };
}

let agree = true;
for (const name of values.models.split(',')) {
  const contenders: Contender[] = [];
  for (const backend of backends) {
    await useBackend(backend);
    const task = tasks[name]!(COMPARED * BATCH, Number(values.width));
    contenders.push({ ...task, backend, losses: await losses(task), fit: [], predict: [] });
    await time(task);
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const contender of contenders) {
      await useBackend(contender.backend);
      const { fit, predict } = await time(contender);
      contender.fit.push(fit);
      contender.predict.push(predict);
    }
  }
  for (const { backend, losses, fit, predict } of contenders) {
    const apart = difference(contenders[0]!.losses, losses);
    agree &&= apart <= 1e-4;
    console.log(
      `${name.padEnd(14)} ${backend.padEnd(5)} fit ${median(fit).toFixed(2).padStart(7)} ms a step, ` +
        `predict ${median(predict).toFixed(2).padStart(6)} ms, losses within ${apart.toExponential(1)} of ${backends[0]}'s`,
    );
  }
}
process.exitCode = agree ? 0 : 1;

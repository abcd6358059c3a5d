// A small run with everything that a resume has to bring back. It is started as a process of its own, and killed.
// node victim.js FOLDER STEPS
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import {
  adam,
  cosine,
  DataLoader,
  Dropout,
  ema,
  fromArrays,
  hostUniform,
  Linear,
  Module,
  mse,
  randomKey,
  type TrainStep,
  train,
  useBackend,
  valueAndGrad,
  withReaders,
} from '../../../src';
import { directoryStore, jsonlLog } from '../../../src/node';

class Net extends Module {
  readonly first = new Linear(4, 16, { key: randomKey(1) });
  readonly drop = new Dropout(0.3);
  readonly second = new Linear(16, 1, { key: randomKey(2) });
}

const [folder = '', steps = ''] = process.argv.slice(2);
await useBackend('cpu');
const model = new Net();
const optimizer = adam({ lr: cosine(0.05, { steps: Number(steps) }) });
const average = ema(model, { decay: 0.9 });
const step: TrainStep<{ x: tf.Tensor; y: tf.Tensor }> = {
  state: { model, optimizer, average },
  run({ x, y }, key) {
    const parameters = model.trainableParameters();
    const { value, grads } = valueAndGrad(
      () => mse(model.second.forward(model.drop.forward(model.first.forward(x), { key })), y) as tf.Scalar,
      parameters,
    );
    optimizer.step(parameters, grads);
    average.update();
    return { loss: value };
  },
};
const dataset = fromArrays({
  x: { data: hostUniform(randomKey(3), 4 * 50), shape: [50, 4] },
  y: { data: hostUniform(randomKey(4), 50), shape: [50, 1] },
});
const events = train(step, new DataLoader(dataset, { batchSize: 8, shuffle: true, seed: 5 }), {
  steps: Number(steps),
  seed: 6,
  checkpoints: directoryStore(join(folder, 'checkpoints')),
  checkpointEvery: 7,
  resume: true,
  lag: 2,
});
for await (const event of withReaders(events, [jsonlLog(join(folder, 'events.jsonl'))])) {
  if (event.type === 'start') process.stdout.write(`start ${event.step}\n`);
}
const hash = createHash('sha256');
for (const [owner, stateful] of Object.entries(step.state)) {
  // By name: a state that was loaded and not used yet comes in the order of its file.
  const tensors = Object.entries(await stateful.stateDict()).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { bytes }] of tensors) hash.update(`${owner}.${name}`).update(bytes);
}
process.stdout.write(`state ${hash.digest('hex')}\n`);

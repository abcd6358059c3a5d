// node --expose-gc unread.js STEPS BACKEND: long runs that read only every 100th loss, compiled and not. Memory has to
// stay flat, and nothing may be compiled after the warm-up, whatever the cadence of reading. The last line is the verdict.
import '@poiesis/backend-onnx';
import { adam, compile, hostNormal, Linear, mse, randomKey, useBackend, valueAndGrad } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';

const [steps = '', backend = ''] = process.argv.slice(2);
const total = Number(steps);
const active = await useBackend(backend);
const SEEN = 10;

interface Loop {
  /** One step, whose loss the caller disposes of. */
  step(i: number): tf.Scalar;
}

const batch = (i: number, shape: [number, number]) =>
  tf.tensor(hostNormal(randomKey(i), shape[0] * shape[1]), shape);

/** A plain tfjs program: a model of variables, an optimizer of tfjs, a new batch at every step. */
function plain(): Loop {
  const [w1, w2] = [batch(1, [32, 64]), batch(2, [64, 8])].map((w) => tf.variable(tf.mul(w, 0.1)));
  const optimizer = tf.train.adam(1e-3);
  return {
    step(i) {
      const x = batch(i, [16, 32]);
      const loss = optimizer.minimize(() => {
        const hidden = tf.relu(tf.matMul(x as tf.Tensor2D, w1 as unknown as tf.Tensor2D));
        return tf.mean(tf.square(tf.matMul(hidden, w2 as unknown as tf.Tensor2D))) as tf.Scalar;
      }, true)!;
      x.dispose();
      return loss;
    },
  };
}

/** State in tensors, no variables: a tidy for each step, and a learning rate that falls at every step. */
function functional(): Loop {
  let w: tf.Tensor = batch(1, [32, 8]);
  return {
    step(i) {
      const [next, loss] = tf.tidy(() => {
        const x = batch(i, [16, 32]) as tf.Tensor2D;
        const { value, grad } = tf.valueAndGrad(
          (v) => tf.mean(tf.square(tf.matMul(x, v as tf.Tensor2D))) as tf.Scalar,
        )(w);
        return [tf.sub(w, tf.mul(grad, 0.1 / (i + 1))), value] as [tf.Tensor, tf.Scalar];
      });
      w.dispose();
      w = next;
      return loss;
    },
  };
}

/** A tfjs-layers model, trained batch by batch. */
function layered(): Loop {
  const model = sequential();
  model.add(layers.dense({ units: 64, activation: 'relu', inputShape: [32] }));
  model.add(layers.batchNormalization());
  model.add(layers.dense({ units: 8 }));
  const optimizer = tf.train.momentum(1e-3, 0.9);
  return {
    step: (i) =>
      tf.tidy(() => {
        const x = batch(i, [16, 32]);
        return optimizer.minimize(
          () => tf.mean(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar,
          true,
        )!;
      }),
  };
}

/** A step of core, compiled. */
function compiled(): Loop {
  const model = new Linear(32, 8, { key: randomKey(1) });
  const optimizer = adam({ lr: (count) => 1e-3 / (count + 1) });
  const run = compile((x: tf.Tensor) => {
    const parameters = model.trainableParameters();
    const { value, grads } = valueAndGrad(
      () => mse(model.forward(x), tf.zeros([16, 8])) as tf.Scalar,
      parameters,
    );
    optimizer.step(parameters, grads);
    return value;
  });
  return { step: (i) => tf.tidy(() => run(batch(i, [16, 32]))) as tf.Scalar };
}

function train({ step }: Loop, from: number, steps: number, every: number): void {
  for (let i = 1; i <= steps; i++) {
    const loss = step(from + i);
    if (i % every === 0 && !Number.isFinite(loss.dataSync()[0]!)) throw new Error('the loss is not finite');
    loss.dispose();
  }
}

const programs = () =>
  (tf.backend() as { programs?: { statistics: { compiled: number } } }).programs?.statistics.compiled ?? 0;
const read = () => {
  globalThis.gc!();
  const { numTensors, numBytes } = tf.memory();
  return { tensors: numTensors, bytes: numBytes, rss: process.memoryUsage.rss() };
};

let good = true;
for (const [name, make] of Object.entries({ plain, functional, layered, compiled })) {
  const loop = make();
  // Warm-up: what is read, what is not, and the end of a stretch.
  for (const every of [1, 2, 3]) train(loop, 0, 12, every);
  const before = programs();
  const readings = [];
  const start = performance.now();
  for (let i = 0; i < SEEN; i++) {
    train(loop, i * (total / SEEN), total / SEEN, 100);
    readings.push(read());
  }
  const ms = (performance.now() - start) / total;
  const recompiled = programs() - before;
  for (const every of [1, 7, 50]) train(loop, 0, 100, every);
  const cadences = programs() - before - recompiled;
  const [first, last] = [readings[2]!, readings.at(-1)!];
  const growth = last.rss / first.rss - 1;
  const flat = first.tensors === last.tensors && first.bytes === last.bytes && growth < 0.02;
  good &&= flat && recompiled === 0 && cadences === 0;
  console.log(
    `${name}: ${ms.toFixed(2)} ms a step, ${last.tensors} tensors (${first.tensors} before), resident memory ` +
      `${(100 * growth).toFixed(2)} % from the third tenth to the last (${(last.rss / 2 ** 20).toFixed(0)} MB), ` +
      `compiled after the warm-up: ${recompiled}, for other cadences of reading: ${cadences}`,
  );
}
console.log(
  `${total} steps on ${active.name}: ${good ? 'flat, nothing compiled anew' : 'NOT AS IT SHOULD BE'}`,
);
process.exitCode = good ? 0 : 1;

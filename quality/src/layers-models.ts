import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';

export interface Task {
  model: LayersModel;
  x: tf.Tensor;
  y: tf.Tensor;
}

export const BATCH = 32;

/** Numbers in [0, 1) that are the same on every backend. */
function uniform(shape: number[], seed: number): Float32Array {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next);
}

const inputs = (shape: number[], seed = 1) =>
  tf.tensor(
    uniform(shape, seed).map((v) => 2 * v - 1),
    shape,
  );
const indices = (shape: number[], below: number, seed = 1) =>
  tf.tensor(
    Int32Array.from(uniform(shape, seed), (v) => Math.floor(v * below)),
    shape,
    'int32',
  );
const labels = (n: number, classes: number) =>
  tf.tidy(() => tf.cast(tf.oneHot(indices([n], classes, 7) as tf.Tensor1D, classes), 'float32'));
/** Layers take their first weights from a seed, so that every backend starts from the same ones. */
const from = (seed: number) => ({ kernelInitializer: initializers.glorotUniform({ seed }) });

/** Models of the kinds that tfjs-layers programs train, compiled, each with data for `n` samples; `width` times as wide. */
export const tasks: Record<string, (n: number, width?: number) => Task> = {
  dense(n, width = 1) {
    const model = sequential();
    model.add(layers.dense({ units: 256 * width, activation: 'relu', inputShape: [784], ...from(1) }));
    model.add(layers.dense({ units: 128 * width, activation: 'relu', ...from(2) }));
    model.add(layers.dense({ units: 10, activation: 'softmax', ...from(3) }));
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    return { model, x: inputs([n, 784]), y: labels(n, 10) };
  },
  convolutional(n, width = 1) {
    const model = sequential();
    const conv = { kernelSize: 3, activation: 'relu' as const };
    model.add(layers.conv2d({ filters: 8 * width, inputShape: [28, 28, 1], ...conv, ...from(1) }));
    model.add(layers.maxPooling2d({ poolSize: 2 }));
    model.add(layers.conv2d({ filters: 16 * width, ...conv, ...from(2) }));
    model.add(layers.maxPooling2d({ poolSize: 2 }));
    model.add(layers.flatten());
    model.add(layers.dense({ units: 64, activation: 'relu', ...from(3) }));
    model.add(layers.dense({ units: 10, activation: 'softmax', ...from(4) }));
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    return { model, x: inputs([n, 28, 28, 1]), y: labels(n, 10) };
  },
  normalized(n, width = 1) {
    const model = sequential();
    const conv = { kernelSize: 3, strides: 2, padding: 'same' as const, useBias: false };
    for (const [i, filters] of [8 * width, 16 * width].entries()) {
      const shape = i === 0 ? { inputShape: [28, 28, 1] } : {};
      model.add(layers.conv2d({ filters, ...conv, ...shape, ...from(1 + i) }));
      model.add(layers.batchNormalization());
      model.add(layers.activation({ activation: 'relu' }));
    }
    model.add(layers.globalAveragePooling2d({}));
    model.add(layers.dense({ units: 10, activation: 'softmax', ...from(3) }));
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    return { model, x: inputs([n, 28, 28, 1]), y: labels(n, 10) };
  },
  lstm(n, width = 1) {
    const model = sequential();
    const recurrentInitializer = initializers.glorotNormal({ seed: 5 });
    model.add(layers.lstm({ units: 64 * width, inputShape: [16, 16], recurrentInitializer, ...from(1) }));
    model.add(layers.dense({ units: 1, ...from(2) }));
    model.compile({ optimizer: 'rmsprop', loss: 'meanSquaredError' });
    return { model, x: inputs([n, 16, 16]), y: inputs([n, 1], 3) };
  },
  embedding(n, width = 1) {
    const model = sequential();
    model.add(
      layers.embedding({
        inputDim: 2000,
        outputDim: 64 * width,
        inputLength: 32,
        embeddingsInitializer: initializers.randomUniform({ seed: 1 }),
      }),
    );
    model.add(layers.globalAveragePooling1d());
    model.add(layers.dense({ units: 64, activation: 'tanh', ...from(2) }));
    model.add(layers.dense({ units: 1, activation: 'sigmoid', ...from(3) }));
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' });
    const y = tf.tidy(() => tf.cast(indices([n, 1], 2, 3), 'float32'));
    return { model, x: indices([n, 32], 2000), y };
  },
};

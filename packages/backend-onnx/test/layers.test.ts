import * as tf from '@tensorflow/tfjs-core';
import {
  initializers,
  type LayersModel,
  layers,
  loadLayersModel,
  type Sequential,
  sequential,
} from '@tensorflow/tfjs-layers';
import { afterAll, describe, expect, it } from 'vitest';
import type { OnnxBackend } from '../src/backend';
import { numbers } from './on-cpu';

const BATCH = 4;
const STEPS = 50;
const SAMPLES = 5 * BATCH;

const kernel = (seed: number) => ({ kernelInitializer: initializers.glorotUniform({ seed }) });
const indices = (shape: number[], below: number) =>
  tf.tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7) % below),
    shape,
    'int32',
  );
const classes = () => tf.cast(tf.oneHot(indices([SAMPLES], 3) as tf.Tensor1D, 3), 'float32');

function stack(...parts: Parameters<Sequential['add']>[0][]): Sequential {
  const model = sequential();
  for (const part of parts) model.add(part);
  return model;
}

/** Programs as the documentation of tfjs-layers has them: nothing in them knows of a backend. */
const programs: Record<string, () => { model: LayersModel; x: tf.Tensor; y: tf.Tensor }> = {
  dense() {
    const model = stack(
      layers.dense({ units: 12, activation: 'relu', inputShape: [6], ...kernel(1) }),
      layers.dense({ units: 3, activation: 'softmax', ...kernel(2) }),
    );
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    return { model, x: numbers([SAMPLES, 6]), y: classes() };
  },
  convolutional() {
    const model = stack(
      layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 2], ...kernel(1) }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.separableConv2d({
        filters: 4,
        kernelSize: 3,
        depthwiseInitializer: initializers.glorotUniform({ seed: 3 }),
        pointwiseInitializer: initializers.glorotUniform({ seed: 4 }),
      }),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'softmax', ...kernel(2) }),
    );
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    return { model, x: numbers([SAMPLES, 8, 8, 2]), y: classes() };
  },
  'convolutional with batch normalization'() {
    const model = stack(
      layers.conv2d({
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        useBias: false,
        inputShape: [8, 8, 2],
        ...kernel(1),
      }),
      layers.batchNormalization(),
      layers.leakyReLU(),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 1, ...kernel(2) }),
    );
    model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'meanSquaredError' });
    return { model, x: numbers([SAMPLES, 8, 8, 2]), y: numbers([SAMPLES, 1], 2) };
  },
  lstm() {
    const recurrentInitializer = initializers.glorotUniform({ seed: 5 });
    const model = stack(
      layers.lstm({ units: 5, inputShape: [6, 3], recurrentInitializer, ...kernel(1) }),
      layers.dense({ units: 1, ...kernel(2) }),
    );
    model.compile({ optimizer: 'rmsprop', loss: 'meanSquaredError' });
    return { model, x: numbers([SAMPLES, 6, 3]), y: numbers([SAMPLES, 1], 2) };
  },
  embedding() {
    const model = stack(
      layers.embedding({
        inputDim: 11,
        outputDim: 4,
        inputLength: 5,
        embeddingsInitializer: initializers.randomUniform({ seed: 1 }),
      }),
      layers.globalAveragePooling1d(),
      layers.dense({ units: 1, activation: 'sigmoid', ...kernel(2) }),
    );
    model.compile({ optimizer: 'adam', loss: 'binaryCrossentropy' });
    return { model, x: indices([SAMPLES, 5], 11), y: tf.cast(indices([SAMPLES, 1], 2), 'float32') };
  },
};

async function run(backend: string, program: keyof typeof programs) {
  tf.setBackend(backend);
  const { model, x, y } = programs[program]!();
  const losses: number[] = [];
  await model.fit(x, y, {
    epochs: STEPS / 5,
    batchSize: BATCH,
    shuffle: false,
    verbose: 0,
    yieldEvery: 'never',
    callbacks: { onBatchEnd: (_, logs) => void losses.push(logs!.loss as number) },
  });
  const predicted = model.predict(x) as tf.Tensor;
  const result = { losses, predictions: [...predicted.dataSync()] };
  tf.dispose([x, y, predicted]);
  model.dispose();
  return result;
}

describe('an unchanged tfjs-layers program', () => {
  afterAll(() => void tf.setBackend('onnx'));

  it.each(Object.keys(programs))('has the losses of tfjs cpu over 50 steps: %s', async (program) => {
    const cpu = await run('cpu', program);
    const onnx = await run('onnx', program);
    expect(cpu.losses).toHaveLength(STEPS);
    for (const [i, loss] of onnx.losses.entries())
      expect(Math.abs(loss / cpu.losses[i]! - 1), `step ${i}`).toBeLessThan(1e-4);
    for (const [i, value] of onnx.predictions.entries()) expect(value).toBeCloseTo(cpu.predictions[i]!, 3);
  });

  it('compiles nothing after its first two epochs, whenever it yields and reports', async () => {
    tf.setBackend('onnx');
    const { model, x, y } = programs.dense!();
    const fit = (yieldEvery: 'auto' | 'batch' | 'never' | number, epochs = 2) =>
      model.fit(x, y, { epochs, batchSize: BATCH, shuffle: true, verbose: 0, yieldEvery });
    for (const kind of ['batch', 'never'] as const) await fit(kind);
    const { statistics } = (tf.backend() as OnnxBackend).programs;
    const { compiled } = statistics;
    for (const kind of ['batch', 'never', 'auto', 1] as const) await fit(kind, 3);
    expect(statistics.compiled).toBe(compiled);
  });

  it('evaluates, saves and loads', async () => {
    tf.setBackend('onnx');
    const { model, x, y } = programs.dense!();
    await model.fit(x, y, { epochs: 1, batchSize: BATCH, verbose: 0 });
    const [loss, accuracy] = model.evaluate(x, y, { batchSize: BATCH }) as tf.Scalar[];
    expect(loss!.dataSync()[0]).toBeGreaterThan(0);
    expect(accuracy!.dataSync()[0]).toBeLessThanOrEqual(1);
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
      }),
    );
    const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
    const [before, after] = [model, loaded].map((m) => [...(m.predict(x) as tf.Tensor).dataSync()]);
    expect(after).toEqual(before);
  });
});

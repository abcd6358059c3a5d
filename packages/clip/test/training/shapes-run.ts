import { adamW, cosine, type Key, randomKey, type StepEvent, train, withReaders } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import {
  type ClipBatch,
  ClipModel,
  clipDiagnostics,
  clipStep,
  type Finding,
  infoNCE,
  l2Normalize,
  WordTokenizer,
} from '../../src';
import { colouredShape, shapeCaptions } from './shapes';

export interface ShapesRun {
  /** Pixels of a side. */
  size: number;
  /** Of the image tower. */
  layers: number;
  steps: number;
  /** Held-out pictures. */
  test: number;
  seed?: number;
  onStep?: (event: StepEvent, accuracy: () => number) => void;
}

/** Trains a small model on pictures and captions of coloured shapes, and labels pictures that it never saw. */
export async function runShapes({ size, layers, steps, test, seed = 1, onStep }: ShapesRun) {
  const tokenizer = WordTokenizer.of(shapeCaptions, { contextLength: 6 });
  const { vocabSize, contextLength, endToken } = tokenizer;
  const [training, heldOut] = randomKey(seed).split(2) as [Key, Key];
  const model = new ClipModel(
    {
      embedDim: 32,
      image: { imageSize: size, patchSize: 4, dim: 64, layers, heads: 4 },
      text: { vocabSize, contextLength, endToken, dim: 32, layers: 1, heads: 2 },
    },
    { seed },
  );

  /** Pictures by number, of the 16 captions in turn. */
  function pictures(key: Key, start: number, n: number): tf.Tensor4D {
    const values = size * size * 3;
    const pixels = new Float32Array(n * values);
    for (let i = 0; i < n; i++) {
      const number = start + i;
      pixels.set(colouredShape(number % 16, key.fold(number), size), i * values);
    }
    return tf.tensor4d(pixels, [n, size, size, 3]);
  }

  function* batches(): Generator<ClipBatch> {
    const captions = Array.from({ length: 64 }, (_, i) => shapeCaptions[i % 16]!);
    for (let i = 0; ; i++)
      yield { pixels: pictures(training, i * 64, 64), tokens: tokenizer.batch(captions) };
  }

  /** Share of held-out pictures whose nearest caption is theirs, by the average of the last weights. */
  function accuracy(): number {
    model.eval();
    const right = step.ema!.apply(() =>
      tf.tidy(() => {
        const texts = l2Normalize(model.encodeText(tokenizer.batch(shapeCaptions)));
        const images = l2Normalize(model.encodeImage(pictures(heldOut, 0, test)));
        const nearest = tf.argMax(tf.matMul(images, texts, false, true), 1).dataSync();
        return nearest.filter((best, i) => best === i % 16).length;
      }),
    );
    model.train();
    return right / test;
  }

  const lr = cosine(1.5e-3, { steps, warmup: 40 });
  const step = clipStep(model, {
    objective: infoNCE,
    optimizer: adamW({ lr, beta2: 0.98, weightDecay: 0.01 }),
    ema: { decay: 0.99, warmup: true },
  });
  const diagnostics = clipDiagnostics();
  for await (const event of withReaders(train(step, batches(), { steps, seed }), [diagnostics])) {
    if (event.type === 'step') onStep?.(event, accuracy);
  }
  const findings: readonly Finding[] = diagnostics.findings;
  return { accuracy: accuracy(), findings, parameters: model.parameterCount() };
}

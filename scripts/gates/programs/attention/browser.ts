import {
  beamSearch,
  causalMask,
  SequenceBatches,
  scaledDotProductAttention,
  sequenceLoss,
  Transformer,
} from '@poiesis/attention';
import { adam, noam, supervised, train, useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** Three steps of a tiny Transformer, a decoded target's form, and the function below it all. */
async function main(): Promise<void> {
  await useBackend('cpu');
  const sizes = { sourceVocab: 6, targetVocab: 7, dim: 8, heads: 2, layers: 1, hidden: 12 };
  const model = new Transformer(sizes, { seed: 1 });
  const pairs = [
    { source: [3, 4, 5], target: [6, 3] },
    { source: [5], target: [3, 4, 5, 6] },
  ];
  const batches = new SequenceBatches(pairs, { ...model.config, rows: 2, seed: 1 });
  const step = supervised(model, sequenceLoss({ labelSmoothing: 0.1 }), adam({ lr: noam(8) }));
  for await (const event of train(step, batches, { steps: 3, seed: 1 })) console.log(event.type, event.step);
  const found = await beamSearch(model, [3, 4, 5], { beams: 2, maxLength: 4 });
  console.log(
    found.length,
    found.every(({ tokens }) => tokens.length <= 4),
  );
  const x = tf.ones([1, 2, 3, 4]);
  const y = scaledDotProductAttention(x, x, x, { mask: causalMask(3) });
  console.log(y.shape.join(), Array.from(await y.data(), (value) => value.toFixed(2))[0]);
}

main().catch((error) => console.log('failed', error));

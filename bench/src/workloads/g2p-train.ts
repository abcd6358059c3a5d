import { SequenceBatches, sequenceLoss } from '@poiesis/attention';
import { adam, compile, randomKey, supervised } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { g2pTransformer, words } from '../models/g2p';
import type { Workload } from '../workload';

/** Letters of a batch on each side, padding included: 384 words of up to 8, or 256 of up to 12. */
const tokens = 3072;

export const g2pTrain: Workload = {
  name: 'g2p-train',
  about:
    'Transformer, 3 + 3 layers, 4 heads, 256 wide, dropout 0.1, 384 words × 8 or 256 × 12 letters, Adam: one update',
  prepare() {
    const model = g2pTransformer();
    const loss = sequenceLoss({ labelSmoothing: 0.1 });
    const optimizer = adam({ lr: 1e-3, beta2: 0.98, eps: 1e-9 });
    const step = supervised(model, loss, optimizer);
    const run = compile(step.run, { name: 'g2p-train' });
    const pairs = words(20_000, { min: 3, max: 12 });
    const batches = new SequenceBatches(pairs, { ...model.config, tokens, dropLast: true }).batches();
    return {
      async step(index) {
        const { batch } = (await batches.next()).value!;
        const { loss } = tf.tidy(() => run(batch, randomKey(1).fold(index)));
        const [value] = await loss!.data();
        tf.dispose([batch.source, batch.target, loss!]);
        return value!;
      },
      dispose() {
        model.dispose();
        optimizer.dispose();
      },
    };
  },
};

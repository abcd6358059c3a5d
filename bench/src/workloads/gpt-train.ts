import { adamW, compile, crossEntropy, gelu, hostIntegers, randomKey, valueAndGrad } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { GPT } from '../models/gpt';
import type { Workload } from '../workload';

const batch = 12;
const blockSize = 64;
const vocabSize = 65;

export const gptTrain: Workload = {
  name: 'gpt-train',
  about: 'GPT, 4 layers, 4 heads, 128 wide, 12 × 64 tokens of 65, AdamW: one update',
  prepare() {
    const config = { vocabSize, blockSize, layers: 4, heads: 4, dim: 128, activation: gelu };
    const model = new GPT(config, { key: randomKey(1) });
    const optimizer = adamW({ lr: 1e-3, beta2: 0.99, weightDecay: 0.1 });
    const train = compile(
      (ids: tf.Tensor, targets: tf.Tensor) => {
        const parameters = model.trainableParameters();
        const loss = () => crossEntropy(model.forward(ids), targets) as tf.Scalar;
        const { value, grads } = valueAndGrad(loss, parameters);
        optimizer.step(parameters, grads);
        return value;
      },
      { name: 'gpt-train' },
    );
    return {
      async step(index) {
        const key = randomKey(2).fold(index);
        const loss = tf.tidy(() => {
          const tokens = hostIntegers(key, batch * (blockSize + 1), { max: vocabSize });
          const rows = (from: number) => {
            const row = (i: number) => i * (blockSize + 1) + from;
            const part = new Int32Array(batch * blockSize);
            for (let i = 0; i < batch; i++)
              part.set(tokens.subarray(row(i), row(i) + blockSize), i * blockSize);
            return tf.tensor2d(part, [batch, blockSize], 'int32');
          };
          return train(rows(0), rows(1));
        });
        const [value] = await loss.data();
        loss.dispose();
        return value!;
      },
      dispose() {
        model.dispose();
        optimizer.dispose();
      },
    };
  },
};

import { adamW, compile, crossEntropy, gelu, hostIntegers, randomKey, valueAndGrad } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { GPT, type GPTConfig, gpt2 } from '../models/gpt';
import type { Workload } from '../workload';

export const gptTrain = training('gpt-train', 12, {
  vocabSize: 65,
  blockSize: 64,
  layers: 4,
  heads: 4,
  dim: 128,
  activation: gelu,
});

/** Not one of the bench's own: there to see how long a large model takes to compile. */
export const gpt2Train = training('gpt2-train', 1, { ...gpt2, blockSize: 64 });

function training(name: string, batch: number, config: GPTConfig): Workload {
  const { layers, heads, dim, blockSize, vocabSize } = config;
  const sizes = `${layers} layers, ${heads} heads, ${dim} wide, ${batch} × ${blockSize} tokens of ${vocabSize}`;
  return { name, about: `GPT, ${sizes}, AdamW: one update`, prepare: () => prepare(name, batch, config) };
}

function prepare(name: string, batch: number, config: GPTConfig) {
  const { blockSize, vocabSize } = config;
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
    { name },
  );
  return {
    async step(index: number) {
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
}

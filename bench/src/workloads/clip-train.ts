import { ClipModel, clipStep, infoNCE } from '@poiesis/clip';
import { adamW, compile, hostIntegers, type Key, randomKey } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { parametersOf } from '../models/parameters';
import type { Workload } from '../workload';
import { pictures } from './pictures';

const [batch, size, count] = [64, 48, 512];
const [vocabSize, contextLength] = [1000, 16];
const [start, end] = [vocabSize - 2, vocabSize - 1];
const tower = { dim: 128, layers: 4, heads: 4 };

export const clipTrain: Workload = {
  name: 'clip-train',
  about: `CLIP, both towers 4 layers, 4 heads, 128 wide, ${batch} pictures of ${size}×${size} in patches of 8, captions of ${contextLength} tokens, AdamW: one update`,
  prepare() {
    const config = {
      image: { ...tower, imageSize: size, patchSize: 8 },
      text: { ...tower, vocabSize, contextLength },
      embedDim: 128,
    };
    const model = new ClipModel(config, { seed: 1 });
    const optimizer = adamW({ lr: 1e-3, beta2: 0.98, eps: 1e-6, weightDecay: 0.1 });
    const step = clipStep(model, { objective: infoNCE, optimizer });
    const run = compile(step.run, { name: 'clip-train' });
    const [data, draws] = randomKey(2).split(2);
    const set = pictures(data!, count, size * size * 3);
    return {
      parameters: parametersOf(model),
      async step(index) {
        const [forPixels, forTokens, key] = draws!.fold(index).split(3);
        const { loss, ...others } = tf.tidy(() => {
          const pixels = tf.tensor4d(set.gather(forPixels!, batch), [batch, size, size, 3]);
          return run({ pixels, tokens: captions(forTokens!) }, key!);
        });
        const [value] = await loss!.data();
        tf.dispose([loss!, others]);
        return value!;
      },
      dispose() {
        model.dispose();
        optimizer.dispose();
      },
    };
  },
};

/** Texts of 1 to 14 words between start and end, padded with zeros: int32 `[batch, context]`. */
function captions(key: Key): tf.Tensor2D {
  const words = hostIntegers(key.fold(0), batch * contextLength, { min: 1, max: start });
  const lengths = hostIntegers(key.fold(1), batch, { min: 1, max: contextLength - 1 });
  for (const [row, length] of lengths.entries()) {
    const from = row * contextLength;
    words[from] = start;
    words[from + length + 1] = end;
    words.fill(0, from + length + 2, from + contextLength);
  }
  return tf.tensor2d(words, [batch, contextLength], 'int32');
}

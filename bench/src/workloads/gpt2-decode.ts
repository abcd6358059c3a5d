import { hostIntegers, randomKey } from '@poiesis/core';
import { GPT, gpt2 } from '../models/gpt';
import { Decoder } from '../models/gpt-decode';
import type { Workload } from '../workload';

const prompt = 128;
/** Tokens after the prompt, before the next sequence starts from it again. */
const generated = 64;

/** Greedy generation by GPT-2, 124 million random weights: the likeliest token, from 128 to 191 cached ones. */
export const gpt2Decode: Workload = {
  name: 'gpt2-decode',
  about: 'GPT-2 124M, one row, 128 cached tokens and more: one token, chosen on the host',
  async prepare() {
    const model = new GPT(gpt2, { key: randomKey(1) });
    const decoder = new Decoder(model, { length: 256 });
    const first = likeliest(
      await decoder.append(hostIntegers(randomKey(2), prompt, { max: gpt2.vocabSize })),
    );
    let token = first;
    return {
      async step(index) {
        if (index % generated === 0) {
          decoder.position = prompt;
          token = first;
        }
        token = likeliest(await decoder.append([token]));
        return token;
      },
      dispose() {
        decoder.dispose();
        model.dispose();
      },
    };
  },
};

function likeliest(scores: Float32Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

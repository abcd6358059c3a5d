import { beamSearch } from '@poiesis/attention';
import * as tf from '@tensorflow/tfjs-core';
import { g2pTransformer, words } from '../models/g2p';
import type { Workload } from '../workload';

/** About as many as a word of seven phones takes until four hypotheses have ended. */
const maxLength = 10;

const g2pBeamOf = (name: string, count: number): Workload => ({
  name,
  about: `the Transformer of g2p-train says ${count === 1 ? 'a word' : `${count} words`} of 5 to 8 letters: beam search, 4 beams, ${maxLength} tokens`,
  prepare() {
    const model = g2pTransformer().eval();
    // Nothing was learned, so that words would end anywhere: all are to take as long.
    const { end, targetVocab } = model.config;
    tf.tidy(() => model.output.bias.assign(tf.mul(tf.oneHot(end, targetVocab), -20)));
    const sources = words(64, { min: 5, max: 8 }).map(({ source }) => source);
    return {
      async step(index) {
        const some = Array.from({ length: count }, (_, i) => sources[(index + i) % sources.length]!);
        const said = await beamSearch(model, some as Int32Array[], { beams: 4, lengthPenalty: 0, maxLength });
        return said.at(-1)![0]!.logProb;
      },
      dispose: () => model.dispose(),
    };
  },
});

export const g2pBeam = g2pBeamOf('g2p-beam', 1);
export const g2pBeam64 = g2pBeamOf('g2p-beam-64', 64);

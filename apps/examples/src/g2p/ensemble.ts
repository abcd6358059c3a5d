import type { Decodable, DecoderState, KeyValues, Tokens, Transformer } from '@poiesis/attention';
import { logSoftmax, logSumExp, Module } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Transformers of one vocabulary that read and say as one: the probability of a token is the mean of theirs. What each
 * has got wrong in its own way the others put right.
 */
export class Ensemble extends Module implements Decodable {
  constructor(readonly models: readonly Transformer[]) {
    super();
  }

  get config(): Decodable['config'] {
    return this.models[0]!.config;
  }

  /** Logarithms of the probabilities of the next token, `[batch, targetLength, vocab]`. The caller owns them. */
  forward(source: Tokens, target: Tokens): tf.Tensor3D {
    return tf.tidy(() => meanProbability(this.models.map((model) => model.forward(source, target))));
  }

  /** The layers of all models, one model after the other. */
  start(source: Tokens, options: { length: number; beams?: number }): DecoderState {
    return tf.tidy(() => {
      const states = this.models.map((model) => model.start(source, options));
      return {
        memory: states.flatMap(({ memory }) => memory),
        memoryKeyMask: states[0]!.memoryKeyMask,
        cache: states.flatMap(({ cache }) => cache),
      };
    });
  }

  step(
    tokens: tf.Tensor2D,
    { memory, memoryKeyMask, cache }: DecoderState,
    position: tf.Scalar,
  ): { logits: tf.Tensor3D; cache: KeyValues[] } {
    return tf.tidy(() => {
      let layer = 0;
      const steps = this.models.map((model) => {
        const own = [layer, layer + model.decoder.layers.length] as const;
        layer = own[1];
        const state = { memory: memory.slice(...own), memoryKeyMask, cache: cache.slice(...own) };
        return model.step(tokens, state, position);
      });
      return {
        logits: meanProbability(steps.map(({ logits }) => logits)),
        cache: steps.flatMap(({ cache }) => cache),
      };
    });
  }
}

/** Of several models' logits, the logarithm of the mean of their probabilities. */
function meanProbability(logits: readonly tf.Tensor3D[]): tf.Tensor3D {
  const logProbs = tf.stack(logits.map((each) => logSoftmax(each)));
  return tf.sub(logSumExp(logProbs, 0), Math.log(logits.length)) as tf.Tensor3D;
}

import { padTokens, shiftTarget, type Transformer } from '@poiesis/attention';
import { compile, crossEntropy } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** Pairs judged side by side: always as many, and lengths in multiples, so that few programs are compiled. */
const SIDE_BY_SIDE = 64;
const MULTIPLE = 8;

export interface Pair {
  source: readonly number[];
  /** Without start and end. */
  target: readonly number[];
}

/**
 * Makes a function that tells how probable targets are, as natural logarithms: what `beamSearch` finds for them without a
 * length penalty. For a model in evaluation.
 */
export function judge(model: Transformer): (pairs: readonly Pair[]) => Promise<number[]> {
  const { pad, start, end } = model.config;
  const logProbsOf = compile(
    (source: tf.Tensor2D, target: tf.Tensor2D) => {
      const { input, expected } = shiftTarget(target);
      const logits = model.forward(source, input); // (B, T, vocab)
      const losses = crossEntropy(logits, expected, { ignoreIndex: pad, reduction: 'none' }); // (B, T)
      return tf.neg(tf.sum(losses, 1)) as tf.Tensor1D;
    },
    { name: 'g2p: judge', constants: Object.values(model.namedParameters()) },
  );
  const padded = (rows: readonly (readonly number[])[]) => {
    const longest = Math.max(...rows.map(({ length }) => length));
    return padTokens(rows, { pad, length: Math.ceil(longest / MULTIPLE) * MULTIPLE });
  };
  return async (pairs) => {
    const judged: number[] = [];
    for (let i = 0; i < pairs.length; i += SIDE_BY_SIDE) {
      const some = Array.from({ length: SIDE_BY_SIDE }, (_, j) => pairs[i + j] ?? pairs[i]!);
      const source = padded(some.map(({ source }) => source));
      const target = padded(some.map(({ target }) => [start, ...target, end]));
      const logProbs = logProbsOf(source, target);
      judged.push(...(await logProbs.data()));
      tf.dispose([source, target, logProbs]);
    }
    return judged.slice(0, pairs.length);
  };
}

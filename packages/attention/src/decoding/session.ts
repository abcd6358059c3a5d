import { compile, logSoftmax } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { KeyValues } from '../nn/cache';
import type { DecoderState } from '../nn/decoder';
import type { Decodable } from './model';

type Stepped = { logProbs: tf.Tensor2D; cache: KeyValues[] };

/** A model's steps, compiled: the same for every position, and for every batch of the same shapes. */
interface Steps {
  start(source: tf.Tensor2D, beams: number): Omit<DecoderState, 'cache'>;
  next(tokens: tf.Tensor1D, position: tf.Scalar, state: DecoderState): Stepped;
  /** The same where beams have moved: row i goes on from what was row `parents[i]`. */
  nextOf(parents: tf.Tensor1D, tokens: tf.Tensor1D, position: tf.Scalar, state: DecoderState): Stepped;
}

const compiled = new WeakMap<Decodable, Steps>();

function stepsOf(model: Decodable): Steps {
  const known = compiled.get(model);
  if (known) return known;
  const next = (tokens: tf.Tensor1D, position: tf.Scalar, state: DecoderState): Stepped => {
    const rows = tokens.shape[0];
    const { logits, cache } = model.step(tf.reshape(tokens, [rows, 1]), state, position);
    return { logProbs: logSoftmax(tf.reshape(logits, [rows, -1])) as tf.Tensor2D, cache };
  };
  // Weights seldom change between two decodings; where they do, it is noticed.
  const constants = Object.values(model.namedParameters());
  const steps: Steps = {
    // A cache of zeros is not made in here: equal tensors of a program may come out as one, and then the second step
    // would look like another program.
    start: compile(
      (source: tf.Tensor2D, beams: number) => {
        const { cache, ...rest } = model.start(source, { length: 1, beams });
        return rest;
      },
      { name: 'decoding: start', constants },
    ),
    next: compile(next, { name: 'decoding: next', constants }),
    nextOf: compile(
      (parents: tf.Tensor1D, tokens: tf.Tensor1D, position: tf.Scalar, state: DecoderState) => {
        const cache = state.cache.map(({ keys, values }) => ({
          keys: tf.gather(keys, parents),
          values: tf.gather(values, parents),
        }));
        return next(tokens, position, { ...state, cache });
      },
      { name: 'decoding: next of beams', constants },
    ),
  };
  compiled.set(model, steps);
  return steps;
}

/**
 * One run of decoding: the sources' encoding and a cache of fixed length that fills up. Frees everything by `dispose`.
 */
export class DecodingSession {
  readonly rows: number;
  readonly length: number;
  readonly #steps: Steps;
  #state: DecoderState;
  #position = 0;

  constructor(
    model: Decodable,
    source: tf.Tensor2D,
    { length, beams = 1 }: { length: number; beams?: number },
  ) {
    this.#steps = stepsOf(model);
    this.length = length;
    this.rows = source.shape[0] * beams;
    const started = this.#steps.start(source, beams);
    this.#state = { ...started, cache: emptyLike(started.memory, this.rows, length) };
  }

  /**
   * Feeds one token to each row, and reads what may follow.
   * @param parents rows that the rows go on from, where they are not their own.
   * @returns logarithms of probabilities, `rows × vocab`.
   */
  async next(tokens: ArrayLike<number>, parents?: ArrayLike<number>): Promise<Float32Array> {
    const ids = tf.tensor1d(Int32Array.from(tokens), 'int32');
    const from = parents && tf.tensor1d(Int32Array.from(parents), 'int32');
    const position = tf.scalar(this.#position++, 'int32');
    const { logProbs, cache } = from
      ? this.#steps.nextOf(from, ids, position, this.#state)
      : this.#steps.next(ids, position, this.#state);
    tf.dispose([ids, position, ...(from ? [from] : []), this.#state.cache] as tf.TensorContainer);
    this.#state = { ...this.#state, cache };
    try {
      return (await logProbs.data()) as Float32Array;
    } finally {
      logProbs.dispose();
    }
  }

  dispose(): void {
    tf.dispose(this.#state as tf.TensorContainer);
  }
}

function emptyLike(memory: readonly KeyValues[], rows: number, length: number): KeyValues[] {
  return memory.map(({ keys }) => {
    const shape = [rows, keys.shape[1]!, length, keys.shape[3]!];
    return { keys: tf.zeros(shape), values: tf.zeros(shape) };
  });
}

/** Runs `decode` with the model in evaluation, and puts back what each of its modules was in. */
export async function inEvaluation<T>(model: Decodable, decode: () => Promise<T>): Promise<T> {
  const before = [...model.modules()].map(([, module]) => [module, module.training] as const);
  if (before.some(([, training]) => training)) model.eval();
  try {
    return await decode();
  } finally {
    for (const [module, training] of before) module.training = training;
  }
}

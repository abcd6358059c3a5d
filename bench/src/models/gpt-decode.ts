import { compile, softmax, updateRows } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { GPT } from './gpt';

/** Prompts are padded to a multiple of it: few lengths, so few programs. */
const CHUNK = 64;

interface Cache {
  /** `[1, heads, length, headSize]` */
  readonly keys: tf.Variable<tf.Rank.R4>;
  readonly values: tf.Variable<tf.Rank.R4>;
}

/**
 * A GPT token by token: keys and values of the tokens so far are kept, in caches of a fixed length, and the position
 * is data. So each token is the same program, and it writes one row of each cache.
 */
export class Decoder {
  readonly #caches: readonly Cache[];
  readonly #length: number;
  readonly #prompt: (ids: tf.Tensor2D, position: tf.Scalar, last: tf.Scalar) => tf.Tensor;
  readonly #token: (ids: tf.Tensor2D, position: tf.Scalar) => tf.Tensor;
  /** Tokens that are in the caches. */
  position = 0;

  /**
   * @param length Tokens at most, prompt included, up to the model's block size. A power of two serves several sizes
   *   of request with few programs.
   */
  constructor(model: GPT, { length }: { length: number }) {
    const { layers, heads, dim } = model.config;
    const cache = () => tf.variable(tf.zeros<tf.Rank.R4>([1, heads, length, dim / heads]), false);
    this.#length = length;
    this.#caches = Array.from({ length: layers }, () => ({ keys: cache(), values: cache() }));
    // A prompt runs once: compiling the weights in would cost more than it gains. A token's program has them packed.
    this.#prompt = compile(
      (ids: tf.Tensor2D, position: tf.Scalar, last: tf.Scalar) => {
        const x = hidden(model, this.#caches, ids, position); // (1, T, C)
        return model.head(tf.gather(x, last, 1)); // (1, V)
      },
      { name: 'prompt', constants: 'none' },
    );
    this.#token = compile(
      (ids: tf.Tensor2D, position: tf.Scalar) => model.head(hidden(model, this.#caches, ids, position)), // (1, 1, V)
      { name: 'token', constants: Object.values(model.namedParameters()) },
    );
  }

  /** Takes tokens in after those that are there. Returns the scores for the next one, of each token of the vocabulary. */
  async append(tokens: ArrayLike<number>): Promise<Float32Array> {
    const n = tokens.length;
    const padded = n === 1 ? 1 : Math.min(CHUNK * Math.ceil(n / CHUNK), this.#length - this.position);
    if (n < 1 || n > padded) throw new RangeError(`${n} tokens after ${this.position} of ${this.#length}`);
    const logits = tf.tidy(() => {
      const ids = new Int32Array(padded);
      ids.set(Array.from(tokens));
      const input = tf.tensor2d(ids, [1, padded], 'int32');
      const position = tf.scalar(this.position, 'int32');
      // What padding writes is after all tokens, so nobody sees it before it is overwritten.
      return n === 1
        ? this.#token(input, position)
        : this.#prompt(input, position, tf.scalar(n - 1, 'int32'));
    });
    this.position += n;
    const scores = await logits.data<'float32'>();
    logits.dispose();
    return scores;
  }

  dispose(): void {
    for (const { keys, values } of this.#caches) tf.dispose([keys, values]);
  }
}

/** Tokens `[1, T]` at `position` and after, through all blocks: `[1, T, C]`. Their keys and values go into the caches. */
function hidden(model: GPT, caches: readonly Cache[], ids: tf.Tensor2D, position: tf.Scalar): tf.Tensor {
  const [, T] = ids.shape;
  const [, heads, length, hs] = caches[0]!.keys.shape;
  const C = model.config.dim;
  const positions = tf.add(tf.range(0, T, 1, 'int32'), position); // (T)
  const future = tf.greater(tf.range(0, length, 1, 'int32'), tf.reshape(positions, [T, 1])); // (T, length)
  const mask = tf.where(future, tf.scalar(-Infinity), tf.scalar(0));
  const split = (part: tf.Tensor) => tf.transpose(tf.reshape(part, [1, T, heads, hs]), [0, 2, 1, 3]);
  let x = tf.add(model.wte.forward(ids), tf.gather(model.wpe.weight, positions as tf.Tensor1D)); // (1, T, C)
  model.h.forEach(({ ln_1, attn, ln_2, mlp }, i) => {
    const { keys, values } = caches[i]!;
    const [q, k, v] = tf.split(attn.c_attn.forward(ln_1.forward(x)), 3, -1).map(split) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ]; // (1, nh, T, hs)
    const [allKeys, allValues] = [updateRows(keys, k, position), updateRows(values, v, position)]; // (1, nh, length, hs)
    keys.assign(allKeys as tf.Tensor4D);
    values.assign(allValues as tf.Tensor4D);
    const scores = tf.mul(tf.matMul(q, allKeys, false, true), 1 / Math.sqrt(hs)); // (1, nh, T, length)
    const y = tf.matMul(softmax(tf.add(scores, mask)), allValues); // (1, nh, T, hs)
    x = tf.add(x, attn.c_proj.forward(tf.reshape(tf.transpose(y, [0, 2, 1, 3]), [1, T, C])));
    x = tf.add(x, mlp.forward(ln_2.forward(x)));
  });
  return x;
}

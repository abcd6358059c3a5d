import {
  checkArgument,
  type ForwardContext,
  type Initializer,
  type Key,
  Linear,
  linear,
  Module,
  type Parameter,
  parameter,
  updateRows,
  xavierUniform,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { type Attended, causalMask, scaledDotProductAttention } from '../attention';
import { additive } from '../attention/masks';
import { withWeights } from '../attention/scaled-dot-product-attention';
import type { Place, Positions } from '../positions';
import type { KeyValues } from './cache';
import { checkCount, checkKeyMask, checkKeyValues, checkMemory, checkPosition, checkSequence } from './check';
import { mergeHeads, splitHeads } from './heads';

export interface MultiHeadAttentionOptions {
  /** Where the first weights come from. */
  key: Key;
  /** Biases of all projections. Default true. */
  bias?: boolean;
  /** Rate at which attention weights are dropped in training. Default 0. */
  dropout?: number;
  /** Heads of keys and values; divides `heads`. Default `heads`; fewer is grouped-query attention. */
  kvHeads?: number;
  /** Width of a memory's keys, where it is not `dim`. */
  keyDim?: number;
  /** Width of a memory's values, where it is not `dim`. */
  valueDim?: number;
  /** Distribution of the weights into queries, keys and values. Default Glorot-uniform, as PyTorch's. */
  init?: Initializer;
  /** Distribution of `out_proj.weight`. Default: that of `Linear`. */
  outInit?: Initializer;
}

export interface AttendOptions extends ForwardContext {
  /** As in `scaledDotProductAttention`: bool, true where a query may look, or additive. */
  mask?: tf.Tensor | null;
  /** bool `[batch, keys]`: which keys are there at all. `paddingMask(tokens)` makes it. */
  keyMask?: tf.Tensor | null;
  /** Added to the scores, with a gradient. */
  bias?: tf.Tensor | null;
  /** Only keys up to the query's own position. Default false. */
  causal?: boolean;
  /** Turns queries and keys, if the scheme does that. What it adds to scores has to be passed as `bias`. */
  positions?: Positions | null;
  /** Queries handled at a time, for long sequences. */
  queryBlock?: number;
  /** Returns `{ output, weights }`, weights `[batch, heads, queries, keys]`. Default false. */
  returnWeights?: boolean;
}

export interface MultiHeadOptions extends AttendOptions {
  /** Where keys come from, and values if `values` is left out: cross-attention. Default: the input. */
  memory?: tf.Tensor | null;
  /** Where values come from, if not from `memory`. */
  values?: tf.Tensor | null;
}

type Projection = 'q' | 'k' | 'v';

/**
 * Attention in several heads: Vaswani et al. (2017), section 3.2.2. `torch.nn.MultiheadAttention` with
 * `batch_first=True`, parameter for parameter; but a boolean mask says who may be seen (there: who may not).
 *
 * `in_proj_weight [3·dim, dim]`, or with `keyDim` or `valueDim` `q_proj_weight`, `k_proj_weight` and `v_proj_weight`,
 * start Glorot-uniform, biases at 0, `out_proj.weight` as in `Linear`.
 */
export class MultiHeadAttention extends Module {
  readonly in_proj_weight: Parameter<tf.Rank.R2> | null = null;
  readonly q_proj_weight: Parameter<tf.Rank.R2> | null = null;
  readonly k_proj_weight: Parameter<tf.Rank.R2> | null = null;
  readonly v_proj_weight: Parameter<tf.Rank.R2> | null = null;
  readonly in_proj_bias: Parameter<tf.Rank.R1> | null;
  readonly out_proj: Linear;
  readonly dim: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly dropout: number;
  readonly #width: Readonly<Record<Projection, number>>;

  constructor(dim: number, heads: number, options: MultiHeadAttentionOptions) {
    super();
    const fn = 'MultiHeadAttention';
    const { key, bias = true, dropout = 0, kvHeads = heads, keyDim = dim, valueDim = dim } = options;
    const { init = xavierUniform(), outInit } = options;
    for (const [name, size] of Object.entries({ dim, heads, kvHeads, keyDim, valueDim })) {
      checkArgument(Number.isInteger(size) && size >= 1, fn, name, 'an integer ≥ 1', size);
    }
    checkArgument(dim % heads === 0, fn, 'heads', `a number that divides the width ${dim}`, heads);
    checkArgument(heads % kvHeads === 0, fn, 'kvHeads', `a number that divides the ${heads} heads`, kvHeads);
    checkArgument(dropout >= 0 && dropout < 1, fn, 'options.dropout', 'a rate in [0, 1)', dropout);
    this.dim = dim;
    this.heads = heads;
    this.kvHeads = kvHeads;
    this.dropout = dropout;
    const kvDim = (dim / heads) * kvHeads;
    this.#width = { q: dim, k: keyDim, v: valueDim };
    const [forIn, forK, forV, forOut] = key.split(4) as [Key, Key, Key, Key];
    const fresh = (key: Key, out: number, width: number) =>
      parameter(init(key, [out, width], { in: width, out }) as tf.Tensor2D);
    if (keyDim === dim && valueDim === dim) this.in_proj_weight = fresh(forIn, dim + 2 * kvDim, dim);
    else {
      this.q_proj_weight = fresh(forIn, dim, dim);
      this.k_proj_weight = fresh(forK, kvDim, keyDim);
      this.v_proj_weight = fresh(forV, kvDim, valueDim);
    }
    this.in_proj_bias = bias ? parameter(tf.zeros([dim + 2 * kvDim])) : null;
    this.out_proj = new Linear(dim, dim, { key: forOut, bias, init: outInit });
    tf.tidy(() => this.out_proj.bias?.assign(tf.zeros([dim])));
  }

  /**
   * Self-attention of `x`, or with `memory` cross-attention from `x` to it.
   * @param x `[batch, queries, dim]`.
   * @returns `[batch, queries, dim]`, or `{ output, weights }`. The caller owns it.
   */
  forward(x: tf.Tensor, options: MultiHeadOptions & { returnWeights: true }): Attended;
  forward(x: tf.Tensor, options?: MultiHeadOptions & { returnWeights?: false }): tf.Tensor;
  forward(x: tf.Tensor, options?: MultiHeadOptions): tf.Tensor | Attended;
  forward(x: tf.Tensor, options: MultiHeadOptions = {}): tf.Tensor | Attended {
    const { memory, values, positions } = options;
    const fn = 'MultiHeadAttention.forward';
    checkSequence(fn, 'x', x, this.dim);
    if (memory) checkMemory(fn, memory, x);
    checkKeyMask(fn, 'options.keyMask', options.keyMask, [x.shape[0]!, (memory ?? x).shape[1]!]);
    return tf.tidy(() => {
      if (memory) return this.#attend(this.#queries(x), this.keyValues(memory, values ?? memory), options);
      checkArgument(!values, fn, 'options.values', 'none without memory', values);
      const { q, keys, values: own } = this.#project(x, positions);
      return this.#attend(q, { keys, values: own }, options);
    });
  }

  /**
   * Keys and values of a memory, to be attended to more than once.
   * @param memory `[batch, keys, keyDim]`.
   * @returns `[batch, kvHeads, keys, headDim]` each. The caller owns them.
   */
  keyValues(memory: tf.Tensor, values: tf.Tensor = memory): KeyValues {
    const fn = 'MultiHeadAttention.keyValues';
    checkSequence(fn, 'memory', memory, this.#width.k);
    checkSequence(fn, 'values', values, this.#width.v);
    const [batch, keys] = memory.shape as [number, number];
    const asMany = values.shape[0] === batch && values.shape[1] === keys;
    checkArgument(
      asMany,
      fn,
      'values',
      `[${batch}, ${keys}, ${this.#width.v}], as many as keys`,
      values.shape,
    );
    return tf.tidy(() => ({
      keys: splitHeads(this.#projected(memory, 'k'), this.kvHeads),
      values: splitHeads(this.#projected(values, 'v'), this.kvHeads),
    }));
  }

  /** Attention from `x` to keys and values that `keyValues` made. */
  attend(x: tf.Tensor, memory: KeyValues, options: AttendOptions & { returnWeights: true }): Attended;
  attend(x: tf.Tensor, memory: KeyValues, options?: AttendOptions & { returnWeights?: false }): tf.Tensor;
  attend(x: tf.Tensor, memory: KeyValues, options: AttendOptions = {}): tf.Tensor | Attended {
    const fn = 'MultiHeadAttention.attend';
    checkSequence(fn, 'x', x, this.dim);
    checkKeyValues(fn, 'memory', memory, this.#places(x.shape[0]!));
    checkKeyMask(fn, 'options.keyMask', options.keyMask, [x.shape[0]!, memory.keys.shape[2]!]);
    return tf.tidy(() => this.#attend(this.#queries(x), memory, options));
  }

  /** A cache of `length` places for `step`, all empty. The caller owns it. */
  emptyCache(batch: number, length: number): KeyValues {
    checkCount('MultiHeadAttention.emptyCache', 'batch', batch);
    checkCount('MultiHeadAttention.emptyCache', 'length', length);
    const shape = [batch, this.kvHeads, length, this.dim / this.heads];
    return { keys: tf.zeros(shape), values: tf.zeros(shape) };
  }

  /**
   * Causal self-attention of new tokens to themselves and to those in a cache of fixed length: its shapes are the same
   * at each step, so a compiled step serves all of them.
   *
   * @param x `[batch, new, dim]`.
   * @param cache `[batch, kvHeads, length, headDim]`, not disposed.
   * @param position int32 scalar: place of the first new token. `position + new` must not be above the length.
   * @returns the output `[batch, new, dim]` and the cache with the new tokens in it. The caller owns all of it.
   */
  step(
    x: tf.Tensor,
    cache: KeyValues,
    position: tf.Scalar,
    { positions, bias }: { positions?: Positions | null; bias?: tf.Tensor | null } = {},
  ): { output: tf.Tensor; cache: KeyValues } {
    const fn = 'MultiHeadAttention.step';
    checkSequence(fn, 'x', x, this.dim);
    checkKeyValues(fn, 'cache', cache, this.#places(x.shape[0]!));
    checkPosition(fn, position, x.shape[1]!, cache.keys.shape[2]!);
    return tf.tidy(() => {
      const [fresh, length] = [x.shape[1]!, cache.keys.shape[2]!];
      const at = tf.add(tf.range(0, fresh, 1, 'int32'), position) as tf.Tensor1D;
      const { q, keys, values } = this.#project(x, positions, { at, length });
      const next = {
        keys: updateRows(cache.keys, keys, position),
        values: updateRows(cache.values, values, position),
      };
      // Added as a bias is: each token sees itself, so nothing has to be asked of the mask.
      const hidden = additive(causalMask(fresh, length, position)); // (new, length)
      const scores = bias ? tf.add(bias, hidden) : hidden;
      return { output: this.#attend(q, next, { bias: scores }) as tf.Tensor, cache: next };
    });
  }

  /** What keys and values are to fit. */
  #places(batch: number) {
    return { batch, kvHeads: this.kvHeads, headDim: this.dim / this.heads };
  }

  #attend(q: tf.Tensor, { keys, values }: KeyValues, options: AttendOptions): tf.Tensor | Attended {
    const { bias, causal, queryBlock, returnWeights, key } = options;
    const { output, weights } = withWeights(
      scaledDotProductAttention(q, keys, values, {
        mask: allMasks(options, keys),
        bias,
        causal,
        queryBlock,
        returnWeights,
        dropout: this.training ? this.dropout : 0,
        key,
      }),
    );
    const projected = this.out_proj.forward(mergeHeads(output));
    return weights ? { output: projected, weights } : projected;
  }

  /** Queries, keys and values of a sequence that attends to itself, turned by its positions. */
  #project(x: tf.Tensor, positions?: Positions | null, place?: Place): { q: tf.Tensor } & KeyValues {
    const turned = (heads: tf.Tensor) => positions?.rotate(heads, place) ?? heads;
    const [q, k, v] = this.#all(x);
    return {
      q: turned(splitHeads(q, this.heads)),
      keys: turned(splitHeads(k, this.kvHeads)),
      values: splitHeads(v, this.kvHeads),
    };
  }

  #queries(x: tf.Tensor): tf.Tensor {
    return splitHeads(this.#projected(x, 'q'), this.heads);
  }

  #all(x: tf.Tensor): [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor] {
    if (!this.in_proj_weight)
      return [this.#projected(x, 'q'), this.#projected(x, 'k'), this.#projected(x, 'v')];
    const all = linear(x, this.in_proj_weight, this.in_proj_bias); // (B, S, dim + 2 · kvDim): one product for three
    const kvDim = (all.shape[2]! - this.dim) / 2;
    return tf.split(all, [this.dim, kvDim, kvDim], 2) as [tf.Tensor, tf.Tensor, tf.Tensor];
  }

  #projected(x: tf.Tensor, projection: Projection): tf.Tensor {
    const kvDim = (this.dim / this.heads) * this.kvHeads;
    const from = { q: 0, k: this.dim, v: this.dim + kvDim }[projection];
    const size = projection === 'q' ? this.dim : kvDim;
    const own = { q: this.q_proj_weight, k: this.k_proj_weight, v: this.v_proj_weight }[projection];
    const weight = own ?? tf.slice(this.in_proj_weight!, [from, 0], [size, this.dim]);
    return linear(x, weight, this.in_proj_bias && tf.slice(this.in_proj_bias, [from], [size]));
  }
}

/** The mask, and keys that are not there. */
function allMasks({ mask, keyMask }: AttendOptions, keys: tf.Tensor): tf.Tensor | null {
  if (!keyMask) return mask ?? null;
  const there = tf.reshape(keyMask, [keys.shape[0]!, 1, 1, keys.shape[2]!]);
  if (!mask) return there;
  return mask.dtype === 'bool' ? tf.logicalAnd(mask, there) : tf.add(mask, additive(there));
}

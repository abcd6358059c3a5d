import {
  Embedding,
  gelu,
  type Key,
  LayerNorm,
  Linear,
  linear,
  Module,
  normalInit,
  softmax,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

export interface GPTConfig {
  vocabSize: number;
  /** Longest sequence. */
  blockSize: number;
  layers: number;
  heads: number;
  dim: number;
  /** GPT-2's is GELU by its tanh approximation. */
  activation: (x: tf.Tensor) => tf.Tensor;
}

/** GPT-2 with 124 million parameters. */
export const gpt2: GPTConfig = {
  vocabSize: 50257,
  blockSize: 1024,
  layers: 12,
  heads: 12,
  dim: 768,
  activation: (x) => gelu(x, 'tanh'),
};

/** GPT-2 (Radford et al. 2019), with the names of its released checkpoint. Weights start as the paper's: N(0, 0.02). */
export class GPT extends Module {
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly h: readonly Block[];
  readonly ln_f: LayerNorm;

  constructor(
    readonly config: GPTConfig,
    { key }: { key: Key },
  ) {
    super();
    const { vocabSize, blockSize, layers, dim } = config;
    const init = normalInit({ std: 0.02 });
    const [token, position, blocks] = key.split(3) as [Key, Key, Key];
    this.wte = new Embedding(vocabSize, dim, { key: token, init });
    this.wpe = new Embedding(blockSize, dim, { key: position, init });
    this.h = blocks.split(layers).map((k) => new Block(config, { key: k }));
    this.ln_f = new LayerNorm(dim);
  }

  /** Token numbers `[batch, time]`, int32, to logits `[batch, time, vocabulary]`. */
  forward(ids: tf.Tensor): tf.Tensor {
    const [, T] = ids.shape as [number, number];
    return tf.tidy(() => {
      let x = tf.add(this.wte.forward(ids), tf.slice(this.wpe.weight, 0, T)); // (B, T, C)
      for (const block of this.h) x = block.forward(x);
      return this.head(x);
    });
  }

  /** The last normalization, then scores by the token table itself: GPT-2's `lm_head` is tied to `wte`. */
  head(x: tf.Tensor): tf.Tensor {
    return linear(this.ln_f.forward(x), this.wte.weight); // (B, T, V)
  }
}

class Block extends Module {
  readonly ln_1: LayerNorm;
  readonly attn: CausalSelfAttention;
  readonly ln_2: LayerNorm;
  readonly mlp: MLP;

  constructor(config: GPTConfig, { key }: { key: Key }) {
    super();
    const [attn, mlp] = key.split(2) as [Key, Key];
    this.ln_1 = new LayerNorm(config.dim);
    this.attn = new CausalSelfAttention(config, { key: attn });
    this.ln_2 = new LayerNorm(config.dim);
    this.mlp = new MLP(config, { key: mlp });
  }

  forward(x: tf.Tensor): tf.Tensor {
    const y = tf.add(x, this.attn.forward(this.ln_1.forward(x)));
    return tf.add(y, this.mlp.forward(this.ln_2.forward(y)));
  }
}

class CausalSelfAttention extends Module {
  readonly c_attn: Linear;
  readonly c_proj: Linear;
  readonly #heads: number;

  constructor(config: GPTConfig, { key }: { key: Key }) {
    super();
    const { dim, heads } = config;
    const [attn, proj] = key.split(2) as [Key, Key];
    this.c_attn = dense(dim, 3 * dim, 0.02, attn);
    this.c_proj = dense(dim, dim, residualStd(config), proj);
    this.#heads = heads;
  }

  forward(x: tf.Tensor): tf.Tensor {
    const [B, T, C] = x.shape as [number, number, number];
    const hs = C / this.#heads;
    const split = (part: tf.Tensor) => tf.transpose(tf.reshape(part, [B, T, this.#heads, hs]), [0, 2, 1, 3]);
    const [q, k, v] = tf.split(this.c_attn.forward(x), 3, -1).map(split) as [tf.Tensor, tf.Tensor, tf.Tensor]; // (B, nh, T, hs)
    const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(hs)); // (B, nh, T, T)
    const weights = softmax(tf.add(scores, causalMask(T)));
    const y = tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]); // (B, T, nh, hs)
    return this.c_proj.forward(tf.reshape(y, [B, T, C]));
  }
}

class MLP extends Module {
  readonly c_fc: Linear;
  readonly c_proj: Linear;
  readonly #activation: GPTConfig['activation'];

  constructor(config: GPTConfig, { key }: { key: Key }) {
    super();
    const { dim } = config;
    const [fc, proj] = key.split(2) as [Key, Key];
    this.c_fc = dense(dim, 4 * dim, 0.02, fc);
    this.c_proj = dense(4 * dim, dim, residualStd(config), proj);
    this.#activation = config.activation;
  }

  forward(x: tf.Tensor): tf.Tensor {
    return this.c_proj.forward(this.#activation(this.c_fc.forward(x)));
  }
}

/** What a layer adds to the residual stream starts smaller, the more layers add to it. */
function residualStd({ layers }: GPTConfig): number {
  return 0.02 / Math.sqrt(2 * layers);
}

function dense(inputs: number, outputs: number, std: number, key: Key): Linear {
  const layer = new Linear(inputs, outputs, { key, init: normalInit({ std }) });
  tf.tidy(() => layer.bias!.assign(tf.zeros([outputs])));
  return layer;
}

/** 0 where a position may look, −∞ at those after it. */
export function causalMask(T: number): tf.Tensor2D {
  const mask = Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -Infinity : 0));
  return tf.tensor2d(mask, [T, T]);
}

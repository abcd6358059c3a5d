import { ArgumentError, compile } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { resolveConfig } from '../config';
import type { PreparedImage } from '../images';
import { type ClipModel, l2Normalize } from '../model';

/**
 * A model's two directions in batches: host values in, normalized embeddings on the host out. Compiled on backends that
 * compile; rows and tokens are filled up to a few sizes, so that few shapes are.
 */
export class Encoder {
  readonly dim: number;
  readonly #model: ClipModel;
  readonly #causal: boolean;
  readonly #images: (pixels: tf.Tensor4D) => tf.Tensor2D;
  readonly #texts: (tokens: tf.Tensor2D) => tf.Tensor2D;

  constructor(model: ClipModel) {
    const { embedDim, family } = resolveConfig(model.config);
    this.dim = embedDim;
    this.#model = model;
    this.#causal = family === 'clip';
    this.#images = compile((pixels) => l2Normalize(model.encodeImage(pixels)), { name: 'CLIP.embedImages' });
    this.#texts = compile((tokens) => l2Normalize(model.encodeText(tokens)), { name: 'CLIP.embedTexts' });
  }

  /** `[images.length, dim]` of at most `batch` pictures. */
  async images(images: readonly PreparedImage[], batch: number): Promise<Float32Array> {
    const rows = filledUp(images, batch);
    const [height, width] = rows[0]!.shape;
    const size = height * width * 3;
    const values = new Float32Array(rows.length * size);
    for (const [i, { data }] of rows.entries()) values.set(data, i * size);
    const pixels = tf.tensor4d(values, [rows.length, height, width, 3]);
    return this.#run(() => this.#images(pixels), pixels, images.length);
  }

  /** `[rows.length, dim]` of at most `batch` rows of tokens. */
  async texts(rows: readonly Int32Array[], endToken: number, batch: number): Promise<Float32Array> {
    const length = this.#length(rows, endToken);
    const filled = filledUp(rows, batch);
    const ids = new Int32Array(filled.length * length);
    for (const [i, row] of filled.entries()) ids.set(row.subarray(0, length), i * length);
    const tokens = tf.tensor2d(ids, [filled.length, length], 'int32');
    return this.#run(() => this.#texts(tokens), tokens, rows.length);
  }

  /** Factor of the cosines, and what is added. @throws ArgumentError where they are not finite */
  async temperature(fn: string): Promise<{ scale: number; bias: number | null }> {
    const { logitScale, logitBias } = this.#model;
    const scale = Math.exp((await logitScale.data())[0]!);
    const bias = logitBias && (await logitBias.data())[0]!;
    for (const [argument, value] of [
      ['model.logitScale', scale],
      ['model.logitBias', bias ?? 0],
    ] as const) {
      if (Number.isFinite(value)) continue;
      throw new ArgumentError({ fn, argument, expected: 'a finite value', received: value });
    }
    return { scale, bias };
  }

  /** In a causal tower nothing behind a text's end reaches its embedding: short texts need no long rows. */
  #length(rows: readonly Int32Array[], endToken: number): number {
    const context = rows[0]?.length ?? 0;
    if (!this.#causal) return context;
    const longest = rows.reduce((most, row) => Math.max(most, row.indexOf(endToken) + 1), 0);
    const shorter = [16, 32].find((length) => longest <= length) ?? context;
    return Math.min(shorter, context);
  }

  async #run(forward: () => tf.Tensor2D, input: tf.Tensor, count: number): Promise<Float32Array> {
    // Patch dropout is for training. What trains is back in its mode before anything is waited for.
    const training = [...this.#model.modules()].flatMap(([, module]) => (module.training ? [module] : []));
    let output: tf.Tensor2D;
    try {
      for (const module of training) module.training = false;
      output = forward();
    } finally {
      for (const module of training) module.training = true;
      input.dispose();
    }
    try {
      return ((await output.data()) as Float32Array).slice(0, count * this.dim);
    } finally {
      output.dispose();
    }
  }
}

/** Repeats the last row up to the next power of two, `batch` at most. */
function filledUp<T>(rows: readonly T[], batch: number): T[] {
  const size = Math.min(batch, 2 ** Math.ceil(Math.log2(rows.length)));
  return Array.from({ length: size }, (_, i) => rows[Math.min(i, rows.length - 1)]!);
}

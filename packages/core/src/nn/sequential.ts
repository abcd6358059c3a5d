import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { type ForwardContext, isModule, Layer, type Module } from './module';

/**
 * Layers one after the other, each fed with the result of the one before. Their names are their numbers, as in
 * PyTorch: `new Sequential([new Linear(…), new ReLU()])` has a parameter `0.weight`.
 */
export class Sequential extends Layer implements Iterable<Layer> {
  readonly #layers: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    super();
    const ok: boolean = Array.isArray(layers) && layers.every(isModule);
    checkArgument(ok, 'Sequential', 'layers', 'an array of layers', layers);
    this.#layers = [...layers];
  }

  get length(): number {
    return this.#layers.length;
  }

  /** Layer `i`, negative from the end; undefined where there is none. */
  at(i: number): Layer | undefined {
    return this.#layers.at(i);
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this.#layers[Symbol.iterator]();
  }

  override *children(): Iterable<[name: string, module: Module]> {
    for (const [i, layer] of this.#layers.entries()) yield [String(i), layer];
  }

  /** Every layer gets a key of its own, derived from `context.key` and its number. The caller owns the result. */
  override forward(x: tf.Tensor, context: ForwardContext = {}): tf.Tensor {
    const { key } = context;
    if (this.#layers.length === 0) return tf.clone(x);
    return tf.tidy(() =>
      this.#layers.reduce(
        (y, layer, i) => layer.forward(y, key ? { ...context, key: key.fold(i) } : context),
        x,
      ),
    );
  }
}

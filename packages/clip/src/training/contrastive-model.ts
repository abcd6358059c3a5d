import type { ForwardContext, Module, Parameter } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';

/** What `clipStep` trains: a `ClipModel`, or two towers of one's own with a temperature. */
export interface ContrastiveModel extends Module {
  /** The image tower, with its projection: what `locked: 'image'` locks. */
  readonly visual: Module;
  /** Logarithm of the inverse temperature, a scalar. */
  readonly logitScale: Parameter;
  /** Added to the logits, a scalar, in models for `sigLIP`. */
  readonly logitBias?: Parameter | null;
  /** `[n, height, width, 3]` → `[n, d]`, not normalized. */
  encodeImage(pixels: tf.Tensor4D, context?: ForwardContext): tf.Tensor2D;
  /** int32 `[n, context]` → `[n, d]`, not normalized. */
  encodeText(tokens: tf.Tensor2D, context?: ForwardContext): tf.Tensor2D;
}

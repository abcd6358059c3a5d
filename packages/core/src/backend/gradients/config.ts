import * as tf from '@tensorflow/tfjs-core';

/** A gradient as tfjs registers it, with the attributes as the kernel has them. */
export interface Gradient {
  kernelName: string;
  /** Inputs handed to `gradFunc`, before the outputs. */
  readonly inputsToSave?: string[];
  readonly outputsToSave?: boolean[];
  saveAllInputs?: boolean;
  gradFunc(
    // An op with several outputs gets an array.
    dy: tf.Tensor & tf.Tensor[],
    saved: tf.Tensor[],
    // biome-ignore lint/suspicious/noExplicitAny: attributes have a different type for each kernel; each file states its own
    attrs: any,
  ): Record<string, () => tf.Tensor>;
}

/** Whether the gradient that is being computed is itself recorded, for a gradient of the second order. */
export function isRecorded(): boolean {
  return tf.engine().state.gradientDepth > 0;
}

/** The zero gradient of what has no slope. float32, as tfjs demands also for integer inputs. */
export function zero(x: tf.Tensor): tf.Tensor {
  return tf.zeros(x.shape);
}

/** Sums `t` over the axes along which something of `shape` was broadcast to get there. */
export function reduceTo(t: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, t.shape);
  return tf.reshape(axes.length ? tf.sum(t, axes) : t, shape);
}

export function kernel(name: string, inputs: Record<string, tf.Tensor>, attrs: object = {}): tf.Tensor {
  return tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
}

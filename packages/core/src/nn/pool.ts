import type * as tf from '@tensorflow/tfjs-core';
import type { Pair } from '../ops/pair';
import {
  type AvgPool2dOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  globalAvgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
} from '../ops/pool';
import { Layer } from './module';

/** Largest value of each window: see `maxPool2d`. */
export class MaxPool2d extends Layer {
  constructor(
    readonly kernelSize: Pair,
    readonly options: MaxPool2dOptions = {},
  ) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor4D {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

/** Mean of each window: see `avgPool2d`. */
export class AvgPool2d extends Layer {
  constructor(
    readonly kernelSize: Pair,
    readonly options: AvgPool2dOptions = {},
  ) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor4D {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/** Mean over windows that divide the image evenly, to a fixed output size: see `adaptiveAvgPool2d`. */
export class AdaptiveAvgPool2d extends Layer {
  constructor(readonly outputSize: number | null | readonly [number | null, number | null]) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor4D {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** Mean over all pixels: `[batch, height, width, channels]` → `[batch, channels]`. */
export class GlobalAvgPool2d extends Layer {
  override forward(x: tf.Tensor): tf.Tensor2D {
    return globalAvgPool2d(x);
  }
}

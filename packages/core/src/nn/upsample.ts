import type * as tf from '@tensorflow/tfjs-core';
import { pixelShuffle, type UpsampleOptions, upsample } from '../ops/upsample';
import { Layer } from './module';

/** Resizes images: see `upsample`. */
export class Upsample extends Layer {
  constructor(readonly options: UpsampleOptions) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor4D {
    return upsample(x, this.options);
  }
}

/** Moves channels into space: see `pixelShuffle`. */
export class PixelShuffle extends Layer {
  constructor(readonly upscaleFactor: number) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor4D {
    return pixelShuffle(x, this.upscaleFactor);
  }
}

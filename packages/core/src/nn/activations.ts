import type * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { elu, leakyRelu, relu, type SoftplusOptions, sigmoid, softplus, tanh } from '../ops/activations';
import { gelu, quickGelu, silu } from '../ops/gelu';
import { softmax } from '../ops/softmax';
import { Layer } from './module';

// The activation functions of src/ops as layers, for `Sequential`. None has parameters; each keeps its input's shape.

/** `max(x, 0)`. */
export class ReLU extends Layer {
  override forward(x: tf.Tensor): tf.Tensor {
    return relu(x);
  }
}

/** `x` where it is positive, `negativeSlope · x` elsewhere. */
export class LeakyReLU extends Layer {
  /** @param negativeSlope Default 0.01, as in PyTorch; GANs take 0.2. */
  constructor(readonly negativeSlope = 0.01) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return leakyRelu(x, this.negativeSlope);
  }
}

/** `x` where it is positive, `alpha · (eˣ − 1)` elsewhere. */
export class ELU extends Layer {
  /** @param alpha Default 1. */
  constructor(readonly alpha = 1) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return elu(x, this.alpha);
  }
}

/** `x · Φ(x)`. */
export class GELU extends Layer {
  /** @param approximate `'none'` (default, exact) or `'tanh'`. */
  constructor(readonly approximate: 'none' | 'tanh' = 'none') {
    super();
    const known = approximate === 'none' || approximate === 'tanh';
    checkArgument(known, 'GELU', 'approximate', "'none' or 'tanh'", approximate);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return gelu(x, this.approximate);
  }
}

/** `x · sigmoid(1.702 x)`, of OpenAI's CLIP checkpoints. */
export class QuickGELU extends Layer {
  override forward(x: tf.Tensor): tf.Tensor {
    return quickGelu(x);
  }
}

/** `x · sigmoid(x)`. */
export class SiLU extends Layer {
  override forward(x: tf.Tensor): tf.Tensor {
    return silu(x);
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Layer {
  override forward(x: tf.Tensor): tf.Tensor {
    return tanh(x);
  }
}

/** `1 / (1 + e⁻ˣ)`. */
export class Sigmoid extends Layer {
  override forward(x: tf.Tensor): tf.Tensor {
    return sigmoid(x);
  }
}

/** `log(1 + e^(beta·x)) / beta`, and `x` itself where `beta · x` is above the threshold. */
export class Softplus extends Layer {
  readonly beta: number;
  readonly threshold: number;

  /** @param options `beta`, 1 by default, and `threshold`, 20 by default. */
  constructor({ beta = 1, threshold = 20 }: SoftplusOptions = {}) {
    super();
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return softplus(x, { beta: this.beta, threshold: this.threshold });
  }
}

/** Probabilities along one axis. Losses here take logits: not the last layer before `crossEntropy`. */
export class Softmax extends Layer {
  /** @param axis Default −1, the last. */
  constructor(readonly axis = -1) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return softmax(x, this.axis);
  }
}

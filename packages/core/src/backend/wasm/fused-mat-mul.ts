import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';

type Activation = 'linear' | 'relu' | 'relu6' | 'elu' | 'prelu' | 'leakyrelu' | 'sigmoid';

/**
 * tf.fused.matMul as a product, a sum and an activation.
 *
 * tfjs's own has the faults of its BatchMatMul (see there), and looks XNNPACK's packed right side up by the data alone,
 * whatever the shape. What fusing saves, two passes over the result, is little beside a product.
 */
export const fusedMatMul: Correction = {
  kernel: tf._FusedMatMul,
  correct: () => (args) => {
    const { a, b, bias, preluActivationWeights } = args.inputs as Record<string, tf.Tensor>;
    const { transposeA, transposeB, activation, leakyreluAlpha } = args.attrs;
    return tf.tidy(() => {
      const product = tf.matMul(a!, b!, transposeA, transposeB);
      const sum = bias ? tf.add(product, bias) : product;
      switch (activation as Activation) {
        case 'linear':
          return sum;
        case 'relu':
          return tf.relu(sum);
        case 'relu6':
          return tf.relu6(sum);
        case 'elu':
          return tf.elu(sum);
        case 'prelu':
          return tf.prelu(sum, preluActivationWeights!);
        case 'leakyrelu':
          return tf.leakyRelu(sum, leakyreluAlpha);
        case 'sigmoid':
          return tf.sigmoid(sum);
        default:
          throw new Error(`_FusedMatMul: unknown activation "${activation}"`);
      }
    });
  },
};

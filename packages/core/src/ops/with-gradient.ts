import * as tf from '@tensorflow/tfjs-core';

/** A value and its gradient in closed form. */
interface ClosedForm {
  value: tf.Tensor;
  /** What the gradient needs. Everything it uses has to be here: tensors of an enclosing `tidy` are gone by then. */
  saved: tf.Tensor[];
  /** Gradients of all inputs, in their order, from that of the value and from `saved` in its order. */
  gradient(dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor | tf.Tensor[];
}

/** An operation on `inputs` whose gradient is given rather than recorded. Differentiable again: see below. */
export function withGradient<R extends tf.Rank = tf.Rank>(
  inputs: readonly tf.Tensor[],
  define: () => ClosedForm,
): tf.Tensor<R> {
  const op = tf.customGrad((...args) => {
    const save = args.at(-1) as tf.GradSaveFunc;
    const { value, saved, gradient } = define();
    save(saved);
    return { value, gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.tidy(() => gradient(dy, kept)) };
  });
  return op(...inputs) as tf.Tensor<R>;
}

/**
 * Whether the gradient that is being computed is itself recorded, to be differentiated once more (gradient penalties).
 *
 * Asked inside a `gradient` function. What was saved of *outputs* and intermediate values is a constant to the tape:
 * good for a first gradient, silently wrong for a second one. Only saved *inputs* are connected. So a recorded
 * gradient computes such values again from the inputs. (tfjs's own gradients of exp, sigmoid, tanh and softmax do
 * not, and lose terms of the second order.)
 */
export function gradientIsRecorded(): boolean {
  return tf.engine().state.gradientDepth > 0;
}

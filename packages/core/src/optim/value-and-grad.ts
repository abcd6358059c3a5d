import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import type { Parameter } from '../nn/leaf';

/** A loss alone, or with other tensors that are computed on the way and wanted afterwards. */
export type LossResult = tf.Scalar | ({ loss: tf.Scalar } & Record<string, tf.Tensor>);

/**
 * The value of a loss, and its gradients by the parameters' names.
 *
 * Frozen parameters are constants. A trainable parameter that the loss does not depend on has no entry. NaN and
 * infinity go through as in any arithmetic; nothing is checked for them here.
 *
 * @param loss called once. Returns a float32 scalar, or `{ loss, …others }` where the others are any tensors.
 * @param parameters by name; other tensors that the loss is computed from, such as features, may be among them.
 * @returns `value` as `loss` returned it, and `grads`. The caller owns all of it; everything else is disposed, also
 *   where `loss` throws.
 * @throws ArgumentError where no parameter is trainable, or the loss is no float32 scalar.
 */
export function valueAndGrad<T extends LossResult>(
  loss: () => T,
  parameters: Record<string, Parameter | tf.Tensor>,
): { value: T; grads: Record<string, tf.Tensor> } {
  const names = Object.keys(parameters).filter((name) => !isFrozen(parameters[name]!));
  checkArgument(
    names.length > 0,
    'valueAndGrad',
    'parameters',
    'at least one trainable parameter',
    Object.keys(parameters),
  );
  const engine = tf.engine();
  const kept: Record<string, tf.Tensor> = {};
  let isRecord = false;
  let value: tf.Scalar | undefined;
  try {
    const result = engine.gradients(
      () => {
        const returned = loss();
        isRecord = !(returned instanceof tf.Tensor);
        const others: Record<string, tf.Tensor> = isRecord
          ? { ...(returned as Record<string, tf.Tensor>) }
          : {};
        const scalar = isRecord ? others.loss : returned;
        checkScalar(scalar);
        delete others.loss;
        // The scope of the forward pass disposes all but the loss: the others have to be held across its end.
        for (const [name, tensor] of Object.entries(others)) {
          checkArgument(tensor instanceof tf.Tensor, 'valueAndGrad', `loss().${name}`, 'a tensor', tensor);
          kept[name] = tf.keep(tf.clone(tensor));
        }
        value = ownScalar(scalar);
        return value;
      },
      names.map((name) => parameters[name]!),
      undefined,
      true,
    );
    // From here on the caller's scope has them, as any other result.
    const others = Object.fromEntries(Object.entries(kept).map(([name, tensor]) => [name, tf.clone(tensor)]));
    tf.dispose(kept);
    // A parameter that the loss does not reach comes back as undefined.
    const found = result.grads as (tf.Tensor | undefined)[];
    const grads = Object.fromEntries(names.flatMap((name, i) => (found[i] ? [[name, found[i]]] : [])));
    return { value: (isRecord ? { ...others, loss: result.value } : result.value) as T, grads };
  } catch (error) {
    tf.dispose(kept);
    value?.dispose();
    disposeTape();
    throw error;
  }
}

function isFrozen(x: Parameter | tf.Tensor): boolean {
  return 'trainable' in x && !x.trainable;
}

function checkScalar(loss: unknown): asserts loss is tf.Scalar {
  const expected = 'a float32 scalar';
  checkArgument(loss instanceof tf.Tensor, 'valueAndGrad', 'loss()', expected, loss);
  checkArgument(loss.rank === 0, 'valueAndGrad', 'loss()', expected, loss.shape);
  checkArgument(loss.dtype === 'float32', 'valueAndGrad', 'loss()', expected, loss.dtype);
}

/** The scalar itself if `loss` made it, else a copy: a caller who disposes the value must not dispose a weight. */
function ownScalar(loss: tf.Scalar): tf.Scalar {
  const made = !loss.kept && loss.scopeId === tf.engine().state.activeScope?.id;
  return made ? loss : tf.clone(loss);
}

/** tfjs keeps what the backward pass would have read, and forgets to free it where either pass throws. */
function disposeTape(): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0 || !state.activeTape) return;
  for (const node of state.activeTape) tf.dispose(node.saved ?? []);
  state.activeTape = null as unknown as typeof state.activeTape;
}

import '@poiesis/backend-onnx';
import { adam, compile, Linear, mse, randomKey, useBackend, valueAndGrad } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** In Node on its native runtime, in a bundle on WebAssembly: reads at once, gradients, a replayed step. */
async function main(): Promise<void> {
  const { name } = await useBackend();
  const square = tf.grad((x) => tf.sum(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, false, true)));
  console.log(
    name,
    square(tf.tensor2d([1, 2, 3, 4], [2, 2]))
      .dataSync()
      .join(' '),
  );
  const model = new Linear(1, 1, { key: randomKey(1) });
  const optimizer = adam({ lr: 0.1 });
  let traced = 0;
  const step = compile((x: tf.Tensor) => {
    traced++;
    const loss = (): tf.Scalar => mse(model.forward(x), tf.sub(tf.mul(x, 3), 1)) as tf.Scalar;
    const { value, grads } = valueAndGrad(loss, model.trainableParameters());
    optimizer.step(model.trainableParameters(), grads);
    return value;
  });
  for (let i = 0; i < 300; i++) step(tf.tensor2d([i % 3, -(i % 2)], [2, 1])).dispose();
  const [weight] = await model.weight.data();
  console.log(weight?.toFixed(2), model.bias?.dataSync()[0]?.toFixed(2), traced);
}

main().catch((error) => console.log('failed', error));

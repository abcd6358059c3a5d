import { ClipModel, clipConfigs, infoNCE, patchDropout, resizePositions } from '@poiesis/clip';
import { adam, randomKey, useBackend, valueAndGrad } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** A tiny CLIP learns which of two texts belongs to which of two pictures. */
async function main(): Promise<void> {
  await useBackend('cpu');
  const { image, text } = clipConfigs['tiny-32'];
  const small = { ...text, vocabSize: 8, contextLength: 4 };
  const model = new ClipModel({ image, text: small, embedDim: 16 }, { seed: 1 });
  const pixels = tf.stack([tf.zeros([32, 32, 3]), tf.ones([32, 32, 3])]) as tf.Tensor4D;
  const tokens = tf.tensor2d([6, 1, 7, 6, 2, 7], [2, 3], 'int32');
  const optimizer = adam({ lr: 3e-4 });
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const parameters = model.trainableParameters();
    const { value, grads } = valueAndGrad(() => {
      const { image, text, logitScale } = model.forward(pixels, tokens);
      return infoNCE(image, text, logitScale);
    }, parameters);
    optimizer.step(parameters, grads);
    losses.push((await (value as tf.Scalar).data())[0] ?? Number.NaN);
    tf.dispose([value, grads] as tf.TensorContainer);
  }
  console.log(losses.length, (losses.at(-1) ?? 1) < (losses[0] ?? 0) / 2);
  const kept = patchDropout(tf.zeros([1, 9, 2]), { rate: 0.5, key: randomKey(1) });
  console.log(
    kept.shape.join(),
    resizePositions(new Float32Array(18), 2, { from: [3, 3], to: [4, 4] }).length,
  );
}

main().catch((error) => console.log('failed', error));

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchNorm2d, Conv2d, randomKey, Sequential, useBackend } from '@poiesis/core';
import { loadModel, readPng, saveModel, writePng } from '@poiesis/core/node';
import * as tf from '@tensorflow/tfjs-core';

/** On wasm: a convolution, weights to disk and back, a picture to disk and back. */
async function main(): Promise<void> {
  const backend = await useBackend('wasm');
  console.log(backend.name);
  const folder = await mkdtemp(join(tmpdir(), 'poiesis-program-'));
  try {
    const make = (seed: number): Sequential =>
      new Sequential([new Conv2d(1, 4, { kernelSize: 3, key: randomKey(seed) }), new BatchNorm2d(4)]);
    const [model, other] = [make(1), make(2)];
    const file = join(folder, 'model.safetensors');
    await saveModel(file, model);
    await loadModel(file, other);
    const x = tf.ones([1, 5, 5, 1]);
    const difference = tf.max(tf.abs(tf.sub(model.eval().forward(x), other.eval().forward(x))));
    console.log(model.forward(x).shape.join(), difference.dataSync()[0]);
    const picture = join(folder, 'picture.png');
    await writePng(picture, {
      data: new Uint8Array([0, 50, 100, 150, 200, 250]),
      width: 3,
      height: 2,
      channels: 1,
    });
    console.log([...(await readPng(picture)).data].join());
  } finally {
    await rm(folder, { recursive: true });
  }
}

main().catch((error) => console.log('failed', error));

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClipModel, clipConfigs } from '@poiesis/clip';
import { loadClip, saveClip } from '@poiesis/clip/node';
import { useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** On wasm: a model to disk and back, in both layouts. */
async function main(): Promise<void> {
  const backend = await useBackend('wasm');
  console.log(backend.name);
  const { image, text } = clipConfigs['tiny-32'];
  const config = { image, text: { ...text, vocabSize: 8, contextLength: 4 }, embedDim: 16 };
  const model = new ClipModel(config, { seed: 1 }).eval();
  const pixels: tf.Tensor4D = tf.ones([1, 32, 32, 3]);
  const features = model.encodeImage(pixels);
  for (const layout of ['huggingFace', 'openClip'] as const) {
    const folder = await mkdtemp(join(tmpdir(), 'poiesis-program-'));
    try {
      await saveClip(folder, model, { layout });
      const read = await loadClip(folder);
      const difference = tf.max(tf.abs(tf.sub(read.model.encodeImage(pixels), features)));
      console.log(read.layout, read.model instanceof ClipModel, (await difference.data())[0]);
      console.log((await readdir(folder)).join());
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}

main().catch((error) => console.log('failed', error));

import { clipConfigs, resolveConfig, VisionTransformer } from '@poiesis/clip';
import { compile, randomKey } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { parametersOf } from '../models/parameters';
import type { Workload } from '../workload';
import { pictures } from './pictures';

const size = 224;
/** Pictures to choose from. */
const count = 32;

const clipEncodeOf = (name: string, batch: number): Workload => ({
  name,
  about: `image tower of CLIP ViT-B/32, OpenAI's, frozen, ${batch} × ${size}×${size}×3: embeddings`,
  prepare() {
    const [weights, data, draws] = randomKey(1).split(3);
    const { image, embedDim } = resolveConfig(clipConfigs['ViT-B-32-quickgelu']);
    const tower = new VisionTransformer(image, embedDim, { key: weights! }).eval().freeze();
    const encode = compile((pixels: tf.Tensor4D) => tower.forward(pixels), { name });
    const set = pictures(data!, count, size * size * 3);
    return {
      parameters: parametersOf(tower),
      async step(index) {
        const pixels = set.gather(draws!.fold(index), batch);
        const embeddings = tf.tidy(() => encode(tf.tensor4d(pixels, [batch, size, size, 3])));
        const [value] = await embeddings.data();
        embeddings.dispose();
        return value!;
      },
      dispose: () => tower.dispose(),
    };
  },
});

export const clipEncode = clipEncodeOf('clip-encode', 16);
export const clipEncodeOne = clipEncodeOf('clip-encode-1', 1);

import { compile, hostUniform, randomKey } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { ResNet18 } from '../models/resnet';
import type { Workload } from '../workload';

const size = 32;

const convInferOf = (name: string, batch: number): Workload => ({
  name,
  about: `ResNet-18 on ${size}×${size}×3, frozen, batch ${batch}: logits`,
  prepare() {
    const [weights, draws] = randomKey(1).split(2);
    const model = new ResNet18(10, weights!).eval().freeze();
    const predict = compile((x: tf.Tensor) => model.forward(x), { name });
    return {
      async step(index) {
        const pixels = hostUniform(draws!.fold(index), batch * size * size * 3, { min: -1, max: 1 });
        const logits = tf.tidy(() => predict(tf.tensor4d(pixels, [batch, size, size, 3])));
        const [value] = await logits.data();
        logits.dispose();
        return value!;
      },
      dispose: () => model.dispose(),
    };
  },
});

export const convInfer = convInferOf('conv-infer', 16);
export const convInferOne = convInferOf('conv-infer-1', 1);

import { BatchNorm2d, Conv2d, globalAvgPool2d, type Key, Linear, Module, relu } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

const channels = [64, 128, 256, 512];

/** ResNet-18 (He et al. 2015) with the stem for 32×32 pictures: one 3×3 convolution, no pooling. */
export class ResNet18 extends Module {
  readonly conv1: Conv2d;
  readonly bn1 = new BatchNorm2d(channels[0]!);
  readonly layer: readonly BasicBlock[];
  readonly fc: Linear;

  constructor(classes: number, key: Key) {
    super();
    const [stem, head, ...rest] = key.split(2 + 2 * channels.length);
    this.conv1 = conv(3, channels[0]!, 3, 1, stem!);
    this.layer = channels.flatMap((out, stage) => [
      new BasicBlock(channels[stage - 1] ?? out, out, stage === 0 ? 1 : 2, rest[2 * stage]!),
      new BasicBlock(out, out, 1, rest[2 * stage + 1]!),
    ]);
    this.fc = new Linear(channels.at(-1)!, classes, { key: head! });
  }

  /** `[batch, 32, 32, 3]` → logits `[batch, classes]`. */
  forward(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      let y: tf.Tensor = relu(this.bn1.forward(this.conv1.forward(x)));
      for (const block of this.layer) y = block.forward(y);
      return this.fc.forward(globalAvgPool2d(y)) as tf.Tensor2D;
    });
  }
}

/** Two convolutions and what bypasses them: `x` itself, or a 1×1 convolution of it where the shape changes. */
class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: readonly [Conv2d, BatchNorm2d] | readonly [];

  constructor(inChannels: number, out: number, stride: number, key: Key) {
    super();
    const [first, second, bypass] = key.split(3);
    this.conv1 = conv(inChannels, out, 3, stride, first!);
    this.bn1 = new BatchNorm2d(out);
    this.conv2 = conv(out, out, 3, 1, second!);
    this.bn2 = new BatchNorm2d(out);
    this.downsample = stride === 1 ? [] : [conv(inChannels, out, 1, stride, bypass!), new BatchNorm2d(out)];
  }

  forward(x: tf.Tensor): tf.Tensor {
    const y = relu(this.bn1.forward(this.conv1.forward(x)));
    const residual = this.bn2.forward(this.conv2.forward(y));
    const [project, norm] = this.downsample;
    return relu(tf.add(residual, project && norm ? norm.forward(project.forward(x)) : x));
  }
}

function conv(inChannels: number, out: number, kernelSize: number, stride: number, key: Key): Conv2d {
  return new Conv2d(inChannels, out, { kernelSize, stride, padding: kernelSize >> 1, bias: false, key });
}

import { hostUniform, randomKey } from '@poiesis/core';
import { Tensor } from 'onnxruntime-node';
import type { GraphBuilder } from '../../../packages/backend-onnx/src/onnx/graph-builder';
import type { PlainModel } from '.';
import { plainSession } from './session';

const [size, classes] = [32, 10];

/** The network of ../models/resnet.ts as exporters write it: NCHW, batch normalization folded into the convolutions. */
export function plainResNet(batch: number): PlainModel {
  return async (threads) => {
    const [weights, draws] = randomKey(1).split(2);
    const dims = [batch, 3, size, size];
    let count = 0;
    const session = await plainSession((graph) => {
      const fresh = (shape: number[], fan: number) => {
        const n = shape.reduce((a, b) => a * b);
        const bound = 1 / Math.sqrt(fan);
        const values = hostUniform(weights!.fold(count++), n, { min: -bound, max: bound });
        return graph.constant('float32', shape, values);
      };
      graph.inputs.push({ name: 'x', dtype: 'float32', dims });
      const pooled = graph.node('GlobalAveragePool', [features(graph, fresh)]);
      const logits = graph.node('Gemm', [
        graph.node('Flatten', [pooled]),
        fresh([512, classes], 512),
        fresh([classes], 512),
      ]);
      graph.outputs.push({ name: logits, dtype: 'float32', dims: [batch, classes] });
    }, threads);
    const [output] = session.outputNames;
    return {
      async step(index) {
        const pixels = hostUniform(draws!.fold(index), batch * 3 * size * size, { min: -1, max: 1 });
        const logits = (await session.run({ x: new Tensor('float32', pixels, dims) }))[output!]!;
        return (logits.data as Float32Array)[0]!;
      },
      dispose: () => void session.release(),
    };
  };
}

/** The stem and the eight blocks: the last one's output. */
function features(graph: GraphBuilder, fresh: (shape: number[], fan: number) => string): string {
  const conv = (x: string, inChannels: number, out: number, kernel: number, stride: number) =>
    graph.node(
      'Conv',
      [
        x,
        fresh([out, inChannels, kernel, kernel], inChannels * kernel ** 2),
        fresh([out], inChannels * kernel ** 2),
      ],
      { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: Array(4).fill(kernel >> 1) },
    );
  const relu = (x: string) => graph.node('Relu', [x]);
  const block = (x: string, inChannels: number, out: number, stride: number) => {
    const residual = conv(relu(conv(x, inChannels, out, 3, stride)), out, out, 3, 1);
    return relu(graph.node('Add', [residual, stride === 1 ? x : conv(x, inChannels, out, 1, stride)]));
  };
  let y = relu(conv('x', 3, 64, 3, 1));
  for (const [inChannels, out, stride] of [
    [64, 64, 1],
    [64, 128, 2],
    [128, 256, 2],
    [256, 512, 2],
  ] as const) {
    y = block(block(y, inChannels, out, stride), out, out, 1);
  }
  return y;
}

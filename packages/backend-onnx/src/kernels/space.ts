import { backend_util, slice_util, util } from '@tensorflow/tfjs-core';
import { sizeOf } from '../trace/graph';
import { pad, slice, transpose } from './compose';
import { kernel } from './register';

/** Blocks of pixels moved to the batch and back, borders that mirror, images flipped. */
export function registerSpace(): void {
  kernel('SpaceToBatchND', (call) => {
    const x = call.value('x');
    const block = call.attr<number[]>('blockShape');
    const paddings = call.attr<Array<[number, number]>>('paddings');
    const count = sizeOf(block);
    const rest = x.shape.slice(1 + block.length).map((): [number, number] => [0, 0]);
    const padded = pad(call, x, [[0, 0], ...paddings, ...rest]);
    const shape = [...padded.shape];
    const split = padded.reshaped(backend_util.getReshaped(shape, block, count, false));
    const moved = transpose(call, split, backend_util.getPermuted(split.shape.length, block.length, false));
    return moved.reshaped(backend_util.getReshapedPermuted(shape, block, count, false));
  });
  kernel('BatchToSpaceND', (call) => {
    const x = call.value('x');
    const block = call.attr<number[]>('blockShape');
    const crops = call.attr<number[][]>('crops');
    const count = sizeOf(block);
    const shape = [...x.shape];
    const split = x.reshaped(backend_util.getReshaped(shape, block, count));
    const moved = transpose(call, split, backend_util.getPermuted(split.shape.length, block.length));
    const full = backend_util.getReshapedPermuted(shape, block, count);
    const begin = backend_util.getSliceBeginCoords(crops, block.length);
    const size = backend_util.getSliceSize(full, crops, block.length);
    const [from, counts] = slice_util.parseSliceParams({ shape: full } as never, begin, size) as [
      number[],
      number[],
    ];
    slice_util.assertParamsValid({ shape: full, rank: full.length } as never, from, counts);
    return slice(call, moved.reshaped(full), from, counts);
  });
  kernel('DepthToSpace', (call) => {
    const x = call.value('x');
    const b = call.attr<number>('blockSize');
    if (call.attr<string>('dataFormat') !== 'NHWC') {
      const [n, d, h, w] = x.shape as [number, number, number, number];
      const blocks = x.reshaped([n, b, b, d / (b * b), h, w]);
      return transpose(call, blocks, [0, 3, 4, 1, 5, 2]).reshaped([n, d / (b * b), h * b, w * b]);
    }
    const [n, h, w, d] = x.shape as [number, number, number, number];
    const blocks = x.reshaped([n, h, w, b, b, d / (b * b)]);
    return transpose(call, blocks, [0, 1, 3, 2, 4, 5]).reshaped([n, h * b, w * b, d / (b * b)]);
  });
  kernel('MirrorPad', (call) => {
    const x = call.value('x');
    const paddings = call.attr<Array<[number, number]>>('paddings');
    const shape = x.shape.map((d, i) => d + paddings[i]![0] + paddings[i]![1]);
    if (sizeOf(x.shape) === 0) return undefined;
    const attrs = { before: paddings.map(([before]) => before), mode: call.attr<string>('mode') };
    return call.record('MirrorPad', [x], attrs, shape, x.dtype);
  });
  kernel('FlipLeftRight', (call) => {
    const x = call.value('image');
    const axes = util.parseAxisParam([2], [...x.shape]);
    return call.record('Reverse', [x], { axes }, x.shape, x.dtype);
  });
}

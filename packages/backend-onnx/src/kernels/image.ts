import { backend_util, util } from '@tensorflow/tfjs-core';
import { sizeOf } from '../trace/graph';
import { castValue } from './elementwise';
import { kernel } from './register';

/** What data pipelines and detectors do to images: crops by boxes, rotations by a fixed angle. */
export function registerImages(): void {
  kernel('CropAndResize', (call) => {
    const image = castValue(call.value('image'), 'float32');
    const [boxes, owners] = [call.value('boxes'), castValue(call.value('boxInd'), 'int32')];
    const [height, width] = call.attr<[number, number]>('cropSize');
    const shape = [boxes.shape[0]!, height, width, image.shape[3]!];
    // The runtime takes the pixel below where tfjs rounds to the nearest.
    if (call.attr<string>('method') !== 'bilinear') return undefined;
    if (sizeOf(shape) === 0 || sizeOf(image.shape) === 0) return undefined;
    const attrs = {
      size: [height, width],
      mode: 'bilinear',
      fill: call.attr<number>('extrapolationValue'),
    };
    return call.record('CropAndResize', [image, boxes, owners], attrs, shape, 'float32');
  });
  kernel('RotateWithOffset', (call) => {
    const image = call.value('image');
    const [, height, width, channels] = image.shape as [number, number, number, number];
    const [centerX, centerY] = backend_util.getImageCenter(call.attr('center'), height, width);
    const fill = call.attr<number | number[]>('fillValue');
    if (sizeOf(image.shape) === 0 || image.dtype === 'bool') return undefined;
    const attrs = {
      sin: Math.sin(call.attr<number>('radians')),
      cos: Math.cos(call.attr<number>('radians')),
      center: [centerX, centerY],
      // The fourth channel is opacity.
      fill: Array.from({ length: channels }, (_, i) =>
        typeof fill === 'number' ? fill : i === 3 ? 255 : (fill[i] ?? Number.NaN),
      ),
    };
    util.assert(image.shape.length === 4, () => 'rotateWithOffset: image must be of rank 4');
    return call.record('Rotate', [image], attrs, image.shape, image.dtype);
  });
}

import { castValue } from './elementwise';
import { type KernelCall, kernel } from './register';

/** Resizing of images and its gradients. */
export function registerResizing(): void {
  for (const [name, op] of [
    ['ResizeBilinear', 'ResizeBilinear'],
    ['ResizeNearestNeighbor', 'ResizeNearest'],
  ] as const) {
    kernel(name, (call) => {
      const x = call.value('images');
      const [n, , , channels] = x.shape as [number, number, number, number];
      const [h, w] = call.attr<[number, number]>('size');
      const shape = [n, h, w, channels];
      if (x.shape.includes(0) || shape.includes(0)) return undefined;
      return call.record(op, [castValue(x, 'float32')], modeOf(call), shape, 'float32');
    });
    kernel(`${name}Grad`, (call) => {
      const dy = castValue(call.value('dy'), 'float32');
      const { shape } = call.info('images');
      if (shape.includes(0) || dy.shape.includes(0)) return undefined;
      return call.record(`${op}Gradient`, [dy], modeOf(call), shape, 'float32');
    });
  }
}

function modeOf(call: KernelCall): { mode: string } {
  if (call.attr<boolean>('alignCorners')) return { mode: 'corners' };
  return { mode: call.attr<boolean>('halfPixelCenters') ? 'half' : 'plain' };
}

import type { Lowering } from './context';

/** Crops of images, and images turned. */
export const crops: Record<string, Lowering> = {
  /** Inputs: image, boxes, the image that each box belongs to. */
  CropAndResize: (c) => {
    const image = c.transpose(c.in(0), [0, 3, 1, 2]);
    const size = c.g.constant('int32', [2], c.numbers('size'));
    const attributes = {
      mode: c.string('mode'),
      extrapolation_value: { float: c.number('fill') },
    };
    const crop = c.op('CropAndResize', [image, c.in(1), c.in(2), size], attributes, 'com.microsoft');
    return c.transpose(crop, [0, 2, 3, 1]);
  },
  /** The angle is known, and so is the pixel that each pixel shows; one more holds what lies outside. */
  Rotate: (c) => {
    const [batch, height, width, channels] = c.out.shape as [number, number, number, number];
    const [sin, cos] = [c.number('sin'), c.number('cos')];
    const [centerX, centerY] = c.numbers('center') as [number, number];
    const pixels = height * width;
    const index = Int32Array.from({ length: pixels }, (_, i) => {
      const [x, y] = [(i % width) - centerX, Math.floor(i / width) - centerY];
      const fromX = Math.round(x * cos - y * sin + centerX);
      const fromY = Math.round(x * sin + y * cos + centerY);
      const inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
      return inside ? fromY * width + fromX : pixels;
    });
    const fill = c.g.constant(c.out.dtype, [1, 1, channels], c.numbers('fill'));
    const outside = c.op('Expand', [fill, c.g.ints([batch, 1, channels])]);
    const source = c.concat([c.reshape(c.in(0), [batch, pixels, channels]), outside], 1);
    const turned = c.op('Gather', [source, c.g.constant('int32', [pixels], index)], { axis: 1 });
    return c.reshape(turned, c.out.shape);
  },
};

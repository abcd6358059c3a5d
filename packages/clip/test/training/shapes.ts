import { hostUniform, type Key } from '@poiesis/core';

const COLOURS = {
  red: [0.9, 0.1, 0.1],
  green: [0.1, 0.8, 0.2],
  blue: [0.15, 0.25, 0.95],
  yellow: [0.95, 0.9, 0.1],
};

/** Whether a point is inside the shape of radius 1 around the origin; y points down. */
const SHAPES: Record<string, (x: number, y: number) => boolean> = {
  circle: (x, y) => x * x + y * y <= 1,
  square: (x, y) => Math.abs(x) <= 0.85 && Math.abs(y) <= 0.85,
  triangle: (x, y) => y <= 0.75 && y >= -1 && Math.abs(x) <= (y + 1) * 0.57,
  cross: (x, y) => (Math.abs(x) <= 0.33 && Math.abs(y) <= 1) || (Math.abs(y) <= 0.33 && Math.abs(x) <= 1),
};

/** The 16 captions: `a red circle`, … */
export const shapeCaptions: readonly string[] = Object.keys(COLOURS).flatMap((colour) =>
  Object.keys(SHAPES).map((shape) => `a ${colour} ${shape}`),
);

/**
 * A picture `[size, size, 3]` in [−1, 1] of the caption with this number: the shape somewhere, of some size, its colour
 * and the dark background a little different each time.
 */
export function colouredShape(caption: number, key: Key, size: number): Float32Array {
  const colour = Object.values(COLOURS)[Math.floor(caption / 4)]!;
  const inside = Object.values(SHAPES)[caption % 4]!;
  const [a, b, c, ...jitter] = hostUniform(key, 9) as unknown as number[] & [number, number, number];
  const radius = size * (0.28 + 0.14 * a);
  const centre = (u: number) => radius + u * (size - 2 * radius);
  const [cx, cy] = [centre(b), centre(c)];
  const pixels = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const painted = inside((x + 0.5 - cx) / radius, (y + 0.5 - cy) / radius);
      for (let channel = 0; channel < 3; channel++) {
        const light = painted
          ? colour[channel]! + 0.3 * (jitter[channel]! - 0.5)
          : 0.25 * jitter[3 + channel]!;
        pixels[(y * size + x) * 3 + channel] = 2 * Math.min(1, Math.max(0, light)) - 1;
      }
    }
  }
  return pixels;
}

import { type HostImage, randomKey } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import { augment, colourJitter, flipImage, randomCropBox, randomResizedCrop } from '../../src/images';
import { cropBoxOf } from '../../src/images/augment';
import { fixture } from '../node/pictures/fixture';

const image: HostImage = {
  data: Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 7919) & 255),
  width: 40,
  height: 30,
  channels: 3,
};

describe('randomCropBox', () => {
  it('makes the boxes of torchvision of the same draws', () => {
    expect(fixture.boxes.length).toBe(60);
    for (const { width, height, scale, ratio, draws, box } of fixture.boxes) {
      const {
        x,
        y,
        width: w,
        height: h,
      } = cropBoxOf((i) => draws[i]! / 65536, { width, height }, scale, ratio);
      expect([x, y, w, h], JSON.stringify({ width, height, scale, ratio })).toEqual(box);
    }
  });

  it('keeps the asked share and shape, all over the picture', () => {
    const size = { width: 200, height: 100 };
    const boxes = Array.from({ length: 400 }, (_, i) =>
      randomCropBox(randomKey(i), size, { scale: [0.2, 0.4] }),
    );
    for (const { x, y, width, height } of boxes) {
      expect(x >= 0 && y >= 0 && x + width <= 200 && y + height <= 100).toBe(true);
      expect((width * height) / 20_000).toBeGreaterThan(0.19);
      expect((width * height) / 20_000).toBeLessThan(0.41);
    }
    const mean = (of: (b: (typeof boxes)[0]) => number) =>
      boxes.reduce((sum, b) => sum + of(b), 0) / boxes.length;
    expect(mean((b) => b.x + b.width / 2)).toBeCloseTo(100, -1);
    expect(mean((b) => b.y + b.height / 2)).toBeCloseTo(50, -1);
  });

  it('refuses impossible ranges', () => {
    expect(() => randomCropBox(randomKey(1), image, { scale: [0.5, 1.5] })).toThrow('options.scale');
    expect(() => randomCropBox(randomKey(1), image, { ratio: [2, 1] })).toThrow('options.ratio');
  });
});

describe('augment', () => {
  const options = {
    size: 24,
    scale: [0.3, 1],
    flip: 0.5,
    jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  } as const;

  it('is a function of its key', () => {
    const [first, again, other] = [1, 1, 2].map((seed) => augment(randomKey(seed), image, options).data);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('flips as often as it is told to', () => {
    const whole = {
      size: { width: 40, height: 30 },
      scale: [1, 1],
      ratio: [4 / 3, 4 / 3],
      flip: 0.25,
    } as const;
    let flipped = 0;
    for (let seed = 0; seed < 400; seed++) {
      const { data } = augment(randomKey(seed), image, whole);
      const is = Buffer.compare(data, flipImage(image).data) === 0;
      expect(is || Buffer.compare(data, image.data) === 0).toBe(true);
      flipped += Number(is);
    }
    expect(flipped).toBeGreaterThan(65);
    expect(flipped).toBeLessThan(135);
  });

  it('makes RGB of grey and of alpha', () => {
    const grey: HostImage = { data: image.data.subarray(0, 1200), width: 40, height: 30, channels: 1 };
    expect(augment(randomKey(3), grey, options)).toMatchObject({ width: 24, height: 24, channels: 3 });
    expect(randomResizedCrop(randomKey(3), grey, 8).channels).toBe(1);
  });

  it('leaves colours as they are where nothing is asked for, and refuses nonsense', () => {
    expect(colourJitter(randomKey(1), image)).toBe(image);
    expect(() => colourJitter(randomKey(1), image, { hue: 0.6 })).toThrow('options.hue');
    expect(() => colourJitter(randomKey(1), image, { brightness: -1 })).toThrow('options.brightness');
    expect(() => augment(randomKey(1), image, { size: 8, flip: 2 })).toThrow('options.flip');
  });
});

it('flips twice to the same', () => {
  expect(flipImage(flipImage(image))).toEqual(image);
  expect([...flipImage(image).data.subarray(0, 3)]).toEqual([...image.data.subarray(39 * 3, 40 * 3)]);
});

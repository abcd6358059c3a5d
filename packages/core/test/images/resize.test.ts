import { loadFixture } from '@poiesis/testing';
import { describe, expect, it } from 'vitest';
import {
  convertChannels,
  cropImage,
  fitImage,
  type HostImage,
  imageArray,
  type ResizeFilter,
  resizeImage,
} from '../../src/images';

interface Shown {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  data: string;
}
const fixture = loadFixture(import.meta.url, '../../fixtures/images.json');
const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const imageOf = ({ data, ...size }: Shown): HostImage => ({ ...size, data: bytes(data) });
const worst = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);

describe('resizeImage', () => {
  it.each(['box', 'bilinear', 'bicubic', 'lanczos'] as ResizeFilter[])(
    'is Pillow to the bit: %s',
    (filter) => {
      for (const { source, width, height, results } of fixture.resize) {
        const image = imageOf(source);
        const resized = resizeImage(image, { width, height, filter });
        expect([resized.width, resized.height, resized.channels]).toEqual([width, height, image.channels]);
        expect(resized.data.length).toBe(width * height * image.channels);
        // Lanczos weights come from Math.sin, whose last bit differs between engines.
        expect(worst(resized.data, bytes(results[filter]))).toBeLessThanOrEqual(filter === 'lanczos' ? 1 : 0);
      }
    },
  );

  it('keeps a flat picture flat', () => {
    const image: HostImage = { data: new Uint8Array(7 * 5 * 3).fill(201), width: 7, height: 5, channels: 3 };
    for (const filter of ['box', 'bilinear', 'bicubic', 'lanczos'] as const) {
      const { data } = resizeImage(image, { width: 12, height: 3, filter });
      expect(data.every((v) => v === 201)).toBe(true);
    }
  });

  it('gives the same picture for the same size', () => {
    const image = imageOf(fixture.resize[0].source);
    expect(resizeImage(image, { width: image.width, height: image.height })).toBe(image);
  });

  it('names wrong arguments', () => {
    const image: HostImage = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 };
    expect(() => resizeImage(image, { width: 0, height: 2 })).toThrow('resizeImage(options)');
    expect(() => resizeImage(image, { width: 1, height: 2, filter: 'cubic' as never })).toThrow(
      'resizeImage(options.filter): expected box, bilinear, bicubic, lanczos, got "cubic"',
    );
    expect(() => resizeImage({ ...image, width: 3 }, { width: 1, height: 1 })).toThrow(
      '18 bytes (3 × 2 × 3)',
    );
    expect(() => resizeImage({ ...image, channels: 5 as never }, { width: 1, height: 1 })).toThrow(
      'image.channels',
    );
    expect(() => resizeImage(null as never, { width: 1, height: 1 })).toThrow('resizeImage(image)');
  });
});

describe('fitImage and cropImage', () => {
  it('rounds as torchvision', () => {
    for (const { source, size, result } of fixture.fit) {
      const { data, ...shape } = fitImage(imageOf(source), size);
      expect(shape).toEqual({ width: size, height: size, channels: 3 });
      expect(worst(data, bytes(result.data))).toBe(0);
    }
  });

  it('cuts out a part', () => {
    const image: HostImage = {
      data: Uint8Array.from({ length: 12 }, (_, i) => i),
      width: 4,
      height: 3,
      channels: 1,
    };
    expect([...cropImage(image, { x: 1, y: 1, width: 2, height: 2 }).data]).toEqual([5, 6, 9, 10]);
    expect(() => cropImage(image, { x: 3, y: 1, width: 2, height: 2 })).toThrow('within 4 × 3');
    expect(() => fitImage(image, 0)).toThrow('fitImage(size)');
  });
});

describe('convertChannels', () => {
  it('makes grey as Pillow does', () => {
    const { source, grey } = fixture.convert;
    expect(worst(convertChannels(imageOf(source), 1).data, bytes(grey.data))).toBe(0);
  });

  it('goes from every number of channels to every other', () => {
    const of = (...data: number[]): HostImage => ({
      data: Uint8Array.from(data),
      width: 1,
      height: 1,
      channels: data.length as 1,
    });
    const luma = (10 * 19595 + 20 * 38470 + 30 * 7471 + 0x8000) >> 16;
    const to = (image: HostImage) => ([1, 2, 3, 4] as const).map((c) => [...convertChannels(image, c).data]);
    expect(to(of(9))).toEqual([[9], [9, 255], [9, 9, 9], [9, 9, 9, 255]]);
    expect(to(of(9, 7))).toEqual([[9], [9, 7], [9, 9, 9], [9, 9, 9, 7]]);
    expect(to(of(10, 20, 30))).toEqual([[luma], [luma, 255], [10, 20, 30], [10, 20, 30, 255]]);
    expect(to(of(10, 20, 30, 40))).toEqual([[luma], [luma, 40], [10, 20, 30], [10, 20, 30, 40]]);
    expect(() => convertChannels(of(1), 5 as never)).toThrow('convertChannels(channels)');
  });
});

describe('imageArray', () => {
  it('is a sample that shares the bytes', () => {
    const image: HostImage = { data: new Uint8Array(12), width: 3, height: 2, channels: 2 };
    const sample = imageArray(image, [0, 1]);
    expect(sample).toEqual({ data: image.data, shape: [2, 3, 2], range: [0, 1] });
    expect(sample.data).toBe(image.data);
  });
});

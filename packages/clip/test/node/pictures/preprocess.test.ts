import type { HostImage } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  clipPreprocessing,
  frameImage,
  huggingFacePreprocessing,
  type ImagePreprocessing,
  overColour,
  parseHuggingFacePreprocessing,
  parseOpenClipPreprocessing,
  preprocess,
  preprocessBatch,
  siglipPreprocessing,
} from '../../../src/images';
import { decodePicture } from '../../../src/node';
import { fileOf, fixture, sha } from './fixture';

const half = [0.5, 0.5, 0.5];
const clip = (edge: number) => ({
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: edge },
  crop_size: { height: 32, width: 32 },
});
// The settings of fixtures/pictures.py, each as the file that says so.
const settings: Record<string, ImagePreprocessing> = {
  'openClip clip32': parseOpenClipPreprocessing({ preprocess_cfg: { size: 32 } }),
  'openClip clip224': parseOpenClipPreprocessing({
    model_cfg: { vision_cfg: { image_size: 224 } },
    preprocess_cfg: {},
  }),
  'openClip wide': parseOpenClipPreprocessing({ size: [24, 41] }),
  'openClip bilinear': parseOpenClipPreprocessing({ size: 29, interpolation: 'bilinear' }),
  'openClip squash': parseOpenClipPreprocessing({ size: 32, resize_mode: 'squash', mean: half, std: half }),
  'openClip longest': parseOpenClipPreprocessing({ size: 32, resize_mode: 'longest', fill_color: 7 }),
  'huggingFace clip32': parseHuggingFacePreprocessing(clip(32)),
  'huggingFace clip224': parseHuggingFacePreprocessing({ image_processor_type: 'CLIPImageProcessor' }),
  'huggingFace edge': parseHuggingFacePreprocessing(clip(37)),
  'huggingFace siglip': parseHuggingFacePreprocessing({
    image_processor_type: 'SiglipImageProcessor',
    size: { height: 32, width: 32 },
  }),
};

const images = new Map<string, HostImage>();
beforeAll(async () => {
  for (const name of Object.keys(fixture.files)) images.set(name, await decodePicture(fileOf(name)));
});

describe('preprocess', () => {
  for (const [label, ofLabel] of Object.entries(settings)) {
    it(`has the bytes of ${label}`, () => {
      const [origin, name] = label.split(' ') as ['openClip' | 'huggingFace', string];
      const cases = fixture.preprocessing.filter((c) => c[origin] === name);
      expect(cases.length).toBeGreaterThan(10);
      for (const { file, bytes, samples } of cases) {
        const framed = frameImage(images.get(file)!, ofLabel);
        expect(sha(framed.data), file).toBe(bytes);
        const { data, shape } = preprocess(images.get(file)!, ofLabel);
        expect(shape).toEqual([ofLabel.size.height, ofLabel.size.width, 3]);
        const stride = Math.floor(data.length / 4);
        samples.forEach((value, i) => {
          expect(data[i * stride]!).toBeCloseTo(value, 5);
        });
      }
    });
  }

  it('makes a batch of pictures of several sizes, and names what is none', () => {
    const two = [images.get('photo.jpg')!, images.get('greyAlpha.png')!];
    const siglip = siglipPreprocessing(16);
    expectNoLeak(() => {
      const batch = preprocessBatch(two, siglip);
      expect(batch.shape).toEqual([2, 16, 16, 3]);
      expect([...batch.dataSync()]).toEqual(two.flatMap((image) => [...preprocess(image, siglip).data]));
      batch.dispose();
    });
    expect(() => preprocessBatch([two[0]!, {} as HostImage], siglip)).toThrow('preprocessBatch(images[1])');
  });

  it('lays transparent pictures over a colour as Pillow does', () => {
    for (const [name, bytes] of Object.entries(fixture.overGround)) {
      expect(sha(overColour(images.get(name)!, [255, 128, 3]).data), name).toBe(bytes);
    }
    expect([...frameImage(images.get('rgba.png')!, clipPreprocessing(31)).data.subarray(0, 3)]).toEqual([
      255, 255, 255,
    ]);
  });
});

describe('configurations', () => {
  it('are read back as they were written', () => {
    for (const original of [
      clipPreprocessing(224, { middle: 'down' }),
      siglipPreprocessing([32, 48], { middle: 'down' }),
      settings['huggingFace edge']!,
    ]) {
      const json = JSON.parse(JSON.stringify(huggingFacePreprocessing(original)));
      expect(parseHuggingFacePreprocessing(json)).toEqual(original);
    }
  });

  it('take the old forms and unusual scales', () => {
    const old = parseHuggingFacePreprocessing({
      feature_extractor_type: 'CLIPFeatureExtractor',
      size: 224,
      crop_size: 224,
      resample: 3,
    });
    expect(old).toEqual(clipPreprocessing(224, { middle: 'down' }));
    const scaled = parseHuggingFacePreprocessing({
      ...clip(32),
      rescale_factor: 1 / 127.5,
      image_mean: [1, 1, 1],
      image_std: [1, 1, 1],
    });
    expect(scaled.mean[0]).toBeCloseTo(0.5);
    expect(scaled.std[0]).toBeCloseTo(0.5);
  });

  it('refuse what is not done here, and say where', () => {
    expect(() => parseHuggingFacePreprocessing({ resample: 0 }, 'm/p.json')).toThrow(
      'm/p.json: expected resample to be a filter',
    );
    expect(() => parseHuggingFacePreprocessing({ do_resize: false })).toThrow('do_resize');
    expect(() => parseHuggingFacePreprocessing({ image_mean: [1, 2] })).toThrow('image_mean');
    expect(() => parseOpenClipPreprocessing({ resize_mode: 'fit' })).toThrow('resize_mode');
    expect(() => clipPreprocessing(0)).toThrow('clipPreprocessing(size)');
  });
});

it('changes colours as torchvision does', async () => {
  const functions = { adjustBrightness, adjustContrast, adjustSaturation, adjustHue };
  const image = await decodePicture(new Uint8Array(Buffer.from(fixture.colours.file, 'base64')));
  for (const { name, by, bytes } of fixture.colours.steps) {
    expect(sha(functions[name as keyof typeof functions](image, by).data), `${name} ${by}`).toBe(bytes);
  }
  expect(() => adjustHue(image, 0.6)).toThrow('adjustHue(shift)');
  expect(() => adjustContrast(image, -1)).toThrow('adjustContrast(factor)');
});

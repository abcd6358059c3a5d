import { ArgumentError, FileFormatError, type HostImage } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CLIP,
  type ClipOutput,
  EmbeddingIndex,
  ImageError,
  indexImages,
  preprocessBatch,
  promptTemplates,
} from '../../src';
import { picture, pictures, tiny } from './tiny';

let clip: CLIP;
let siglip: CLIP;
beforeAll(() => {
  clip = tiny();
  siglip = tiny('siglip');
});
afterAll(() => {
  clip.dispose();
  siglip.dispose();
});

const TEXTS = [
  'a cat',
  'a photo of two small fish, a bird, a cat, a dog, a fish, the bird',
  'the dog .',
  'dog',
  'a bird',
];

/** What the model itself says, all in one batch and with whole rows. */
function byModel(
  { model, tokenizer, preprocessing }: CLIP,
  images: HostImage[],
  texts: string[],
): ClipOutput {
  const pixels = preprocessBatch(images, preprocessing);
  const tokens = tokenizer.batch(texts);
  const output = model.eval().forward(pixels, tokens);
  tf.dispose([pixels, tokens]);
  return output;
}

describe.each(['clip', 'siglip'] as const)('%s', (family) => {
  const pipeline = () => (family === 'clip' ? clip : siglip);

  it.each([1, 2, 3, 16])('embeds as the model does, in batches of %i', async (batch) => {
    const expected = byModel(pipeline(), pictures(5), TEXTS);
    const images = await pipeline().embedImages(pictures(5), { batch });
    const texts = await pipeline().embedTexts(TEXTS, { batch });
    expect(images).toBeAllClose(expected.image, 1e-5);
    expect(texts).toBeAllClose(expected.text, 1e-5);
    tf.dispose([{ ...expected }, images, texts]);
  });

  it('scores labels by the definition, the best first', async () => {
    const labels = ['cat', 'dog', 'bird'];
    const images = pictures(2);
    const found = await pipeline().classify(images, labels, { template: 'a photo of {}' });
    const { image, text, logitScale, logitBias } = byModel(
      pipeline(),
      images,
      labels.map((label) => `a photo of ${label}`),
    );
    const expected = tf.tidy(() => {
      const logits = tf.mul(logitScale, tf.matMul(image, text, false, true));
      return family === 'clip' ? tf.softmax(logits) : tf.sigmoid(tf.add(logits, logitBias!));
    });
    const scores = await expected.data();
    for (const [i, list] of found.entries()) {
      const byLabel = labels.map((label) => list.find((entry) => entry.label === label)!.score);
      expect(byLabel).toBeAllClose(scores.slice(3 * i, 3 * i + 3), 1e-4);
      expect(list.map(({ score }) => score)).toEqual(byLabel.sort((a, b) => b - a));
    }
    tf.dispose([image, text, logitScale, expected, ...(logitBias ? [logitBias] : [])]);
  });
});

it('classifies one picture to one list, and none to none', async () => {
  const one = await clip.classify(picture(1), ['cat', 'dog']);
  expect(one.map(({ label }) => label).sort()).toEqual(['cat', 'dog']);
  expect(one[0]!.score + one[1]!.score).toBeCloseTo(1, 6);
  expect(await clip.classify([picture(1)], ['cat', 'dog'])).toEqual([one]);
  expect(await clip.classify([], ['cat', 'dog'])).toEqual([]);
});

it('averages the sentences of an ensemble', async () => {
  const templates = ['a photo of {}', 'the {}', '{}, {}, a {}'];
  const classifier = await clip.zeroShotClassifier(['cat', 'dog'], { templates, batch: 4 });
  const sentences = [
    ['a photo of cat', 'the cat', 'cat, cat, a cat'],
    ['a photo of dog', 'the dog', 'dog, dog, a dog'],
  ];
  for (const [i, list] of sentences.entries()) {
    const rows = await clip.embedTexts(list);
    const mean = tf.tidy(() => {
      const sum = tf.mean(rows, 0);
      return tf.div(sum, tf.norm(sum));
    });
    expect(classifier.embeddings.slice(16 * i, 16 * i + 16)).toBeAllClose(mean, 1e-5);
    tf.dispose([rows, mean]);
  }
  const embedded = await clip.embedImages(pictures(3));
  const predicted = await classifier.predict(embedded);
  const scored = await classifier.score(embedded);
  expect([...predicted].map((place) => ['cat', 'dog'][place])).toEqual(scored.map(([best]) => best!.label));
  embedded.dispose();
});

it('has the templates of the paper', () => {
  expect(promptTemplates.imageNet80).toHaveLength(80);
  expect(new Set(promptTemplates.imageNet80).size).toBe(80);
  const all = Object.values(promptTemplates).flat();
  expect(all.every((template) => template.split('{}').length === 2)).toBe(true);
});

it('takes labels that look like patterns', async () => {
  const classifier = await clip.zeroShotClassifier(['$& cat', '{} dog'], { template: 'a {}' });
  const rows = await clip.embedTexts(['a $& cat', 'a {} dog']);
  expect(classifier.embeddings).toBeAllClose(rows, 1e-5);
  rows.dispose();
});

it('embeds nothing to nothing', async () => {
  const [images, texts] = await Promise.all([clip.embedImages([]), clip.embedTexts([])]);
  expect(images.shape).toEqual([0, 16]);
  expect(texts.shape).toEqual([0, 16]);
  tf.dispose([images, texts]);
});

it('leaves a model that trains in its mode', async () => {
  clip.model.train();
  clip.model.visual.eval();
  (await clip.embedImages(pictures(1))).dispose();
  expect(clip.model.training).toBe(true);
  expect(clip.model.visual.training).toBe(false);
  clip.model.eval();
});

it('leaves no tensors behind', async () => {
  await expectNoLeak(async () => {
    (await clip.embedImages(pictures(3), { batch: 2 })).dispose();
    (await clip.embedTexts(TEXTS)).dispose();
    await clip.classify(pictures(2), ['cat', 'dog'], { templates: promptTemplates.imageNet7 });
    await expect(clip.classify(pictures(2), ['cat'], { template: 'no place' })).rejects.toThrow();
    const broken = { ...picture(1), data: new Uint8Array(3) };
    await expect(clip.embedImages([picture(1), broken])).rejects.toThrow();
    (await clip.embedImagesSettled([picture(1), broken])).embeddings.dispose();
  });
});

describe('pictures that cannot be read', () => {
  const reader = async (source: unknown): Promise<HostImage> => {
    const name = String(source);
    if (name.startsWith('bad')) {
      throw new FileFormatError({ file: name, expected: 'a PNG', received: 'text' });
    }
    return picture(name.length);
  };
  const files = ['a.png', 'bad1.png', 'bb.png', 'bad2.png', 'ccc.png'];

  it('are listed, and stop none of the others', async () => {
    const pipeline = tiny('clip', { readImage: reader });
    const progress: unknown[] = [];
    const { embeddings, kept, failures } = await pipeline.embedImagesSettled(files, {
      batch: 2,
      onProgress: (report) => progress.push(report),
    });
    expect(kept).toEqual([0, 2, 4]);
    const expected = await pipeline.embedImages(['a.png', 'bb.png', 'ccc.png']);
    expect(embeddings).toBeAllClose(expected, 1e-5);
    expect(failures.every(ImageError.isInstance)).toBe(true);
    expect(failures.map(({ index, image, batch }) => [index, image, batch])).toEqual([
      [1, 'bad1.png', 0],
      [3, 'bad2.png', 1],
    ]);
    expect(failures[0]!.message).toBe('images[1] (bad1.png, batch 0): bad1.png: expected a PNG, got text');
    expect(FileFormatError.isInstance(failures[0]!.cause)).toBe(true);
    expect(progress).toEqual([
      { done: 2, total: 5, failed: 1 },
      { done: 4, total: 5, failed: 2 },
      { done: 5, total: 5, failed: 2 },
    ]);
    await expect(pipeline.embedImages(files)).rejects.toThrow('images[1] (bad1.png, batch 0)');
    tf.dispose([embeddings, expected]);
    pipeline.dispose();
  });

  it('are left out of an index, which is filled in as many runs as it takes', async () => {
    const pipeline = tiny('clip', { readImage: reader });
    const index = new EmbeddingIndex(16);
    const entries = files.map((file) => [file, file] as const);
    const first = await indexImages(pipeline, index, entries.slice(0, 3), { batch: 2 });
    expect([first.added, first.skipped, first.failures.length]).toEqual([2, 0, 1]);
    const second = await indexImages(pipeline, index, entries);
    expect([second.added, second.skipped]).toEqual([1, 2]);
    expect(second.failures.map(({ image }) => image)).toEqual(['bad1.png', 'bad2.png']);
    expect(index.ids).toEqual(['a.png', 'bb.png', 'ccc.png']);
    const other = new EmbeddingIndex(8);
    await expect(indexImages(pipeline, other, entries)).rejects.toThrow(
      "index.dim): expected the model's 16, got 8",
    );
    pipeline.dispose();
  });
});

describe('wrong input', () => {
  it.each<[string, () => Promise<unknown>, string]>([
    ['no labels', () => clip.classify(picture(1), []), 'CLIP.classify(labels): expected at least one label'],
    [
      'an empty label',
      () => clip.classify(picture(1), ['cat', ' ']),
      'CLIP.classify(labels[1]): expected a text',
    ],
    ['a label twice', () => clip.classify(picture(1), ['cat', 'cat']), 'labels that differ, got "cat"'],
    [
      'a template without a place',
      () => clip.classify(picture(1), ['cat'], { template: 'a photo' }),
      'CLIP.classify(options.template): expected a text with {} where the label goes, got "a photo"',
    ],
    [
      'one of several templates without a place',
      () => clip.zeroShotClassifier(['cat'], { templates: ['a {}', 'a'] }),
      'CLIP.zeroShotClassifier(options.templates[1])',
    ],
    ['no templates', () => clip.zeroShotClassifier(['cat'], { templates: [] }), 'at least one template'],
    [
      'both kinds of templates',
      () => clip.zeroShotClassifier(['cat'], { templates: ['{}'], template: '{}' }),
      'either template or templates',
    ],
    [
      'an empty caption',
      () => clip.embedTexts(['a cat', '  ']),
      'CLIP.embedTexts(texts[1]): expected a caption with a word in it, got "  "',
    ],
    ['no array of captions', () => clip.embedTexts('a cat' as never), 'expected an array of texts'],
    ['a batch of 0', () => clip.embedTexts(['a cat'], { batch: 0 }), 'options.batch'],
    [
      'embeddings of another width',
      async () => (await clip.zeroShotClassifier(['cat'])).score(tf.zeros([1, 3])),
      'ZeroShotClassifier.score(images): expected [n, 16], got [1, 3]',
    ],
  ])('%s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message);
    await expect(call()).rejects.toSatisfy(ArgumentError.isInstance);
  });

  it('names the picture that is none', async () => {
    const embedding = clip.embedImages([picture(1), { width: 3 } as never]);
    await expect(embedding).rejects.toThrow('images[1] (batch 0): ');
    await expect(clip.embedImages(['a.png'])).rejects.toThrow("import '@poiesis/clip/node'");
  });

  it('tells a temperature and weights that are NaN', async () => {
    const broken = tiny();
    broken.model.logitScale.assign(tf.scalar(Number.NaN));
    await expect(broken.classify(picture(1), ['cat'])).rejects.toThrow(
      'model.logitScale): expected a finite value',
    );
    for (const weight of Object.values(broken.model.namedParameters())) {
      weight.assign(tf.fill(weight.shape, Number.NaN));
    }
    await expect(broken.embedImages([picture(1)])).rejects.toThrow('its embedding is not finite');
    await expect(broken.embedTexts(['cat'])).rejects.toThrow('texts[0]): expected a finite embedding');
    broken.dispose();
  });

  it.each([
    ['preprocessing.size', { preprocessing: { ...tiny().preprocessing, size: { width: 8, height: 16 } } }],
    ['tokenizer.contextLength', { tokenizer: longer() }],
  ])('refuses parts of different models: %s', (argument, parts) => {
    expect(() => tiny('clip', parts)).toThrow(`CLIP(${argument}): expected `);
  });
});

function longer() {
  const { tokenizer } = tiny();
  return Object.create(tokenizer, { contextLength: { value: 77 } }) as typeof tokenizer;
}

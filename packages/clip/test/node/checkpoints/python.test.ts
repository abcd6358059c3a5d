// The reverse of the parity tests: what is saved here, loaded by Hugging Face's transformers and by open_clip. Runs where
// POIESIS_PYTHON names a Python that has them; the script is for users too.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTensor } from '@poiesis/core';
import { writeSafetensors } from '@poiesis/core/node';
import { hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, expect, it } from 'vitest';
import { type ClipConfig, ClipModel, resolveConfig } from '../../../src';
import { saveClip } from '../../../src/node';

const python = process.env.POIESIS_PYTHON;
const root = mkdtempSync(join(tmpdir(), 'poiesis-clip-python-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const clip: ClipConfig = {
  image: { imageSize: 16, patchSize: 4, dim: 12, layers: 2, heads: 3, hidden: 20 },
  text: { vocabSize: 40, contextLength: 8, dim: 8, layers: 2, heads: 2, hidden: 18, endToken: 30 },
  embedDim: 6,
};
const siglip: ClipConfig = {
  family: 'siglip',
  image: { imageSize: 16, patchSize: 4, dim: 12, layers: 2, heads: 3, hidden: 20 },
  text: { vocabSize: 40, contextLength: 8, dim: 8, layers: 2, heads: 2 },
  embedDim: 12,
};
/** open_clip knows SigLIP's image towers by name, and the smallest has 93 million parameters: too many to run. */
const namedSiglip: ClipConfig = {
  family: 'siglip',
  image: { imageSize: 224, patchSize: 16, dim: 768, layers: 12, heads: 12, activation: 'gelu' },
  text: { vocabSize: 40, contextLength: 8, dim: 8, layers: 1, heads: 2 },
  embedDim: 768,
};

const script = fileURLToPath(new URL('../../../fixtures/load_poiesis.py', import.meta.url));

it.skipIf(!python)('open_clip loads a SigLIP', async () => {
  const model = new ClipModel(namedSiglip, { seed: null });
  const folder = mkdtempSync(join(root, 'model-'));
  await saveClip(folder, model, { layout: 'openClip' });
  model.dispose();
  expect(execFileSync(python!, [script, folder], { encoding: 'utf8' })).toMatch(/, loaded strictly\n/);
});

it.skipIf(!python).each([
  ['transformers', 'a CLIP', 'huggingFace', { ...clip, activation: 'quickGelu' }],
  ['transformers', 'a CLIP with another GELU', 'huggingFace', { ...clip, activation: 'geluTanh' }],
  ['transformers', 'a SigLIP', 'huggingFace', siglip],
  ['open_clip', 'a CLIP', 'openClip', { ...clip, activation: 'quickGelu' }],
  ['open_clip', 'a CLIP with a bias of its logits', 'openClip', { ...clip, logitBiasInit: -3 }],
  ['open_clip', 'a CLIP with another GELU', 'openClip', { ...clip, activation: 'geluTanh' }],
] as const)('%s loads %s and computes the same', async (_, __, layout, config: ClipConfig) => {
  const model = new ClipModel(config, { seed: 1 }).eval();
  const { image, text } = resolveConfig(config);
  const pixels = hashed([2, ...image.imageSize, 3], 1) as tf.Tensor4D;
  const end = text.endToken;
  const tokens = tf.tensor2d([3, 35, end, 0, 0, 0, 0, 0, 4, 5, 6, 7, 8, 9, 10, end], [2, 8], 'int32');
  const features = { pixels, tokens, image: model.encodeImage(pixels), text: model.encodeText(tokens) };
  const folder = mkdtempSync(join(root, 'model-'));
  await saveClip(folder, model, { layout });
  const file = join(folder, 'features.safetensors');
  const stored = Object.entries(features).map(([name, x]) => [name, hostTensor(x.dataSync(), x.shape)]);
  await writeSafetensors(file, Object.fromEntries(stored));
  tf.dispose(features);
  model.dispose();
  const output = execFileSync(python!, [script, folder, '--features', file], { encoding: 'utf8' });
  expect(output).toMatch(/parameters, loaded strictly\n/);
  expect(output).toContain('largest difference of text features');
});

// The reverse of the parity tests: what is saved here, loaded by PyTorch. Runs where POIESIS_PYTHON names a Python with
// torch and safetensors; the script is for users too.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTensor, randomKey } from '@poiesis/core';
import { saveModel, writeSafetensors } from '@poiesis/core/node';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, expect, it } from 'vitest';
import { DCGAN } from '../src';
import { fill } from './torch';

const python = process.env.POIESIS_PYTHON;
const dir = mkdtempSync(join(tmpdir(), 'poiesis-gan-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it.skipIf(!python).each([
  { size: 28, channels: 1 },
  { size: 32, channels: 1 },
  { size: 64, channels: 3 },
] as const)('PyTorch loads a model of $size pixels and draws the same pictures', async (config) => {
  const model = new DCGAN({ ...config, latent: 16, width: 8 }, { seed: 1 });
  await fill(model.generator, 0.25, 100);
  const z = model.latents(4, randomKey(3));
  model.eval();
  const images = model.generator.forward(z);
  await saveModel(join(dir, 'model.safetensors'), model);
  await writeSafetensors(join(dir, 'pictures.safetensors'), {
    z: hostTensor(z.dataSync<'float32'>(), z.shape),
    images: hostTensor(images.dataSync<'float32'>(), images.shape),
  });
  tf.dispose([z, images]);
  const script = fileURLToPath(new URL('../fixtures/load_poiesis.py', import.meta.url));
  const options = [script, join(dir, 'model.safetensors'), '--pictures', join(dir, 'pictures.safetensors')];
  const output = execFileSync(python!, options, { encoding: 'utf8' });
  expect(output).toMatch(
    /^generator: \d+ parameters, loaded strictly\ndiscriminator: \d+ parameters, loaded strictly/,
  );
  expect(output).toContain('largest difference of 4 pictures');
});

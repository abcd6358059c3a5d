// State dicts both ways: files of PyTorch's here, and files of ours there. The latter runs where POIESIS_PYTHON names a
// Python with torch and safetensors; the script is for users too.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTensor } from '@poiesis/core';
import { readSafetensors, saveModel, writeSafetensors } from '@poiesis/core/node';
import { loadFixture } from '@poiesis/testing';
import { afterAll, expect, it } from 'vitest';
import { padTokens, Transformer, type TransformerConfig } from '../../src';
import { expectClose, type Recorded, VALUES } from '../torch';

const fixture: { source: number[][]; target: number[][]; logits: Recorded } = loadFixture(
  import.meta.url,
  '../../fixtures/state.json',
);
const fixtures = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const config = { sourceVocab: 7, targetVocab: 9, dim: 8, heads: 2, hidden: 12 };

const folder = mkdtempSync(join(tmpdir(), 'poiesis-attention-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a state dict of PyTorch’s loads unchanged and gives the same logits', async () => {
  const model = new Transformer({ ...config, layers: { encoder: 1, decoder: 2 } }, { seed: 1 }).eval();
  model.loadStateDict(await readSafetensors(fixtures('torch-transformer.safetensors')));
  expectClose(model.forward(fixture.source, fixture.target), fixture.logits, VALUES, 'logits');
});

const python = process.env.POIESIS_PYTHON;
const models: Record<string, Partial<TransformerConfig>> = {
  plain: {},
  'with one embedding for all': { tied: 'all', targetVocab: 7 },
};

it.skipIf(!python).each(Object.keys(models))(
  'PyTorch loads ours and gives the same logits: %s',
  async (name) => {
    const model = new Transformer({ ...config, layers: 2, ...models[name] }, { seed: 3 }).eval();
    const [source, target] = [
      padTokens(fixture.source),
      padTokens([
        [1, 4, 6],
        [1, 5],
      ]),
    ];
    const logits = model.forward(source, target);
    const [saved, expected] = ['model', 'logits'].map((file) => join(folder, `${file}.safetensors`));
    await saveModel(saved!, model);
    await writeSafetensors(expected!, {
      source: hostTensor(source.dataSync<'int32'>(), source.shape),
      target: hostTensor(target.dataSync<'int32'>(), target.shape),
      logits: hostTensor(logits.dataSync<'float32'>(), logits.shape),
    });
    const options = [fixtures('load_poiesis.py'), saved!, '--heads', '2', '--logits', expected!];
    const output = execFileSync(python!, options, { encoding: 'utf8' });
    expect(output).toMatch(/^\d+ parameters, loaded strictly\nlargest difference of logits/);
  },
);

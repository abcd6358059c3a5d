// Whole folders: laid out as transformers and open_clip write them, read, written, and read again.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileFormatError, hostTensor, StateDictError, StorageError } from '@poiesis/core';
import { readSafetensors, writeSafetensors, writeShardedSafetensors } from '@poiesis/core/node';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { ClipModel, clipConfigs, resolveConfig } from '../../../src';
import { loadClip, readClip, saveClip } from '../../../src/node';
import { type Case, cases, pixelsOf, stateOf, tokensOf } from '../../checkpoints/foreign';

const root = mkdtempSync(join(tmpdir(), 'poiesis-clip-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function folder(): string {
  return mkdtempSync(join(root, `${folders++}-`));
}

/** A folder as the library of the fixture writes it. */
async function written(fixture: Case): Promise<string> {
  const path = folder();
  const theirs = fixture.layout === 'huggingFace';
  writeFileSync(join(path, theirs ? 'config.json' : 'open_clip_config.json'), JSON.stringify(fixture.config));
  await writeSafetensors(
    join(path, theirs ? 'model.safetensors' : 'open_clip_model.safetensors'),
    stateOf(fixture),
  );
  return path;
}

const named = (name: string): Case => cases[name]!;
const quick = named('Hugging Face CLIP, QuickGELU');
const readable = Object.entries(cases).filter(([name]) => name !== 'open_clip SigLIP, from timm');

describe.each(readable)('a folder of %s', (_, fixture) => {
  it('gives the features that its library computes', async () => {
    const { model, layout } = await loadClip(await written(fixture));
    expect(layout).toBe(fixture.layout);
    expect(model.training).toBe(false);
    expect(model.encodeImage(pixelsOf())).toBeAllClose(fixture.image.data, 1e-4);
    expect(model.encodeText(tokensOf(fixture))).toBeAllClose(fixture.text.data, 1e-4);
  });

  it('is written with the same tensors', async () => {
    const { model } = await loadClip(await written(fixture));
    const path = folder();
    await saveClip(path, model, { layout: fixture.layout });
    const file = fixture.layout === 'huggingFace' ? 'model.safetensors' : 'open_clip_model.safetensors';
    expect(await readSafetensors(join(path, file))).toEqual(stateOf(fixture));
    const again = await loadClip(path);
    expect(resolveConfig(again.model.config)).toEqual(resolveConfig(model.config));
    expect(again.model.encodeText(tokensOf(fixture))).toBeAllClose(model.encodeText(tokensOf(fixture)), 1e-7);
  });
});

describe('loadClip', () => {
  it('reads shards', async () => {
    const path = folder();
    writeFileSync(join(path, 'config.json'), JSON.stringify(quick.config));
    const index = join(path, 'model.safetensors.index.json');
    await writeShardedSafetensors(index, stateOf(quick), { maxShardBytes: 2000 });
    const { model } = await loadClip(path);
    expect(model.encodeImage(pixelsOf())).toBeAllClose(quick.image.data, 1e-4);
  });

  it('reads half-precision weights', async () => {
    const path = await written(quick);
    const half = Object.entries(stateOf(quick)).map(([name, tensor]) => {
      const values = new Float32Array(tensor.bytes.buffer, tensor.bytes.byteOffset);
      return [name, hostTensor(values, tensor.shape, 'F16')];
    });
    await writeSafetensors(join(path, 'model.safetensors'), Object.fromEntries(half));
    const { model } = await loadClip(path);
    expect(model.encodeImage(pixelsOf())).toBeAllClose(quick.image.data, 1e-2);
  });

  it('tells what the folder says of preprocessing', async () => {
    const path = await written(quick);
    expect((await loadClip(path)).preprocessor).toBeNull();
    writeFileSync(join(path, 'preprocessor_config.json'), '{"image_mean": [0.5, 0.5, 0.5]}');
    expect((await loadClip(path)).preprocessor).toEqual({ image_mean: [0.5, 0.5, 0.5] });
  });

  it('takes pictures of another size', async () => {
    const { model } = await loadClip(await written(quick), { imageSize: [16, 12] });
    expect(model.config.image.imageSize).toEqual([16, 12]);
    expect(model.encodeImage(tf.zeros([1, 16, 12, 3])).shape).toEqual([1, 5]);
  });

  it('warns of two configurations that disagree, and of an activation of ones own', async () => {
    const path = await written(quick);
    const other = { ...(named('open_clip, GELU').config as object) };
    writeFileSync(join(path, 'open_clip_config.json'), JSON.stringify(other));
    const heard: string[] = [];
    const { model } = await loadClip(path, { activation: 'gelu', onWarning: (text) => heard.push(text) });
    expect(model.config.activation).toBe('gelu');
    expect(heard.join('\n')).toMatch(
      /open_clip_config\.json says otherwise: .*image\.activation quickGelu.*with gelu/,
    );
    expect(heard.join('\n')).toMatch(
      /the model has image\.activation gelu, its checkpoint was made with quickGelu/,
    );
  });

  it('says how to convert what PyTorch pickled', async () => {
    const path = folder();
    writeFileSync(join(path, 'config.json'), JSON.stringify(quick.config));
    writeFileSync(join(path, 'pytorch_model.bin'), 'PK');
    const error = await readClip(path).catch((thrown) => thrown);
    expect(FileFormatError.isInstance(error)).toBe(true);
    expect(error.message).toMatch(/only pytorch_model\.bin, a Python pickle; convert it in Python/);
  });

  it.each([
    ['no such folder', () => join(root, 'nothing'), StorageError, /no such file or folder/],
    ['an empty folder', () => folder(), FileFormatError, /expected model\.safetensors or .*got nothing/],
  ] as const)('refuses %s', async (_, make, type, message) => {
    const error = await readClip(make()).catch((thrown) => thrown);
    expect(type.isInstance(error)).toBe(true);
    expect(error.message).toMatch(message);
  });

  it('refuses damaged and foreign configurations', async () => {
    const path = await written(quick);
    const refused = async (text: string) => {
      writeFileSync(join(path, 'config.json'), text);
      return readClip(path).catch((thrown) => thrown);
    };
    expect((await refused('{"model_type": ')).message).toMatch(/config\.json: expected JSON/);
    expect((await refused('{"model_type": "bert"}')).message).toMatch(/model_type to be "clip" or "siglip"/);
    const odd = { model_type: 'clip', text_config: { hidden_act: 'swish' } };
    expect((await refused(JSON.stringify(odd))).message).toMatch(/text_config\.hidden_act to be one of/);
    rmSync(join(path, 'config.json'));
    const error = await readClip(path).catch((thrown) => thrown);
    expect(error.message).toMatch(/expected config\.json, beside model\.safetensors, got model\.safetensors/);
  });

  it('lists what is missing in the names of the file', async () => {
    const path = await written(quick);
    const { logit_scale, ...rest } = stateOf(quick);
    await writeSafetensors(join(path, 'model.safetensors'), { ...rest, 'vision_model.more': logit_scale! });
    const error = await readClip(path).catch((thrown) => thrown);
    expect(StateDictError.isInstance(error)).toBe(true);
    expect(error.missing).toEqual(['logit_scale']);
    expect(error.extra).toEqual(['vision_model.more']);
  });
});

describe('saveClip', () => {
  it('refuses what the other library has no words for', async () => {
    const config = { ...clipConfigs['tiny-32'], logitBiasInit: -10 };
    const model = new ClipModel(config, { seed: null });
    await expect(saveClip(folder(), model)).rejects.toThrow(/no bias of the logits/);
    const path = folder();
    await saveClip(path, model, { layout: 'openClip' });
    expect((await loadClip(path)).model.config.logitBiasInit).toBe(-10);
    model.dispose();
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, FileFormatError, StorageError } from '@poiesis/core';
import { writePng } from '@poiesis/core/node';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLIP, EmbeddingIndex, indexImages } from '../../../src';
import { pictureFiles, savePretrained } from '../../../src/node';
import { picture, pictures, tiny } from '../../pipeline/tiny';

const folder = mkdtempSync(join(tmpdir(), 'poiesis-pretrained-'));
let server: Server;
let url: string;

beforeAll(async () => {
  // Files as a hub serves them, without ranges.
  server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(folder, request.url ?? '')));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ['clip', 'huggingFace'],
  ['clip', 'openClip'],
  ['siglip', 'huggingFace'],
] as const)('a %s saved for %s comes back from its folder and from a URL', async (family, layout) => {
  const { preprocessing } = tiny(family);
  // Hugging Face's processors know no other rounding.
  const clip = tiny(family, {
    preprocessing: layout === 'huggingFace' ? { ...preprocessing, middle: 'down' } : preprocessing,
  });
  const name = `${family}-${layout}`;
  await savePretrained(join(folder, name), clip, { layout });
  const images = await clip.embedImages(pictures(3));
  const texts = await clip.embedTexts(['a cat', 'two dog']);
  for (const from of [join(folder, name), `${url}/${name}/`]) {
    const again = await CLIP.fromPretrained(from);
    const found = [await again.embedImages(pictures(3)), await again.embedTexts(['a cat', 'two dog'])];
    expect(found[0]).toBeAllClose(images, 1e-5);
    expect(found[1]).toBeAllClose(texts, 1e-5);
    expect(Object.keys(again.model.trainableParameters())).toEqual([]);
    tf.dispose(found);
    again.dispose();
  }
  tf.dispose([images, texts]);
  clip.dispose();
});

it('takes another image size', async () => {
  const clip = tiny();
  await savePretrained(join(folder, 'sized'), clip);
  const larger = await CLIP.fromPretrained(join(folder, 'sized'), { imageSize: 24, onWarning: () => {} });
  expect(larger.preprocessing.size).toEqual({ width: 24, height: 24 });
  const embedded = await larger.embedImages([picture(1)]);
  expect(embedded.shape).toEqual([1, 16]);
  embedded.dispose();
  larger.dispose();
  clip.dispose();
});

it('indexes the pictures of a folder, a broken one listed', async () => {
  const clip = tiny();
  const album = join(folder, 'album');
  for (const [i, image] of pictures(3).entries()) await writePng(join(album, `${i}.png`), image);
  writeFileSync(join(album, 'broken.png'), 'no picture');
  const index = new EmbeddingIndex(clip.embedDim);
  const files = await pictureFiles(album);
  const { added, failures } = await indexImages(
    clip,
    index,
    files.map((file) => [file, file]),
  );
  expect(added).toBe(3);
  expect(failures.map(({ image }) => image)).toEqual([join(album, 'broken.png')]);
  expect(FileFormatError.isInstance(failures[0]!.cause)).toBe(true);
  const query = await clip.embedImages([files[1]!]);
  expect((await index.search(query))[0]).toMatchObject({ id: files[1] });
  query.dispose();
  clip.dispose();
});

it('tells what is missing or damaged', async () => {
  await expect(CLIP.fromPretrained('')).rejects.toSatisfy(ArgumentError.isInstance);
  await expect(CLIP.fromPretrained(join(folder, 'nowhere'))).rejects.toSatisfy(StorageError.isInstance);
  await expect(CLIP.fromPretrained(`${url}/nowhere`)).rejects.toThrow(`${url}/nowhere/config.json`);
  const clip = tiny();
  const damaged = join(folder, 'damaged');
  await savePretrained(damaged, clip);
  writeFileSync(join(damaged, 'config.json'), 'no JSON');
  for (const from of [damaged, `${url}/damaged`]) {
    await expect(CLIP.fromPretrained(from)).rejects.toThrow('config.json: expected JSON');
  }
  clip.dispose();
});

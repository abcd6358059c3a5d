import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FileFormatError, StorageError } from '@poiesis/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutOrientation } from '../../../src/images/exif-orientation';
import { decodePicture, pictureFiles, readPicture } from '../../../src/node';
import { fileOf, fixture, sha } from './fixture';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pictures-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('readPicture', () => {
  it.each(Object.keys(fixture.files).filter((name) => name !== 'cmyk.jpg'))(
    'has the pixels of Pillow in %s',
    async (name) => {
      const { width, height, channels, pixels } = fixture.files[name]!;
      const image = await decodePicture(fileOf(name));
      expect([image.width, image.height, image.channels]).toEqual([width, height, channels]);
      expect(sha(image.data)).toBe(pixels);
    },
  );

  it('converts CMYK within 2 of 255', async () => {
    const { data } = await decodePicture(fileOf('cmyk.jpg'));
    const raw = Buffer.from(fixture.files['cmyk.jpg']!.raw!, 'base64');
    expect(data.length).toBe(raw.length);
    const far = data.reduce((most, v, i) => Math.max(most, Math.abs(v - raw[i]!)), 0);
    expect(far).toBeLessThanOrEqual(2);
  });

  it('leaves pictures as they lie if told so', async () => {
    const image = await decodePicture(fileOf('exif6.jpg'), { upright: false });
    expect([image.width, image.height]).toEqual([24, 17]);
    expect(sha(image.data)).toBe(fixture.files['exif1.jpg']!.pixels);
  });

  it('can be kept from turning a picture by taking the note out of its file', async () => {
    const turned = Object.keys(fixture.files).filter((name) => /^exif|^rotated/.test(name));
    expect(turned).toHaveLength(10);
    for (const name of turned) {
      const file = new Uint8Array(fileOf(name));
      const plain = await decodePicture(withoutOrientation(file));
      const asItLies = await decodePicture(file, { upright: false });
      expect([plain.width, plain.height, sha(plain.data)], name).toEqual([
        asItLies.width,
        asItLies.height,
        sha(asItLies.data),
      ]);
    }
  });

  it('takes paths, URLs, Blobs and bytes', async () => {
    const file = join(folder, 'a.webp');
    writeFileSync(file, fileOf('lossy.webp'));
    const { pixels } = fixture.files['lossy.webp']!;
    const sources = [
      file,
      pathToFileURL(file),
      pathToFileURL(file).href,
      fileOf('lossy.webp'),
      new Blob([Buffer.from(fileOf('lossy.webp'))]),
    ];
    for (const source of sources) expect(sha((await readPicture(source)).data)).toBe(pixels);
  });

  it('names the file that is damaged, and reads others after it', async () => {
    for (const name of ['photo.jpg', 'lossy.webp', 'alphaLossless.webp', 'still.gif', 'rgba.png']) {
      const whole = fileOf(name);
      for (const damaged of [
        whole.subarray(0, whole.length * 0.6),
        whole.map((b, i) => (i > 60 && i < 90 ? b ^ 0x5a : b)),
      ]) {
        const error = await decodePicture(damaged, { file: `pictures/${name}` }).catch((e) => e);
        // A changed byte may still be a picture; a cut one never.
        if (error instanceof Error) {
          expect(FileFormatError.isInstance(error), `${name}: ${error.message}`).toBe(true);
          expect(error.message).toContain(`pictures/${name}`);
        } else expect(damaged.length, name).toBe(whole.length);
      }
      expect(sha((await decodePicture(whole)).data)).toBe(fixture.files[name]!.pixels);
    }
  });

  it('refuses what is no picture, what is not there and what is too large', async () => {
    await expect(decodePicture(Uint8Array.of(1, 2, 3))).rejects.toThrow(
      'expected a PNG, JPEG, WebP or GIF file, got 01 02 03',
    );
    await expect(decodePicture(new Uint8Array())).rejects.toThrow(FileFormatError);
    await expect(readPicture(join(folder, 'none.png'))).rejects.toThrow(StorageError);
    for (const name of ['rgb.png', 'photo.jpg', 'lossy.webp', 'lossless.webp', 'alpha.webp', 'still.gif']) {
      await expect(decodePicture(fileOf(name), { maxPixels: 1000 }), name).rejects.toThrow(
        'at most 1000 pixels',
      );
    }
  });

  it('survives any damage with a typed error', async () => {
    for (const name of ['rotated.webp', 'clear.gif', 'exif6.jpg', 'alpha.webp']) {
      const whole = fileOf(name);
      for (let k = 0; k < 60; k++) {
        const damaged = whole.slice(0, k % 3 === 0 ? (whole.length * k) / 60 : whole.length);
        for (let n = 0; n < 4; n++)
          damaged[(k * 7919 + n * 104729) % damaged.length] = (k * 31 + n * 17) & 255;
        const error = await decodePicture(damaged, { maxPixels: 1e6 }).catch((e) => e);
        if (error instanceof Error)
          expect(FileFormatError.isInstance(error), `${name} ${k}: ${error.stack}`).toBe(true);
      }
    }
  });
});

it('pictureFiles lists pictures below a folder, sorted', async () => {
  for (const name of ['b.PNG', 'c.txt', '.d.png']) writeFileSync(join(folder, name), '');
  expect(await pictureFiles(folder)).toEqual([join(folder, 'a.webp'), join(folder, 'b.PNG')]);
  await expect(pictureFiles(join(folder, 'none'))).rejects.toThrow('no such folder');
});

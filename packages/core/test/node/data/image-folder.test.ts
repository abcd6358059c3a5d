import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheDataset, DataLoader } from '../../../src/data';
import { FileFormatError, StorageError } from '../../../src/errors';
import { fitImage, type HostImage } from '../../../src/images';
import { imageFolder } from '../../../src/node/data';
import { encodeJpeg, encodePng } from '../../../src/node/images';
import { temporaryFolder } from './temporary';

const folder = temporaryFolder();
const picture = (width: number, height: number, seed: number): HostImage => ({
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * seed) % 256),
  width,
  height,
  channels: 3,
});
const png = (seed: number, width = 9, height = 6) => encodePng(picture(width, height, seed));

describe('imageFolder', async () => {
  folder.write('classes/dog/b.png', await png(3));
  folder.write('classes/dog/a.JPG', encodeJpeg(picture(20, 30, 1)));
  folder.write('classes/cat/deep/er.png', await png(5));
  folder.write('classes/cat/z.png', await png(7));
  folder.write('classes/Zebra/x.jpeg', await png(11)); // the content decides
  folder.write('classes/cat/notes.txt', 'no picture');
  folder.write('classes/.hidden/x.png', 'no picture');
  folder.write('classes/dog/._b.png', 'no picture');
  folder.write('flat/2.png', await png(13));
  folder.write('flat/10.png', await png(17));
  folder.write('broken/a.png', await png(19));
  const truncated = folder.write('broken/b.png', (await png(23)).subarray(0, 60));

  it('takes sub-folders for classes, sorted by code units', async () => {
    const data = imageFolder(join(folder.path, 'classes'), { size: 4 });
    expect(data.classes).toEqual(['Zebra', 'cat', 'dog']);
    expect(data.files.map((f) => f.slice(folder.path.length + 9).replaceAll('\\', '/'))).toEqual([
      'Zebra/x.jpeg',
      'cat/deep/er.png',
      'cat/z.png',
      'dog/a.JPG',
      'dog/b.png',
    ]);
    const labels = await Promise.all(data.files.map(async (_, i) => (await data.get(i)).label.data[0]));
    expect(labels).toEqual([0, 1, 1, 2, 2]);
    const { image } = await data.get(2);
    expect(image).toEqual({ data: fitImage(picture(9, 6, 7), 4).data, shape: [4, 4, 3], range: [-1, 1] });
  });

  it('takes a folder without sub-folders, other channels and ranges', async () => {
    const data = imageFolder(join(folder.path, 'flat'), {
      size: 5,
      channels: 1,
      range: [0, 1],
      filter: 'bicubic',
    });
    expect(data.classes).toEqual(['.']);
    const loader = new DataLoader(cacheDataset(data), { batchSize: 2 });
    for (const _ of [1, 2]) {
      for await (const { image, label } of loader) {
        expect([image.shape, [...label.dataSync()]]).toEqual([
          [2, 5, 5, 1],
          [0, 0],
        ]);
        expect(Math.min(...image.dataSync())).toBeGreaterThanOrEqual(0);
        image.dispose();
        label.dispose();
      }
    }
  });

  it('reports a damaged file by its name, through the loader', async () => {
    const loader = new DataLoader(imageFolder(join(folder.path, 'broken'), { size: 4 }), { batchSize: 2 });
    const error = await loader
      .epoch(0)
      .next()
      .catch((e) => e);
    expect(FileFormatError.isInstance(error)).toBe(true);
    expect(error.file).toBe(truncated);
  });

  it('names wrong arguments', () => {
    expect(() => imageFolder(folder.path, { size: 0 })).toThrow('imageFolder(options.size)');
    expect(() => imageFolder(folder.path, { size: 1, channels: 5 as never })).toThrow(
      'imageFolder(options.channels)',
    );
    expect(() => imageFolder(folder.path, { size: 1, range: [1, 0] })).toThrow('imageFolder(options.range)');
    folder.write('empty/x.txt', '');
    expect(() => imageFolder(join(folder.path, 'empty'), { size: 1 })).toThrow(
      'a folder with PNG or JPEG files in it',
    );
    const missing = () => imageFolder(join(folder.path, 'none'), { size: 1 });
    expect(missing).toThrow('none: cannot read: no such file or folder');
    expect(missing).toThrow(StorageError);
  });
});

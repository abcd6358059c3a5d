import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { readPicture } from '@poiesis/clip/node';
import type { HostImage } from '@poiesis/core';
import { type DataPackage, dataPackage } from '../data/npm-data';
import { ExampleError } from '../errors';
import { EmojiSet, emojiFile, type Style, styles } from './emoji-set';
import { cldrData, emojilibData, fluentData, googleData, twitterData } from './packages';
import { type ListedEmoji, listEmoji, onWhite, sheetPictures } from './sources';

export interface EmojiDataOptions {
  /** Pixels on a side. */
  size: number;
  /** Cache folder. */
  dataDir: string;
  /** Told of each part of the work. */
  onProgress?: (label: string, done: number, total: number) => void;
  signal?: AbortSignal;
}

/** All pictures and names: the file in the cache folder, which is made on first use. */
export async function emojiData({ size, dataDir, ...rest }: EmojiDataOptions): Promise<EmojiSet> {
  const file = emojiFile(dataDir, size);
  const known = await EmojiSet.read(file);
  if (known) return known;
  const set = await prepare({ size, dataDir, ...rest });
  await set.write(file);
  return set;
}

/** Makes the set from the npm packages: a download of 160 MB, of which 50 are kept. */
async function prepare({ size, dataDir: cache, onProgress, signal }: EmojiDataOptions): Promise<EmojiSet> {
  const install = (data: DataPackage) =>
    dataPackage(data, {
      cache,
      signal,
      onProgress: (bytes, total) => onProgress?.(`Installing ${data.name}`, bytes, total),
    });
  const emojilib = await install(emojilibData);
  const cldr = await install(cldrData);
  const fluent = await install(fluentData);
  const twitter = await install(twitterData);
  const google = await install(googleData);

  const emoji = await listEmoji({ google, cldr, emojilib });
  const read: Record<Style, (emoji: ListedEmoji) => HostImage | null | Promise<HostImage | null>> = {
    google: await sheetPictures(join(google, 'img/google/sheets/64.png')),
    twitter: await sheetPictures(join(twitter, 'img/twitter/sheets/64.png')),
    fluent: await fluentPictures(fluent),
  };
  const bytes = size * size * 3;
  const arrays = (length: number) =>
    Object.fromEntries(styles.map((style) => [style, new Uint8Array(length)])) as Record<Style, Uint8Array>;
  const pixels = arrays(emoji.length * bytes);
  const drawn = arrays(emoji.length);
  for (const [i, one] of emoji.entries()) {
    if (signal?.aborted) throw new ExampleError('Interrupted.');
    for (const style of styles) {
      const image = await read[style](one);
      if (!image) continue;
      pixels[style].set(onWhite(image, size).data, i * bytes);
      drawn[style][i] = 1;
    }
    if (i % 50 === 0) onProgress?.('Reading pictures', i, emoji.length);
  }
  onProgress?.('Reading pictures', emoji.length, emoji.length);
  return new EmojiSet(
    size,
    emoji.map(({ code, name, keywords, family }) => ({ code, name, keywords, family })),
    pixels,
    drawn,
  );
}

/** Fluent's pictures by code, with or without the sign that asks for a picture. Four of them are not square. */
async function fluentPictures(folder: string): Promise<(emoji: ListedEmoji) => Promise<HostImage | null>> {
  const short = (code: string) => code.replaceAll('-fe0f', '');
  const assets = join(folder, 'assets');
  const files = new Map(
    (await readdir(assets)).map((name) => [short(basename(name, extname(name))), join(assets, name)]),
  );
  return async ({ code }) => {
    const file = files.get(short(code));
    return file === undefined ? null : readPicture(file);
  };
}

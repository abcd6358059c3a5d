import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostImage, resizeImage } from '@poiesis/core';
import { readPng } from '@poiesis/core/node';
import * as v from 'valibot';
import { keywordsOf, plainText } from './captions';
import type { Emoji } from './emoji-set';
import { familyOf } from './families';

/** Pixels of a picture of the sheets, and of the gap on each side of it. */
const TILE = 64;
const GAP = 1;

const listSchema = v.array(
  v.object({
    unified: v.string(),
    name: v.string(),
    category: v.string(),
    sheet_x: v.number(),
    sheet_y: v.number(),
  }),
);
const cldrSchema = v.object({
  annotations: v.object({
    annotations: v.record(
      v.string(),
      v.object({ default: v.optional(v.array(v.string()), []), tts: v.optional(v.array(v.string()), []) }),
    ),
  }),
});
const emojilibSchema = v.record(v.string(), v.array(v.string()));

/** An emoji with its place in the sheets. */
export interface ListedEmoji extends Emoji {
  readonly column: number;
  readonly row: number;
}

export interface ListFiles {
  /** Folder of emoji-datasource-google, of cldr-annotations-full, of emojilib. */
  google: string;
  cldr: string;
  emojilib: string;
}

/**
 * All emoji with their names and keywords: one entry for an emoji of all skin tones, one for each of its variants of
 * gender and hair. Left out are the five swatches of skin tones.
 */
export async function listEmoji({ google, cldr, emojilib }: ListFiles): Promise<ListedEmoji[]> {
  const json = async (...path: string[]) => JSON.parse(await readFile(join(...path), 'utf8')) as unknown;
  const list = v.parse(listSchema, await json(google, 'emoji.json'));
  const { annotations } = v.parse(
    cldrSchema,
    await json(cldr, 'annotations/en/annotations.json'),
  ).annotations;
  const further = v.parse(emojilibSchema, await json(emojilib, 'dist/emoji-en-US.json'));
  return list
    .filter(({ category }) => category !== 'Component')
    .map(({ unified, name: listed, sheet_x, sheet_y }) => {
      const code = unified.toLowerCase();
      const full = String.fromCodePoint(...code.split('-').map((point) => Number.parseInt(point, 16)));
      const short = full.replaceAll('\ufe0f', '');
      const known = annotations[short];
      const [slug, ...others] = further[full] ?? further[short] ?? [];
      const name = plainText(known?.tts[0] ?? slug ?? listed);
      const keywords = keywordsOf([known?.default ?? [], slug ? [slug] : [], others], name);
      return { code, name, keywords, family: familyOf(code), column: sheet_x, row: sheet_y };
    });
}

/** Cuts the pictures out of a sheet, on white. */
export async function sheetPictures(file: string): Promise<(emoji: ListedEmoji) => HostImage> {
  const sheet = await readPng(file, { channels: 4 });
  return ({ column, row }) => {
    const data = new Uint8Array(TILE * TILE * 4);
    const left = column * (TILE + 2 * GAP) + GAP;
    const top = row * (TILE + 2 * GAP) + GAP;
    for (let y = 0; y < TILE; y++) {
      const start = ((top + y) * sheet.width + left) * 4;
      data.set(sheet.data.subarray(start, start + TILE * 4), y * TILE * 4);
    }
    return { data, width: TILE, height: TILE, channels: 4 };
  };
}

/** A picture as the set keeps it: RGB on white, `size` pixels on a side. */
export function onWhite(image: HostImage, size: number): HostImage {
  const rgba = resizeImage(image, { width: size, height: size, filter: 'lanczos' });
  if (rgba.channels === 3) return rgba;
  const data = new Uint8Array(size * size * 3);
  for (let p = 0; p < size * size; p++) {
    const alpha = rgba.data[p * 4 + 3]!;
    for (let c = 0; c < 3; c++) {
      data[p * 3 + c] = Math.round((rgba.data[p * 4 + c]! * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return { data, width: size, height: size, channels: 3 };
}

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type HostImage, SafetensorsFile, type StateDict } from '@poiesis/core';
import { openSafetensors, writeSafetensors } from '@poiesis/core/node';
import * as v from 'valibot';

/** An emoji and what it is called. */
export interface Emoji {
  /** Its code points: `1f63a`. */
  readonly code: string;
  /** CLDR's short name. */
  readonly name: string;
  readonly keywords: readonly string[];
  /** Variants of one emoji have the same, see `familyOf`. */
  readonly family: string;
}

/** Who drew it. */
export const styles = ['google', 'twitter', 'fluent'] as const;
export type Style = (typeof styles)[number];

/** Where a set is kept, in a cache folder. */
export function emojiFile(dataDir: string, size: number): string {
  return join(dataDir, `emoji-${size}.safetensors`);
}

/** Emoji and their pictures: `size` pixels on a side, on white. */
export class EmojiSet {
  constructor(
    readonly size: number,
    readonly emoji: readonly Emoji[],
    /** `[emoji, size, size, 3]` of each style. */
    private readonly pixels: Readonly<Record<Style, Uint8Array>>,
    /** Per style and emoji, 1 where there is a picture. */
    private readonly drawn: Readonly<Record<Style, Uint8Array>>,
  ) {}

  /** Whether there is a picture in this style. */
  has(style: Style, emoji: number): boolean {
    return this.drawn[style][emoji] === 1;
  }

  /** The picture, whose bytes are the set's own. */
  image(style: Style, emoji: number): HostImage {
    const { size } = this;
    const bytes = size * size * 3;
    const data = this.pixels[style].subarray(emoji * bytes, (emoji + 1) * bytes);
    return { data, width: size, height: size, channels: 3 };
  }

  /** Writes all of it as one file. */
  async write(file: string): Promise<void> {
    const { size, emoji } = this;
    const tensors: StateDict = {};
    for (const style of styles) {
      const bytes = this.pixels[style];
      tensors[style] = { dtype: 'U8', shape: [emoji.length, size, size, 3], bytes };
      tensors[`${style}.drawn`] = { dtype: 'U8', shape: [emoji.length], bytes: this.drawn[style] };
    }
    const about = JSON.stringify({ version: VERSION, size, emoji, sha256: digest(tensors) });
    await writeSafetensors(file, tensors, { [ENTRY]: about });
  }

  /** Reads such a file; `null` where there is none, or a damaged one, or one of another version. */
  static async read(file: string): Promise<EmojiSet | null> {
    const reader = await openSafetensors(file).catch(() => null);
    if (!(reader instanceof SafetensorsFile)) return null;
    try {
      const about = v.safeParse(fileSchema, reader.metadata[ENTRY]);
      if (!about.success) return null;
      const { size, emoji, sha256 } = about.output;
      const tensors = await reader.stateDict();
      if (digest(tensors) !== sha256) return null;
      const part = (suffix: string) =>
        Object.fromEntries(styles.map((style) => [style, tensors[`${style}${suffix}`]!.bytes]));
      return new EmojiSet(
        size,
        emoji,
        part('') as Record<Style, Uint8Array>,
        part('.drawn') as Record<Style, Uint8Array>,
      );
    } catch {
      return null;
    } finally {
      await reader.close();
    }
  }
}

const ENTRY = 'poiesis.emoji';

/** Of the way that the file is made: another one, and it is made anew. */
const VERSION = 1;

const fileSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    version: v.literal(VERSION),
    size: v.number(),
    emoji: v.array(
      v.object({ code: v.string(), name: v.string(), keywords: v.array(v.string()), family: v.string() }),
    ),
    sha256: v.string(),
  }),
);

function digest(tensors: StateDict): string {
  const hash = createHash('sha256');
  for (const style of styles) {
    for (const name of [style, `${style}.drawn`]) {
      const tensor = tensors[name];
      if (!tensor) return `no ${name}`;
      hash.update(tensor.bytes);
    }
  }
  return hash.digest('hex');
}

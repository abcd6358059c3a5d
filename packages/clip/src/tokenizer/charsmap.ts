import { checkArgument } from '@poiesis/core';

/** SentencePiece gives up on graphemes as a whole from so many bytes on. */
const LONG_GRAPHEME = 6;

const LEAF = 1 << 8;
const LABEL = (1 << 31) | 0xff;

/**
 * What a `precompiled_charsmap` makes of a text: SentencePiece's normalization, which is near to NFKC and not the same.
 *
 * The map is the length of a trie in bytes, the trie (a double array of 32-bit units, as Darts-clone makes it), and the
 * replacements, each ending in a NUL. As Hugging Face's implementation in Rust, whose ids are to be met, it takes the
 * shortest match at a grapheme's beginning for the whole grapheme, and looks at single characters of graphemes that are
 * long or have none.
 * @param base64 the map, as a tokenizer.json holds it.
 * @throws ArgumentError where it is none.
 */
export function charsmapOf(base64: string): (text: string) => string {
  const bytes = bytesOf(base64);
  const view = new DataView(bytes.buffer);
  const length = bytes.length < 4 ? -1 : view.getUint32(0, true);
  const whole = length > 0 && length % 4 === 0 && 4 + length <= bytes.length;
  const expected = 'a trie and its replacements';
  checkArgument(whole, 'ClipTokenizer', 'json.normalizer.precompiled_charsmap', expected, bytes.length);
  const trie = Uint32Array.from({ length: length / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + length);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

  /** What replaces a piece of text; undefined where nothing does. */
  const replacement = (piece: Uint8Array): string | undefined => {
    const at = shortestMatch(trie, piece);
    return at === undefined ? undefined : decoder.decode(texts.subarray(at, texts.indexOf(0, at)));
  };
  return (text) =>
    Array.from(graphemes.segment(text), ({ segment }) => {
      const piece = encoder.encode(segment);
      const found = piece.length < LONG_GRAPHEME ? replacement(piece) : undefined;
      return found ?? Array.from(segment, (c) => replacement(encoder.encode(c)) ?? c).join('');
    }).join('');
}

/** No bytes where it is not base64. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** The value of the shortest of the trie's keys that `key` begins with. */
function shortestMatch(trie: Uint32Array, key: Uint8Array): number | undefined {
  let at = offsetOf(trie[0]!);
  for (const byte of key) {
    if (byte === 0) return undefined;
    at ^= byte;
    const unit = trie[at];
    if (unit === undefined || (unit & LABEL) !== byte) return undefined;
    at ^= offsetOf(unit);
    if (unit & LEAF) return trie[at]! & 0x7fffffff;
  }
  return undefined;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}

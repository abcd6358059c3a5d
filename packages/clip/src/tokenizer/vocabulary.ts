import { checkArgument } from '@poiesis/core';

/** Names of CLIP's start and end tokens, as Hugging Face writes them. */
export const START = '<|startoftext|>';
export const END = '<|endoftext|>';

/** What a byte-level vocabulary consists of: ids by token, and pairs to merge, first ones first. */
export interface BpeVocabulary {
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
}

/** Merges that CLIP takes of its file; the file goes on with more, which belong to no id. */
const CLIP_MERGES = 49_152 - 256 - 2;

/**
 * A vocabulary of merges alone, as OpenAI and open_clip make it: all bytes, all bytes at a word's end, every merge's
 * result, start and end.
 * @param text content of bpe_simple_vocab_16e6.txt or of a merges.txt: a first line with the version, a pair a line.
 */
export function vocabularyOfMerges(text: string): BpeVocabulary {
  const merges = parseMerges(text).slice(0, CLIP_MERGES);
  const letters = byteLetters();
  const tokens = [
    ...letters,
    ...letters.map((c) => `${c}</w>`),
    ...merges.map((m) => m.join('')),
    START,
    END,
  ];
  return { vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges };
}

/** The pairs of a merges file. */
export function parseMerges(text: string): [string, string][] {
  const lines = text.split(/\r?\n/);
  return lines.slice(/#version/.test(lines[0] ?? '') ? 1 : 0).flatMap((line, i): [string, string][] => {
    if (line === '') return [];
    const [first, second, more] = line.split(' ');
    const pair = first && second && more === undefined;
    checkArgument(pair, 'ClipTokenizer', 'merges', `two tokens in merge ${i}`, line);
    return [[first, second]];
  });
}

/**
 * GPT-2's letters for the 256 bytes, in its order: those that print stand for themselves, the others for characters
 * from U+0100 on.
 */
function byteLetters(): string[] {
  const printed: number[] = [];
  for (let b = 0; b < 256; b++) {
    if ((b > 0x20 && b < 0x7f) || (b > 0xa0 && b !== 0xad)) printed.push(b);
  }
  const others = Array.from({ length: 256 - printed.length }, (_, i) => 256 + i);
  return [...printed, ...others].map((c) => String.fromCharCode(c));
}

/** The tokenizer.json that Hugging Face's `CLIPTokenizer` writes for a vocabulary. */
export function clipTokenizerJson({ vocab, merges }: BpeVocabulary): Record<string, unknown> {
  const special = (content: string) => {
    const id = vocab[content];
    checkArgument(id !== undefined, 'ClipTokenizer', 'vocab', `a vocabulary with ${content}`, 'none');
    return {
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    };
  };
  const start = special(START);
  const end = special(END);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [start, end].sort((a, b) => a.id - b.id),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: {
            Regex:
              "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
          },
          behavior: 'Removed',
          invert: true,
        },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [END, end.id],
      cls: [START, start.id],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: END,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

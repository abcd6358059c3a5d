import { type Normalizer, type SequenceNormalizer, Tokenizer } from '@huggingface/tokenizers';
import { charsmapOf } from './charsmap';

// Where @huggingface/tokenizers 0.2.0 makes other ids than the original in Rust, of the tokenizer.json of CLIP and
// SigLIP, and what is done about it from outside:
//
// 1. Its Lowercase follows the context of a capital sigma (ς at a word's end); the original lowers letter by letter.
// 2. Its ByteLevel splits by JavaScript's \s, which has U+FEFF and not U+0085; its Split translates \s rightly. So the
//    split inside ByteLevel is given to a Split before it.
// 3. A text that becomes a special token by being normalized ("<|EndOfText|>") is taken for that token. A space before
//    it, which CLIP's own split removes, prevents that.
// 4. Its Precompiled has NFKC and a few characters in place of the map that the file holds.
// 5. Its Strip strips by trim(), which takes U+FEFF and leaves U+0085.

type Json = { readonly [key: string]: unknown };

/** The split that ByteLevel does by itself: GPT-2's. */
const BYTE_LEVEL_SPLIT = {
  type: 'Split',
  pattern: {
    Regex: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  },
  behavior: 'Isolated',
  invert: false,
};

/** The library's tokenizer of a tokenizer.json, and an `encode` whose ids are the original's. */
export function tokenizerOf(
  json: object,
  config: object,
): { tokenizer: Tokenizer; encode(text: string): number[] } {
  const { normalizer, pre_tokenizer: preTokenizer, added_tokens: added } = json as Json;
  const tokenizer = new Tokenizer({ ...json, pre_tokenizer: withSplit(preTokenizer) }, config);
  correct(tokenizer.normalizer);
  const lowers = steps(normalizer, 'normalizers').some(({ type }) => type === 'Lowercase');
  const [first] = steps(preTokenizer, 'pretokenizers');
  const dropsSpaces = first?.type === 'Split' && first.behavior === 'Removed' && first.invert === true;
  const specials = (Array.isArray(added) ? (added as Json[]) : []).map(({ content }) => String(content));
  return {
    tokenizer,
    encode(text) {
      let source = lowers ? text.replaceAll('Σ', 'σ') : text;
      if (dropsSpaces) {
        for (const token of specials) source = source.replaceAll(token, () => `${token} `);
        source = ` ${source}`;
      }
      return tokenizer.encode(source).ids;
    },
  };
}

/** Puts right what a normalizer, and those that it consists of, do. */
function correct(normalizer: Normalizer | null): void {
  if (!normalizer) return;
  const { type, ...config } = normalizer.config as unknown as Json;
  if (type === 'Sequence') (normalizer as SequenceNormalizer).normalizers.forEach(correct);
  else if (type === 'Precompiled') normalizer.normalize = charsmapOf(String(config.precompiled_charsmap));
  else if (type === 'Strip') {
    const { strip_left: left, strip_right: right } = config;
    normalizer.normalize = (text) => {
      const begun = left ? text.replace(/^\p{White_Space}+/u, '') : text;
      return right ? begun.replace(/\p{White_Space}+$/u, '') : begun;
    };
  }
}

/** A step, or the steps of a sequence of them. */
function steps(step: unknown, list: string): readonly Json[] {
  if (typeof step !== 'object' || step === null) return [];
  const { type, [list]: parts } = step as Json;
  return type === 'Sequence' && Array.isArray(parts) ? (parts as Json[]) : [step as Json];
}

function withSplit(preTokenizer: unknown): unknown {
  if (typeof preTokenizer !== 'object' || preTokenizer === null) return preTokenizer;
  const pretokenizers = steps(preTokenizer, 'pretokenizers').flatMap((step) => {
    // A prefixed space comes before the split, and only the library's own step can add it.
    const splits = step.type === 'ByteLevel' && step.use_regex !== false && step.add_prefix_space !== true;
    return splits ? [BYTE_LEVEL_SPLIT, { ...step, use_regex: false }] : [step];
  });
  return { type: 'Sequence', pretokenizers };
}

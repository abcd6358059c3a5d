export { ClipTokenizer, type ClipTokenizerOptions, type TokenizerConfig } from './clip-tokenizer';
export { TextTokenizer, type TextTokenizerOptions } from './text-tokenizer';
export { type BpeVocabulary, parseMerges } from './vocabulary';
export { WordTokenizer, type WordTokenizerOptions } from './word-tokenizer';

export { NgramEmbedding, type NgramEmbeddingOptions } from './ngram-embedding';
export { Ngrams, type NgramsOptions } from './ngrams';
export { padTokens, type Tokens } from './tokens';

export type { EmbeddingMaker, PositionsMaker, TokenEmbedding, TransformerConfig } from './config';
export { padTokens, type Tokens } from './tokens';
export { type AttentionWeights, Transformer } from './transformer';

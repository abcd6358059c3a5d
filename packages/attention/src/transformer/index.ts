export type { EmbeddingMaker, PositionsMaker, TokenEmbedding, TransformerConfig } from './config';
export { type AttentionWeights, Transformer } from './transformer';

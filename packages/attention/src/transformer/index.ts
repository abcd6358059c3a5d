export type { PositionsMaker, TransformerConfig } from './config';
export { padTokens, type Tokens } from './tokens';
export { Transformer } from './transformer';

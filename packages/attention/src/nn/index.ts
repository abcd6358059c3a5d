export {
  type BlockConfig,
  decoderLayer,
  encoderLayer,
  type StackConfig,
  transformerDecoder,
  transformerEncoder,
} from './build';
export type { KeyValues } from './cache';
export {
  type DecoderLayerParts,
  type DecoderOptions,
  type DecoderState,
  TransformerDecoder,
  TransformerDecoderLayer,
} from './decoder';
export {
  type EncoderLayerParts,
  type EncoderOptions,
  TransformerEncoder,
  TransformerEncoderLayer,
} from './encoder';
export {
  type Activation,
  FeedForward,
  type FeedForwardMaker,
  type FeedForwardOptions,
  GatedFeedForward,
  geluFeedForward,
  mlp,
  reluFeedForward,
  swiGLU,
} from './feed-forward';
export {
  type AttendOptions,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
  type MultiHeadOptions,
} from './multi-head-attention';
export { postNorm, preNorm, type Residual } from './residual';

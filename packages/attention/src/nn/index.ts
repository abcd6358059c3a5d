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
  type DecoderLayerWeights,
  type DecoderOptions,
  type DecoderState,
  type DecoderWeights,
  TransformerDecoder,
  TransformerDecoderLayer,
} from './decoder';
export {
  type EncoderLayerParts,
  type EncoderOptions,
  type EncoderWeights,
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

export { allOf, causalMask, paddingMask } from './masks';
export {
  type Attended,
  type AttentionOptions,
  scaledDotProductAttention,
} from './scaled-dot-product-attention';

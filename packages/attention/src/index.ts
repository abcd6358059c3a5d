export {
  type Attended,
  type AttentionOptions,
  allOf,
  causalMask,
  paddingMask,
  scaledDotProductAttention,
} from './attention';

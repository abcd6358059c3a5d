export { ClipModel, type ClipOutput } from './clip-model';
export { l2Normalize } from './normalize';

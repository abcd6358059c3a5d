export { addPositions } from './add-positions';
export { AlibiPositions, alibiSlopes } from './alibi';
export { LearnedPositions } from './learned';
export { type Place, Positions } from './positions';
export { RelativeBias, type RelativeBiasOptions, relativeBucket } from './relative-bias';
export { type RotaryOptions, RotaryPositions, rotary } from './rotary';
export { type SinusoidalOptions, SinusoidalPositions, sinusoidal } from './sinusoidal';

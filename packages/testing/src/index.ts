export { maxRelativeError, toBeAllClose } from './close';
export { type Fixture, loadFixture, tensorOf } from './fixtures';
export { checkGradients } from './gradients';
export { hashed, hashedGradients, hashedValues } from './hashed';
export { expectNoLeak } from './leaks';
export { stateBytes } from './state-bytes';

export { type Fixture, loadFixture, tensorOf } from './fixtures';
export { expectNoLeak } from './leaks';
export { checkGradients } from './gradients';
export { maxRelativeError, toBeAllClose } from './close';

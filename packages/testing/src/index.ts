export { maxRelativeError, toBeAllClose } from './close';
export { type Fixture, loadFixture, tensorOf } from './fixtures';
export { checkGradients } from './gradients';
export { expectNoLeak } from './leaks';

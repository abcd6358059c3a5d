import { suites } from '../testing/src/vitest';

export default suites({ hostOnly: ['test/data/**', 'test/checkpoint/**', 'test/node/**', 'test/errors/**'] });

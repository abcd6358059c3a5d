import { suites } from '@poiesis/testing/vitest';

export default suites({ hostOnly: ['test/data/**', 'test/checkpoint/**', 'test/node/**', 'test/errors/**'] });

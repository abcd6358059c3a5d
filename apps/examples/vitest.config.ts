import { suites } from '../../packages/testing/src/vitest';

export default suites({ hostOnly: ['test/**'] });

import { suites } from '../testing/src/vitest';

export default suites();

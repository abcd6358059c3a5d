import { suites } from '@poiesis/testing/vitest';

export default suites();

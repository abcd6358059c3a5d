import { suites } from '../testing/src/vitest';

export default suites({
  hostOnly: ['test/tokenizer/**', 'test/images/**', 'test/node/**', 'test/embedding-index/**'],
});

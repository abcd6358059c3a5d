// `node quality/unread.mjs [--steps 10000] [--backend NAME]`: see src/unread.ts.
import { parseArgs } from 'node:util';
import { launch } from './launch.mjs';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '10000' }, backend: { type: 'string', default: 'onnx' } },
});
await launch('unread', [values.steps, values.backend], ['--expose-gc']);

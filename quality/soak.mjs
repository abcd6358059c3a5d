// `node quality/soak.mjs [--steps 1000] [--backend NAME]`: see src/soak.ts.
import { parseArgs } from 'node:util';
import { launch } from './launch.mjs';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '1000' }, backend: { type: 'string', default: 'auto' } },
});
await launch('soak', [values.steps, values.backend], ['--expose-gc']);

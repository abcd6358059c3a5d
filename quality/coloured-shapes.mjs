// `node quality/coloured-shapes.mjs [--steps 3000] [--backend NAME] [--seed 1]`: see src/coloured-shapes.ts.
import { parseArgs } from 'node:util';
import { launch } from './launch.mjs';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '3000' },
    backend: { type: 'string', default: 'onnx' },
    seed: { type: 'string', default: '1' },
  },
});
await launch('coloured-shapes', [values.steps, values.backend, values.seed]);

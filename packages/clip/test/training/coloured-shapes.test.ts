import { expect, it } from 'vitest';
import { runShapes } from './shapes-run';

// On compiled steps only: half a minute there, and many on others. quality/coloured-shapes.mjs does it at full size.
it.runIf(process.env.POIESIS_TEST_BACKEND === 'onnx')(
  'tells 4 colours × 4 shapes apart by their captions, on pictures that were never seen',
  async () => {
    const { accuracy, findings } = await runShapes({ size: 16, layers: 2, steps: 450, test: 320 });
    expect(accuracy).toBeGreaterThanOrEqual(0.95);
    expect(findings).toEqual([]);
  },
  120_000,
);

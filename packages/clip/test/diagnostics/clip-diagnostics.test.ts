import { adamW, type Schedule, train, withReaders } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import {
  type ClipBatch,
  type ClipDiagnosticsOptions,
  type ClipModel,
  clipDiagnostics,
  clipStep,
  infoNCE,
} from '../../src';
import { pairs, tinyModel } from '../training/tiny';

interface Run extends ClipDiagnosticsOptions {
  model?: ClipModel;
  lr?: number;
  scaleLr?: number | Schedule;
  steps?: number;
  batch?: (i: number) => ClipBatch;
}

/** Trains the smallest model and gives back what was found. */
async function found({
  model = tinyModel(),
  lr = 3e-3,
  scaleLr = lr,
  steps = 60,
  batch = () => pairs(6),
  ...options
}: Run) {
  const diagnostics = clipDiagnostics({ after: 40, window: 20, onFinding: () => {}, ...options });
  const optimizer = adamW({ lr, beta2: 0.98, groups: [{ match: /logit_scale/, lr: scaleLr }] });
  const step = clipStep(model, { objective: infoNCE, optimizer });
  function* batches() {
    for (let i = 0; ; i++) yield batch(i);
  }
  for await (const _ of withReaders(train(step, batches(), { steps }), [diagnostics]));
  return diagnostics.findings;
}

const kinds = (findings: Awaited<ReturnType<typeof found>>) =>
  findings.map((f) => (f.kind === 'collapsed-embeddings' ? `${f.side} ${f.kind}` : f.kind));

describe('clipDiagnostics', () => {
  it('finds nothing in a healthy run', async () => {
    expect(await found({})).toEqual([]);
  });

  it('finds a learning rate that is too high: both towers collapsed, the loss at ln(batch)', async () => {
    const findings = await found({ lr: 0.03 });
    expect(kinds(findings)).toEqual([
      'loss-at-chance',
      'image collapsed-embeddings',
      'text collapsed-embeddings',
    ]);
    expect(findings[0]).toMatchObject({ step: 40, chance: expect.closeTo(Math.log(6), 5) });
    expect(findings[0]!.sentence).toMatch(
      /^The loss is 1\.79\d* where features that tell nothing give 1\.792:/,
    );
  });

  it('finds pictures and texts that were shuffled against each other', async () => {
    const texts = pairs(6).tokens.arraySync();
    const shuffled = (i: number) => {
      const order = [0, 1, 2, 3, 4, 5].map((k) => (k * (i % 2 ? 5 : 1) + i) % 6);
      const { pixels, tokens } = pairs(6);
      tokens.dispose();
      return {
        pixels,
        tokens: tf.tensor2d(
          order.map((k) => texts[k]!),
          [6, 5],
          'int32',
        ),
      };
    };
    expect(kinds(await found({ batch: shuffled }))).toContain('loss-at-chance');
  });

  it('finds a temperature that has arrived at its upper limit', async () => {
    // Six pairs that are soon known by heart: from then on a larger scale is all that makes the loss smaller.
    const findings = await found({ scaleLr: (count) => (count < 50 ? 3e-3 : 0.3), steps: 160 });
    expect(findings).toEqual([expect.objectContaining({ kind: 'saturated-temperature', limit: 'upper' })]);
  });

  it('finds a temperature that has arrived at its lower limit', async () => {
    const findings = await found({ lr: 0, scaleLr: 0.5 });
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'saturated-temperature', limit: 'lower' }),
    );
  });

  it('finds captions that are all the same', async () => {
    const findings = await found({ batch: () => pairs(6, 1, 1) });
    expect(kinds(findings)).toContain('text collapsed-embeddings');
    expect(kinds(findings)).toContain('loss-at-chance');
  });

  it('says it once, on the console where nobody else takes it, and not before its time', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const diagnostics = clipDiagnostics({ after: 5, window: 3 });
    for (let step = 1; step <= 9; step++) {
      diagnostics.read({ type: 'step', step, losses: { loss: 4, chance: 4 }, seconds: 0, epoch: 0 });
      if (step === 4) expect(warn).not.toHaveBeenCalled();
    }
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/^step 5, loss-at-chance: The loss is 4 /),
    );
    expect(diagnostics.findings).toHaveLength(1);
    warn.mockRestore();
  });

  it('rejects counts that are none', () => {
    expect(() => clipDiagnostics({ after: 0 })).toThrow(
      'clipDiagnostics(options.after): expected an integer ≥ 1, got 0',
    );
    expect(() => clipDiagnostics({ window: 1.5 })).toThrow('clipDiagnostics(options.window)');
  });
});

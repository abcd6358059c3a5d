import { checkArgument } from '../errors';

/**
 * A learning rate as a pure function of the number of updates done: `schedule(0)` is what the first update uses.
 * A function of that form is all that a schedule is; computed in double precision on the host.
 */
export type Schedule = (count: number) => number;

/** Always `lr`. */
export function constant(lr: number): Schedule {
  checkRate('constant', 'lr', lr);
  return () => lr;
}

/**
 * Linear from `from` to `lr` over `steps` updates, then `lr`.
 * `torch.optim.lr_scheduler.LinearLR(start_factor=from / lr, total_iters=steps)`.
 */
export function linearWarmup(lr: number, { steps, from = 0 }: { steps: number; from?: number }): Schedule {
  checkRate('linearWarmup', 'lr', lr);
  checkRate('linearWarmup', 'options.from', from);
  checkSteps('linearWarmup', 'options.steps', steps);
  return (count) => (count >= steps ? lr : from + ((lr - from) * count) / steps);
}

/** Options of `cosine`. */
export interface CosineOptions {
  /** Updates until `min` is reached, warm-up included. */
  steps: number;
  /** Rate at and after the end, 0 by default. */
  min?: number;
  /** Updates of linear warm-up from 0, none by default. */
  warmup?: number;
}

/**
 * Half a cosine from `lr` down to `min`, where it stays; after an optional linear warm-up.
 * Loshchilov and Hutter, "SGDR" (2017), equation 5, without restarts. `CosineAnnealingLR(T_max=steps − warmup)` up to
 * its first minimum; with a warm-up, Hugging Face's `get_cosine_schedule_with_warmup`.
 */
export function cosine(lr: number, { steps, min = 0, warmup = 0 }: CosineOptions): Schedule {
  checkRate('cosine', 'lr', lr);
  checkRate('cosine', 'options.min', min);
  checkSteps('cosine', 'options.steps', steps);
  checkArgument(
    Number.isInteger(warmup) && warmup >= 0 && warmup < steps,
    'cosine',
    'options.warmup',
    'an integer in [0, steps)',
    warmup,
  );
  return (count) => {
    if (count < warmup) return (lr * count) / warmup;
    const done = Math.min(1, (count - warmup) / (steps - warmup));
    return min + ((lr - min) * (1 + Math.cos(Math.PI * done))) / 2;
  };
}

/**
 * Linear warm-up from 0 to `lr` over `warmup` updates, then lr · √(warmup / count).
 * Hugging Face's `get_inverse_sqrt_schedule` with its default time scale.
 */
export function inverseSqrt(lr: number, { warmup }: { warmup: number }): Schedule {
  checkRate('inverseSqrt', 'lr', lr);
  checkSteps('inverseSqrt', 'options.warmup', warmup);
  return (count) => (count < warmup ? (lr * count) / warmup : lr * Math.sqrt(warmup / count));
}

/**
 * factor · dim^−½ · min(n^−½, n · warmup^−³ᐟ²), where n = count + 1.
 * Vaswani et al., "Attention Is All You Need" (2017), equation 3; there n counts from 1.
 */
export function noam(
  dim: number,
  { warmup = 4000, factor = 1 }: { warmup?: number; factor?: number } = {},
): Schedule {
  checkSteps('noam', 'dim', dim);
  checkSteps('noam', 'options.warmup', warmup);
  checkRate('noam', 'options.factor', factor);
  return (count) => factor * dim ** -0.5 * Math.min((count + 1) ** -0.5, (count + 1) * warmup ** -1.5);
}

/** Options of `oneCycle`, in PyTorch's terms. */
export interface OneCycleOptions {
  /** Updates in the whole cycle. */
  steps: number;
  /** Share of the cycle in which the rate rises, 0.3 by default. */
  pctStart?: number;
  /** How it moves between the turning points, `'cos'` by default. */
  anneal?: 'cos' | 'linear';
  /** The first rate is max / divFactor, 25 by default. */
  divFactor?: number;
  /** The last rate is the first / finalDivFactor, 10⁴ by default. */
  finalDivFactor?: number;
  /** Fall back to the first rate as long as it rose, and only then to the last. */
  threePhase?: boolean;
}

/**
 * One rise to `max` and one fall to nearly nothing, where it stays.
 * Smith and Topin, "Super-Convergence" (2018); `torch.optim.lr_scheduler.OneCycleLR`.
 */
export function oneCycle(max: number, options: OneCycleOptions): Schedule {
  const {
    steps,
    pctStart = 0.3,
    anneal = 'cos',
    divFactor = 25,
    finalDivFactor = 1e4,
    threePhase = false,
  } = options;
  checkRate('oneCycle', 'max', max);
  checkSteps('oneCycle', 'options.steps', steps);
  checkArgument(
    pctStart >= 0 && pctStart <= 1,
    'oneCycle',
    'options.pctStart',
    'a share in [0, 1]',
    pctStart,
  );
  checkArgument(
    anneal === 'cos' || anneal === 'linear',
    'oneCycle',
    'options.anneal',
    "'cos' or 'linear'",
    anneal,
  );
  checkArgument(divFactor > 0, 'oneCycle', 'options.divFactor', 'a number > 0', divFactor);
  checkArgument(finalDivFactor > 0, 'oneCycle', 'options.finalDivFactor', 'a number > 0', finalDivFactor);
  const first = max / divFactor;
  const last = first / finalDivFactor;
  // Turning points as [update, rate]; PyTorch's are off the integers by one where the share is fractional, and so here.
  const rise = pctStart * steps - 1;
  const points: [number, number][] = threePhase
    ? [
        [0, first],
        [rise, max],
        [2 * pctStart * steps - 2, first],
        [steps - 1, last],
      ]
    : [
        [0, first],
        [rise, max],
        [steps - 1, last],
      ];
  const between = anneal === 'cos' ? cosineBetween : linearBetween;
  return (count) => {
    if (count >= steps - 1) return last;
    const at = points.findIndex(([end], i) => i > 0 && count <= end);
    const [start, from] = points[at - 1]!;
    const [end, to] = points[at]!;
    // A phase of no length, which a short cycle can have, is at its end.
    return end === start ? to : between(from, to, (count - start) / (end - start));
  };
}

/** Multiplies `lr` by `gamma` (0.1 by default) every so many updates, or at each milestone: `StepLR`, `MultiStepLR`. */
export function stepDecay(
  lr: number,
  options: { every: number; gamma?: number } | { milestones: readonly number[]; gamma?: number },
): Schedule {
  const { gamma = 0.1 } = options;
  checkRate('stepDecay', 'lr', lr);
  checkRate('stepDecay', 'options.gamma', gamma);
  if ('every' in options) {
    const { every } = options;
    checkSteps('stepDecay', 'options.every', every);
    return (count) => lr * gamma ** Math.floor(count / every);
  }
  const { milestones } = options;
  for (const milestone of milestones) checkSteps('stepDecay', 'options.milestones', milestone);
  return (count) => lr * gamma ** milestones.filter((milestone) => count >= milestone).length;
}

/**
 * One schedule after the other, each counting from 0: the next takes over at its milestone.
 * `sequence([linearWarmup(lr, { steps: 100 }), cosine(lr, { steps: 900 })], [100])`; `SequentialLR`.
 */
export function sequence(schedules: readonly Schedule[], milestones: readonly number[]): Schedule {
  checkArgument(schedules.length > 0, 'sequence', 'schedules', 'at least one schedule', schedules.length);
  checkArgument(
    milestones.length === schedules.length - 1 &&
      milestones.every((m, i) => Number.isInteger(m) && m > (milestones[i - 1] ?? 0)),
    'sequence',
    'milestones',
    `${schedules.length - 1} rising integers > 0`,
    milestones,
  );
  return (count) => {
    const at = milestones.filter((milestone) => count >= milestone).length;
    return schedules[at]!(count - (at === 0 ? 0 : milestones[at - 1]!));
  };
}

function cosineBetween(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
}

function linearBetween(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

function checkRate(fn: string, argument: string, value: number): void {
  checkArgument(Number.isFinite(value) && value >= 0, fn, argument, 'a number ≥ 0', value);
}

function checkSteps(fn: string, argument: string, value: number): void {
  checkArgument(Number.isInteger(value) && value > 0, fn, argument, 'an integer > 0', value);
}

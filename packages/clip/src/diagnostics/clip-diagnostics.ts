import { checkArgument, type EventReader, type TrainEvent } from '@poiesis/core';
import { collapsed, lossAtChance, present, saturatedTemperature } from './find';
import { defaults, type Finding, type Thresholds } from './finding';

export interface ClipDiagnosticsOptions {
  /** Nothing is said before this step: a model that has just begun is at chance. Default 200; longer than the warm-up. */
  after?: number;
  /** Steps whose means are judged. Default 50. */
  window?: number;
  thresholds?: Thresholds;
  /** Takes each finding, once in a run. Default: a warning on the console. */
  onFinding?: (finding: Finding) => void;
}

export interface ClipDiagnostics extends EventReader {
  /** What was found so far, in the order in which it was found. */
  readonly findings: readonly Finding[];
}

/** What `clipStep` tells in its events. Another step may tell a part of it. */
const NAMES = ['loss', 'chance', 'scale', 'imageCosine', 'textCosine'] as const;
type Means = Record<(typeof NAMES)[number], number>;

/**
 * Reads the events of a training and says what goes wrong in silence: a loss that stays at chance, a temperature at its
 * limit, features that are all the same.
 *
 * ```ts
 * for await (const event of withReaders(train(step, batches, { steps: 2000 }), [clipDiagnostics()])) …
 * ```
 * It judges means over the last steps, and each finding is told once.
 */
export function clipDiagnostics({
  after = 200,
  window = 50,
  thresholds = {},
  onFinding = ({ kind, step, sentence }) => console.warn(`step ${step}, ${kind}: ${sentence}`),
}: ClipDiagnosticsOptions = {}): ClipDiagnostics {
  const isCount = (n: number) => Number.isInteger(n) && n >= 1;
  checkArgument(isCount(after), 'clipDiagnostics', 'options.after', 'an integer ≥ 1', after);
  checkArgument(isCount(window), 'clipDiagnostics', 'options.window', 'an integer ≥ 1', window);
  const limits = { ...defaults, ...thresholds };
  const recent: Readonly<Record<string, number>>[] = [];
  const findings: Finding[] = [];
  const told = new Set<string>();

  function judge(step: number): void {
    const { loss, chance, scale, imageCosine, textCosine } = meansOf(recent);
    const found = present([
      lossAtChance(loss, chance, limits),
      saturatedTemperature(scale, limits),
      collapsed('image', imageCosine, limits),
      collapsed('text', textCosine, limits),
    ]);
    for (const finding of found) {
      const name = nameOf(finding);
      if (told.has(name)) continue;
      told.add(name);
      findings.push({ ...finding, step });
      onFinding({ ...finding, step });
    }
  }

  return {
    findings,
    read(event: TrainEvent) {
      if (event.type !== 'step') return;
      recent.push(event.losses);
      if (recent.length > window) recent.shift();
      if (event.step >= after && recent.length === window) judge(event.step);
    },
  };
}

/** NaN for what the events do not have: it is never a finding. */
function meansOf(recent: readonly Readonly<Record<string, number>>[]): Means {
  const mean = (name: string) =>
    recent.reduce((sum, losses) => sum + (losses[name] ?? Number.NaN), 0) / recent.length;
  return Object.fromEntries(NAMES.map((name) => [name, mean(name)])) as Means;
}

/** The same trouble on another side is another finding. */
function nameOf(finding: Finding): string {
  switch (finding.kind) {
    case 'collapsed-embeddings':
      return `${finding.kind} ${finding.side}`;
    case 'saturated-temperature':
      return `${finding.kind} ${finding.limit}`;
    default:
      return finding.kind;
  }
}

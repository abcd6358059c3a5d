import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface Options {
  workloads: readonly string[];
  contenders: readonly string[];
  rounds: number;
  warmup: number;
  /** Of a lap. */
  seconds: number;
  threads: number;
  json: string | undefined;
}

/** What there is to choose from. */
export interface Choices {
  workloads: readonly string[];
  /** Ours first. */
  contenders: readonly string[];
}

/** Wrong usage; the message is one line. */
export class UsageError extends Error {}

export function usage({ workloads, contenders: [ours, ...peers] }: Choices): string {
  return `npm run bench -- [options]

  --workload LIST   with commas; all by default: ${workloads.join(', ')}
  --against LIST    who runs beside ${ours}; all that are present by default: ${peers.join(', ')}
  --only LIST       nobody else than these, ${ours} included; to profile one
  --rounds N        5 by default; in each of them every contender has one lap
  --seconds S       how long a lap should take, 1 by default; a longer step is a lap of its own
  --warmup N        steps before the first round, 3 by default
  --threads N       of every contender, one per core by default
  --json FILE       writes the rows there too, as a JSON array; - is standard output, with nothing else on it

POIESIS_PYTHON names the Python that has PyTorch (python3), POIESIS_TFJS_NODE a folder with tfjs-node installed,
POIESIS_TRANSFORMERS_JS one with transformers.js and the models that bench/pytorch/export_clip.py writes.`;
}

/** @returns the options, or undefined where help is asked for. */
export function parseOptions(args: readonly string[], choices: Choices): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const [ours, ...peers] = choices.contenders;
  if (values.only !== undefined && values.against !== undefined)
    throw new UsageError('--only and --against do not go together');
  return {
    workloads: list('--workload', values.workload, choices.workloads),
    contenders:
      values.only !== undefined
        ? list('--only', values.only, choices.contenders)
        : [ours!, ...list('--against', values.against, peers)],
    rounds: wholeNumber('--rounds', values.rounds, 5),
    warmup: wholeNumber('--warmup', values.warmup, 3),
    seconds: seconds(values.seconds),
    threads: wholeNumber('--threads', values.threads, availableParallelism()),
    json: values.json,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        workload: text,
        against: text,
        only: text,
        rounds: text,
        seconds: text,
        warmup: text,
        threads: text,
        json: text,
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]);
  }
}

function list(option: string, given: string | undefined, known: readonly string[]): readonly string[] {
  if (given === undefined) return known;
  const names = given.split(',');
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new UsageError(`${option}: there is no "${stranger}", only ${known.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

function wholeNumber(option: string, given: string | undefined, otherwise: number): number {
  const n = given === undefined ? otherwise : Number(given);
  if (!Number.isInteger(n) || n < 1)
    throw new UsageError(`${option} is a whole number from 1, not "${given}"`);
  return n;
}

function seconds(given = '1'): number {
  const s = Number(given);
  if (!(s > 0 && s <= 600)) throw new UsageError(`--seconds is a number above 0, up to 600, not "${given}"`);
  return s;
}

import '@poiesis/backend-onnx';
import {
  type ActiveBackend,
  type BatchSource,
  type EventReader,
  type StateDict,
  type TrainEvent,
  type TrainStep,
  train,
  useBackend,
  withReaders,
} from '@poiesis/core';
import { jsonlLog, writeSafetensors } from '@poiesis/core/node';
import { Command } from 'commander';
import { integer } from '../cli/values';
import { cacheFolder } from '../data/cache';
import { ExampleError, exitCodes } from '../errors';
import type { Example } from '../example';
import {
  type BaseConfig,
  type ConfigEntries,
  type ConfigOf,
  kebab,
  newConfig,
  resumedConfig,
} from './config';
import { type Console, runConsole, type SampleFile } from './console';
import { interruptible } from './interrupt';
import { userPath } from './paths';
import { RunFolder } from './run-folder';
import { writeJson } from './write-file';

/** What an example brings for a run. */
export interface Training<Batch> {
  step: TrainStep<Batch>;
  batches: BatchSource<Batch>;
  /** What `model.safetensors` holds, in PyTorch's names. */
  weights: () => Promise<StateDict>;
  /** What that file says about itself, beside the tensors. */
  metadata?: Record<string, string>;
  checkpointEvery: number;
  /** Writes a picture of what the model makes now. Runs every `sampleEvery` steps and at the end. */
  sample?: (file: string) => Promise<void>;
  sampleEvery?: number;
  evaluate?: () => Promise<Record<string, number>>;
  evaluateEvery?: number;
  /** The example's own figures for `metrics.json`, in camelCase. */
  figures?: (run: { stepsPerSecond: number }) => Record<string, unknown> | Promise<Record<string, unknown>>;
}

export interface SetUpContext<Config> {
  config: Config;
  /** Cache folder for data that is installed on first use. */
  dataDir: string;
  console: Console;
  signal: AbortSignal;
}

/** A training example, all but what every one of them has. */
export interface TrainingExample<Entries extends ConfigEntries, Batch> {
  name: string;
  summary: string;
  /** Paragraphs of `--help` after the summary. */
  description?: string;
  defaults: ConfigOf<Entries>;
  /** Schema of the options that only this example has, by their names in camelCase. */
  entries: Entries;
  /** Of those, what a resumed run may change: shapes, data and their order stay the same. */
  changeable?: readonly (keyof Entries & string)[];
  /** Declares those options on the command line. Their defaults come from `defaults`. */
  options?: (command: Command) => void;
  setUp(context: SetUpContext<ConfigOf<Entries>>): Promise<Training<Batch>>;
  /** What to type next, given the model file; shown after a finished run. */
  next?: (model: string) => string;
  /** Further actions: `sample`, … */
  actions?: readonly (() => Command)[];
}

interface RunFlags {
  out: string;
  dataDir: string;
  threads?: number;
  resume?: boolean;
  json?: boolean;
  quiet?: boolean;
}

/** Makes a command of a training example: the options and the run folder that all of them share. */
export function trainingExample<Entries extends ConfigEntries, Batch>(
  example: TrainingExample<Entries, Batch>,
): Example {
  const { name, summary, defaults } = example;
  const command = () => {
    const command = new Command(name)
      .summary(summary)
      .description([summary, example.description, resumable(example)].filter(Boolean).join('\n\n'))
      .option('--steps <n>', `training steps in all (default: ${defaults.steps})`, integer)
      .option('--batch <n>', `samples per step (default: ${defaults.batch})`, integer)
      .option('--seed <n>', `seed of weights, data order and noise (default: ${defaults.seed})`, integer)
      .option('--backend <name>', `what to compute on: auto, onnx, wasm, cpu (default: ${defaults.backend})`)
      .option('--threads <n>', 'of the CPU, where the backend can choose (default: all)', integer)
      .option('--out <dir>', 'folder of the run', `runs/${name}`)
      .option('--resume', 'go on with the run in that folder')
      .option('--data-dir <dir>', 'where data is kept', cacheFolder())
      .option('--json', 'write the events as JSON lines to standard output, and nothing else')
      .option('--quiet', 'write nothing but errors');
    example.options?.(command);
    for (const action of example.actions ?? []) command.addCommand(action());
    return command.action(
      ({ out, dataDir, threads, resume, json, quiet, ...given }: RunFlags & Record<string, unknown>) =>
        runTraining(example, { out, dataDir, threads, resume, json, quiet }, given),
    );
  };
  return { name, summary, command };
}

/** What `--help` says of the options that a resumed run may change. */
function resumable({ changeable }: { changeable?: readonly string[] }): string | undefined {
  if (!changeable) return undefined;
  const options = changeable.map((name) => `--${kebab(name)}`).join(', ');
  return `With --resume these may be others than before: ${options}.`;
}

async function runTraining<Entries extends ConfigEntries, Batch>(
  example: TrainingExample<Entries, Batch>,
  flags: RunFlags,
  given: Record<string, unknown>,
): Promise<void> {
  const start = performance.now();
  const folder = new RunFolder(userPath(flags.out));
  const console = runConsole({ json: flags.json ?? false, quiet: flags.quiet ?? false });
  const config = flags.resume
    ? await resumedConfig(example.name, example.entries, folder.config, given, example.changeable)
    : newConfig(example.entries, example.defaults, given);
  const { threads } = flags;
  const backend = await useBackend(config.backend, threads === undefined ? {} : { threads });
  const { signal, release } = interruptible(console.say);
  try {
    console.say(`${example.name} on ${backend.name}: ${backend.device} (${backend.reason})`);
    const dataDir = userPath(flags.dataDir);
    const training = await example.setUp({ config, dataDir, console, signal }).catch((error) => {
      throw signal.aborted ? new ExampleError('Interrupted.', { exitCode: exitCodes.interrupted }) : error;
    });
    if (!flags.resume) {
      const aside = await folder.startAnew();
      if (aside) console.say(`The unfinished run that was in ${folder.path} is now in ${aside}`);
    }
    await writeJson(folder.config, { example: example.name, ...config });
    const last = await follow(training, config, folder, { console, signal, resume: flags.resume ?? false });
    const setupSeconds = (last.firstStepAt - start) / 1000;
    await finish(example, training, config, folder, { backend, console, setupSeconds, ...last });
  } finally {
    release();
  }
}

interface Outcome {
  done: Extract<TrainEvent, { type: 'done' }>;
  losses: Record<string, number>;
  /** When everything was ready for the first step. */
  firstStepAt: number;
}

/** Trains, with the logs and the picture of the run folder. */
async function follow<Batch>(
  training: Training<Batch>,
  config: BaseConfig,
  folder: RunFolder,
  { console, signal, resume }: { console: Console; signal: AbortSignal; resume: boolean },
): Promise<Outcome> {
  const { sample } = training;
  const events = train<Batch, SampleFile>(training.step, training.batches, {
    steps: config.steps,
    seed: config.seed,
    checkpoints: folder.checkpoints,
    checkpointEvery: training.checkpointEvery,
    resume,
    signal,
    evaluate: training.evaluate,
    evaluateEvery: training.evaluateEvery,
    sampleEvery: training.sampleEvery,
    sample:
      sample &&
      (async () => {
        await sample(folder.samples);
        return folder.samples;
      }),
  });
  const readers: EventReader<SampleFile>[] = [jsonlLog(folder.events), ...console.readers()];
  let done: Outcome['done'] | undefined;
  let losses: Record<string, number> = {};
  let firstStepAt = performance.now();
  for await (const event of withReaders(events, readers)) {
    if (event.type === 'start') firstStepAt = performance.now();
    if (event.type === 'step') losses = event.losses;
    if (event.type === 'done') done = event;
  }
  return { done: done!, losses, firstStepAt };
}

async function finish<Entries extends ConfigEntries, Batch>(
  example: TrainingExample<Entries, Batch>,
  training: Training<Batch>,
  config: BaseConfig,
  folder: RunFolder,
  {
    backend,
    console,
    setupSeconds,
    done,
    losses,
  }: Outcome & { backend: ActiveBackend; console: Console; setupSeconds: number },
): Promise<void> {
  if (done.reason === 'aborted') {
    throw new ExampleError(
      `Interrupted at step ${done.step} of ${config.steps}. To go on: npm start -- ${example.name} --resume --out ${folder.path}`,
      { exitCode: exitCodes.interrupted },
    );
  }
  await writeSafetensors(folder.model, await training.weights(), { format: 'pt', ...training.metadata });
  const stepsPerSecond = round(done.step / done.seconds);
  await writeJson(folder.metrics, {
    example: example.name,
    backend: backend.name,
    device: backend.device,
    seed: config.seed,
    steps: done.step,
    seconds: round(done.seconds),
    stepsPerSecond,
    setupSeconds: round(setupSeconds),
    losses,
    ...(await training.figures?.({ stepsPerSecond })),
  });
  console.say(
    `Done: ${done.step} steps in ${Math.round(done.seconds)} s (${stepsPerSecond.toPrecision(3)} a second). Everything is in ${folder.path}`,
  );
  if (training.sample) console.say(`Picture: ${folder.samples}`);
  const next = example.next?.(folder.model);
  if (next) console.say(next);
}

function round(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : 0;
}

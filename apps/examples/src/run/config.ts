import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { ExampleError, exitCodes } from '../errors';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** In [0, 1). */
const share = v.pipe(v.number(), v.minValue(0), v.ltValue(1));

/** What every training example is configured by. */
export const baseEntries = {
  /** Backend that was asked for: a name or `auto`. */
  backend: v.string(),
  /** Training steps in all. */
  steps: count,
  /** Samples per step. */
  batch: count,
  seed: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
};

export type BaseConfig = v.InferOutput<v.ObjectSchema<typeof baseEntries, undefined>>;
export type ConfigEntries = Record<string, v.GenericSchema>;
export type ConfigOf<Entries extends ConfigEntries> = BaseConfig &
  v.InferOutput<v.ObjectSchema<Entries, undefined>>;
export { count as countSchema, share as shareSchema };

/** Options that every resumed run may change: how far to go, and on what. */
const CHANGEABLE = ['steps', 'backend'];

/**
 * The config of a new run: the defaults, with what the command line says.
 * @throws ExampleError (usage) that names the option.
 */
export function newConfig<Entries extends ConfigEntries>(
  entries: Entries,
  defaults: ConfigOf<Entries>,
  given: Partial<Record<string, unknown>>,
): ConfigOf<Entries> {
  const result = v.safeParse(schemaOf(entries), { ...defaults, ...given });
  if (result.success) return result.output as ConfigOf<Entries>;
  throw new ExampleError(
    describe(result.issues, (name) => `--${kebab(name)}`),
    { exitCode: exitCodes.usage },
  );
}

/**
 * The config of a run that is resumed.
 * @param changeable further options that may change; all others belong to the run.
 * @throws ExampleError where the file is missing, half-written or of something else, or an option contradicts it.
 */
export async function resumedConfig<Entries extends ConfigEntries>(
  example: string,
  entries: Entries,
  file: string,
  given: Partial<Record<string, unknown>>,
  changeable: readonly string[] = [],
): Promise<ConfigOf<Entries>> {
  const free = new Set([...CHANGEABLE, ...changeable]);
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new ExampleError(`no run to resume: cannot read ${file} (${cause.code ?? cause.message})`, {
      cause,
    });
  });
  let saved: unknown;
  try {
    saved = JSON.parse(text);
  } catch (cause) {
    throw new ExampleError(`cannot resume: ${file} is not whole JSON; start again without --resume`, {
      cause,
    });
  }
  const { example: of, ...config } =
    typeof saved === 'object' && saved !== null ? (saved as { example?: unknown }) : {};
  if (of !== example) throw new ExampleError(`cannot resume: ${file} is not the config of a ${example} run`);
  const result = v.safeParse(schemaOf(entries), config);
  if (!result.success)
    throw new ExampleError(`cannot resume: ${file}: ${describe(result.issues, (name) => name)}`);
  const known = result.output as ConfigOf<Entries>;
  const clash = Object.entries(given).find(
    ([name, value]) => !free.has(name) && known[name as never] !== value,
  );
  if (clash) {
    const [name, value] = clash;
    throw new ExampleError(
      `--${kebab(name)} ${value} does not fit: the run that is resumed has ${name} ${known[name as never]}`,
      { exitCode: exitCodes.usage },
    );
  }
  return newConfig(entries, known, given);
}

function schemaOf(entries: ConfigEntries) {
  return v.strictObject({ ...baseEntries, ...entries });
}

function describe(issues: readonly v.BaseIssue<unknown>[], nameOf: (key: string) => string): string {
  const [issue] = issues;
  const key = issue?.path?.map((item) => String(item.key)).join('.') ?? '';
  return `${key ? nameOf(key) : 'config'}: ${issue?.message.replace(/^Invalid \w+: /, '').replace(/^Expected/, 'expected')}`;
}

/** The option of a name in camelCase, without its dashes. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

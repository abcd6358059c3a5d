import { PoiesisError } from '@poiesis/core';
import { Command, CommanderError } from 'commander';
import { ExampleError, exitCodes, oneLine } from '../errors';
import type { Example } from '../example';

/**
 * Runs the app with the arguments of the command line.
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 */
export async function runCli(
  args: readonly string[],
  examples: readonly Example[],
  standard: string,
): Promise<number> {
  const verbose = args.includes('--verbose');
  try {
    await program(examples, standard).parseAsync(withStandard(args, standard), { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    process.stderr.write(`${explain(error, verbose)}\n`);
    return error instanceof ExampleError ? error.exitCode : exitCodes.failed;
  }
}

function program(examples: readonly Example[], standard: string): Command {
  const program = new Command('npm start --')
    .description('Examples of Poiesis: train and sample generative models.')
    .usage('EXAMPLE [ACTION] [options]')
    .helpCommand(false)
    .addHelpText('after', `\nWithout an example: ${standard}. Its options: npm start -- ${standard} --help`);
  program
    .command('list')
    .description('name every example')
    .action(() => {
      const width = Math.max(...examples.map(({ name }) => name.length));
      for (const { name, summary } of examples) process.stdout.write(`${name.padEnd(width)}  ${summary}\n`);
    });
  for (const example of examples) program.addCommand(example.command());
  for (const command of all(program)) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      // An action may have options of the same names as its example: which one is meant is told by the place.
      .enablePositionalOptions()
      .allowExcessArguments(false)
      .option('--verbose', 'show where an error came from');
  }
  return program;
}

/** `npm start` alone, or with options only, means the standard example. */
function withStandard(args: readonly string[], standard: string): string[] {
  const [first] = args;
  const forProgram = first !== undefined && (!first.startsWith('-') || first === '--help' || first === '-h');
  return forProgram ? [...args] : [standard, ...args];
}

function all(command: Command): Command[] {
  return [command, ...command.commands.flatMap(all)];
}

/** One clear line; with `--verbose`, everything. */
function explain(error: unknown, verbose: boolean): string {
  if (verbose && error instanceof Error)
    return error.cause ? `${error.stack}\nCaused by: ${error.cause}` : `${error.stack}`;
  if (error instanceof ExampleError || PoiesisError.isInstance(error)) return oneLine(error);
  return `${oneLine(error)} (add --verbose to see where)`;
}

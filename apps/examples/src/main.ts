import { runCli } from './cli/program';
import { exitCodes } from './errors';
import { examples, standardExample } from './examples';

// Whoever reads has seen enough, as `| head` has: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.done);
});

process.exitCode = await runCli(process.argv.slice(2), examples, standardExample);

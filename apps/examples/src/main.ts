import { runCli } from './cli/program';
import { examples, standardExample } from './examples';

process.exitCode = await runCli(process.argv.slice(2), examples, standardExample);

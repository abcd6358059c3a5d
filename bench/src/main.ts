import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { contenders } from './contenders';
import { type Options, parseOptions, UsageError, usage } from './options';
import { type Row, rowsOf } from './row';
import { run } from './run';
import { doubts, sizes, table } from './table';
import { workloads } from './workloads';

const choices = { workloads: workloads.map((w) => w.name), contenders: contenders.map((c) => c.name) };

/** What a row of the JSON file says beside the figures. The load averages are those of 1, 5 and 15 minutes. */
interface Conditions {
  node: string;
  cpu: string;
  load_before: number[];
  load_after: number[];
}

async function main(options: Options): Promise<void> {
  const say = (line = '') => (options.json === '-' ? process.stderr : process.stdout).write(`${line}\n`);
  const failed = () => {
    process.exitCode = 1;
  };
  const node = process.versions.node;
  const cpu = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`;
  say(`Node ${node}, ${cpu}, load average ${load().join(' ')}`);
  const rows: (Row & Conditions)[] = [];
  for (const { name, about } of workloads.filter((w) => options.workloads.includes(w.name))) {
    say(`\n${name}: ${about}`);
    const load_before = load();
    const found = rowsOf(name, await run(name, options, { say, failed }));
    rows.push(...found.map((row) => ({ ...row, node, cpu, load_before, load_after: load() })));
    if (found.length) say(table(found));
    const counted = sizes(found);
    if (counted.length) say(`parameters: ${counted.join(', ')}`);
    for (const doubt of doubts(found)) say(doubt);
  }
  say(`\nload average ${load().join(' ')}`);
  if (options.json === '-') process.stdout.write(`${JSON.stringify(rows)}\n`);
  else if (options.json) await writeFile(options.json, `${JSON.stringify(rows, null, 2)}\n`);
}

function load(): number[] {
  return loadavg().map((x) => Math.round(x * 100) / 100);
}

try {
  const options = parseOptions(process.argv.slice(2), choices);
  if (options) await main(options);
  else process.stdout.write(`${usage(choices)}\n`);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

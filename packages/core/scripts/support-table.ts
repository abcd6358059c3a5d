import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { supportTable, toMarkdown } from './support/table';

// support-table.mjs bundles and runs this. Arguments: the file to write, then the backends.

const [file, ...backends] = process.argv.slice(2);
if (backends.includes('onnx')) await import('../../backend-onnx/src/index');
const table = await supportTable(backends);
// What stands below the table is written by hand.
const before = existsSync(file!) ? readFileSync(file!, 'utf8') : '';
const rest = before.includes('\n## ') ? before.slice(before.indexOf('\n## ')) : '';
writeFileSync(file!, toMarkdown(table) + rest);
for (const { kernel, entries } of table.rows) {
  for (const [backend, { note }] of Object.entries(entries)) {
    if (note) process.stdout.write(`${backend} ${kernel}: ${note}\n`);
  }
}

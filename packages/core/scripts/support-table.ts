import { writeFileSync } from 'node:fs';
import { supportTable, toMarkdown } from './support/table';

// support-table.mjs bundles and runs this. Arguments: the file to write, then the backends.

const [file, ...backends] = process.argv.slice(2);
const table = await supportTable(backends);
writeFileSync(file!, toMarkdown(table));
for (const { kernel, entries } of table.rows) {
  for (const [backend, { note }] of Object.entries(entries)) {
    if (note) process.stdout.write(`${backend} ${kernel}: ${note}\n`);
  }
}

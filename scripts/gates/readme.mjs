// Runs the snippet of a package's README where the package is installed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from '../lib/process.mjs';
import { compile } from './compile.mjs';
import { succeed } from './gates.mjs';

/**
 * Type-checks and runs the first TypeScript block of the README; the `text` block after it is what it must print.
 *
 * @param {string} project the folder that has the package
 * @param {string} source the package's folder in this repository
 * @returns {Promise<string>} what it printed
 */
export async function runReadme(project, source) {
  const { code, output } = snippetOf(readFileSync(join(source, 'README.md'), 'utf8'));
  const folder = join(project, 'readme');
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  writeFileSync(join(folder, 'src', 'snippet.ts'), code);
  const compilerOptions = {
    target: 'ES2022',
    module: 'node16',
    moduleResolution: 'node16',
    types: ['node'],
    strict: true,
    outDir: 'out',
    rootDir: 'src',
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  await compile(folder);
  const printed = await succeed(
    runNode(join(folder, 'out', 'snippet.js'), [], { cwd: folder, output: 'capture' }),
  );
  if (printed.trim() !== output.trim())
    throw new Error(`the README says:\n${output}\nit printed:\n${printed}`);
  return printed;
}

/** @param {string} markdown */
function snippetOf(markdown) {
  const match = /```ts\r?\n(?<code>[\s\S]*?)```[\s\S]*?```text\r?\n(?<output>[\s\S]*?)```/.exec(markdown);
  if (!match?.groups) throw new Error('the README has no ```ts block with a ```text block of its output');
  return { code: match.groups.code ?? '', output: match.groups.output ?? '' };
}

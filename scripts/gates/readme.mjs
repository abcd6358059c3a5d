// Runs the snippets of a package's README where the package is installed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from '../lib/process.mjs';
import { compile } from './compile.mjs';
import { succeed } from './gates.mjs';

/**
 * Type-checks and runs every TypeScript block of the README that a `text` block follows: what it must print.
 *
 * @param {string} project the folder that has the package
 * @param {string} source the package's folder in this repository
 * @returns {Promise<string>} what they printed
 */
export async function runReadme(project, source) {
  const snippets = snippetsOf(readFileSync(join(source, 'README.md'), 'utf8'));
  const folder = join(project, 'readme');
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  for (const [i, { code }] of snippets.entries()) writeFileSync(join(folder, 'src', `snippet${i}.ts`), code);
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
  let all = '';
  for (const [i, { output }] of snippets.entries()) {
    const file = join(folder, 'out', `snippet${i}.js`);
    const printed = await succeed(runNode(file, [], { cwd: folder, output: 'capture' }));
    if (printed.trim() !== output.trim())
      throw new Error(`the README says:\n${output}\nit printed:\n${printed}`);
    all += printed;
  }
  return all;
}

/** @param {string} markdown */
function snippetsOf(markdown) {
  /** @type {{ code: string, output: string }[]} */
  const snippets = [];
  let code;
  for (const { groups } of markdown.matchAll(/^```(?<language>\w*)\r?\n(?<text>[\s\S]*?)^```/gm)) {
    const { language, text = '' } = groups ?? {};
    if (language === 'ts') code = text;
    else if (language === 'text' && code !== undefined) {
      snippets.push({ code, output: text });
      code = undefined;
    }
  }
  if (snippets.length === 0)
    throw new Error('the README has no ```ts block with a ```text block of its output');
  return snippets;
}

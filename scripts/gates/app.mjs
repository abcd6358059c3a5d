// The example app as a user types it: `npm start -- …`, with its files, exit codes and a clean standard output.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runNpm, startNode } from '../lib/process.mjs';
import { readJson, root } from '../lib/workspace.mjs';
import { Skip } from './gates.mjs';

/** @param {import('./gates.mjs').Gates} gates */
export async function appGates(gates) {
  if (!gates.touches('app')) return;
  const folder = mkdtempSync(join(tmpdir(), 'poiesis app '));
  const out = join(folder, 'run');
  const size = ['--batch', '8', '--seed', '3', '--out', out];
  try {
    await gates.run('app: list and help', async () => {
      const list = await start(['list']);
      const help = await start(['gan', '--help']);
      expect(list, 0, /^gan {2}/m);
      expect(help, 0, /--steps[\s\S]*--backend[\s\S]*--resume/);
    });
    await gates.run('app: wrong usage is exit code 2 and one line', async () => {
      for (const args of [
        ['nonsense'],
        ['gan', '--stepz', '3'],
        ['gan', '--steps', '0'],
        ['gan', '--steps', 'x'],
      ]) {
        const result = await start([...args]);
        if (result.code !== 2 || result.stdout || !isShort(result.stderr))
          throw new Error(show(args, result));
      }
    });
    await gates.run('app: gan trains, with nothing but JSON on standard output', async () => {
      const result = await start(['gan', '--steps', '2', '--json', ...size]);
      expect(result, 0, /^/);
      const events = result.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const types = events.map(({ type }) => type).join(' ');
      if (!/^start step step .*sample.*done$/.test(types)) throw new Error(types);
      for (const file of [
        'config.json',
        'events.jsonl',
        'metrics.json',
        'model.safetensors',
        'samples.png',
        'checkpoints',
      ]) {
        if (!existsSync(join(out, file))) throw new Error(`no ${file}`);
      }
      const { example, backend, device, seed, steps, seconds, stepsPerSecond, setupSeconds, losses } =
        readJson(join(out, 'metrics.json'));
      const figures = { seconds, stepsPerSecond, setupSeconds, ...losses };
      const wrong = Object.entries(figures).find(
        ([, value]) => typeof value !== 'number' || !Number.isFinite(value),
      );
      if (example !== 'gan' || !backend || !device || seed !== 3 || steps !== 2 || wrong)
        throw new Error(`metrics: ${wrong}`);
    });
    await gates.run('app: gan goes on with --resume, quietly', async () => {
      const result = await start(['gan', '--resume', '--steps', '3', '--quiet', '--out', out]);
      expect(result, 0, /^$/);
      if (readJson(join(out, 'metrics.json')).steps !== 3) throw new Error('it did not reach step 3');
    });
    await gates.run('app: Ctrl-C writes a checkpoint and says how to resume', async () => {
      if (process.platform === 'win32') throw new Skip('a signal there ends the process at once');
      const file = join(root, 'scripts', 'start.mjs');
      const long = ['gan', '--resume', '--steps', '1000', '--json', '--out', out];
      const training = await startNode(file, long, { cwd: root, ready: /"type":"step"/ });
      training.kill('SIGINT');
      const { code, output } = await training.ended;
      if (code !== 130 || !/"type":"checkpoint"[\s\S]*--resume --out/.test(output))
        throw new Error(`${code}\n${output}`);
    });
    await gates.run('app: gan sample draws from the model', async () => {
      const picture = join(folder, 'grid.png');
      const model = join(out, 'model.safetensors');
      expect(
        await start(['gan', 'sample', '--model', model, '--grid', '2x3', '--seed', '1', '--out', picture]),
        0,
        /./,
      );
      if (readFileSync(picture).subarray(1, 4).toString() !== 'PNG') throw new Error('no PNG');
    });
    await gates.run('app: damaged files are one clear line', async () => {
      const config = join(out, 'config.json');
      const text = readFileSync(config, 'utf8');
      for (const damaged of [
        text.slice(0, text.length / 2),
        '{"example":"other"}',
        '[]',
        'null',
        text.replace('8', '"8"'),
      ]) {
        writeFileSync(config, damaged);
        const result = await start(['gan', '--resume', '--out', out]);
        if (result.code !== 1 || result.stdout || !isShort(result.stderr))
          throw new Error(show([damaged], result));
      }
      const result = await start(['gan', 'sample', '--model', config]);
      if (result.code !== 1 || result.stdout || !isShort(result.stderr))
        throw new Error(show(['sample'], result));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** @param {string[]} args */
function start(args) {
  return runNpm(['start', '--', ...args], {
    cwd: root,
    output: 'capture',
    env: { npm_config_loglevel: undefined },
  });
}

/**
 * @param {{ code: number, stdout: string, stderr: string }} result
 * @param {number} code
 * @param {RegExp} output
 */
function expect(result, code, output) {
  if (result.code !== code || !output.test(result.stdout))
    throw new Error(show([`expected ${code} ${output}`], result));
}

/** At most a line and a hint, and no stack trace. @param {string} text */
function isShort(text) {
  return text.trim() !== '' && text.trim().split('\n').length <= 2 && !/^\s+at /m.test(text);
}

/** @param {string[]} args @param {{ code: number, stdout: string, stderr: string }} result */
function show(args, { code, stdout, stderr }) {
  return `${args.join(' ')}\nexit code ${code}\nstdout: ${stdout}\nstderr: ${stderr}`;
}

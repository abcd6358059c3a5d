// The one place that starts other programs. Nothing goes through a shell where that can be avoided: Windows' npm and
// npx are .cmd files, which Node starts only with `shell: true`, and then a path with a space needs quotes. Both are
// thin wrappers of a JavaScript file, so that file is run by this very Node instead.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {Record<string, string | undefined>} [env] added to this process's environment
 * @property {'inherit' | 'stderr' | 'capture'} [output] where its output goes; `capture` returns it
 * @property {AbortSignal} [signal] ends the program
 */

/**
 * Runs a program to its end. Resolves whatever the exit code is; rejects where the program cannot be started.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions & { shell?: boolean }} [options]
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
export function run(command, args, { cwd, env, output = 'inherit', signal, shell = false } = {}) {
  const stdio = {
    inherit: /** @type {const} */ (['ignore', 'inherit', 'inherit']),
    stderr: /** @type {const} */ (['ignore', 2, 2]),
    capture: /** @type {const} */ (['ignore', 'pipe', 'pipe']),
  }[output];
  return new Promise((resolve, reject) => {
    const child = spawn(shell ? quote(command) : command, shell ? args.map(quote) : [...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: [...stdio],
      signal,
      shell,
      windowsHide: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, killedBy) =>
      resolve({ code: code ?? (killedBy === 'SIGINT' ? 130 : 1), stdout, stderr }),
    );
  });
}

/**
 * Runs a JavaScript file with this Node.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function runNode(file, args, options) {
  return run(process.execPath, [file, ...args], options);
}

/**
 * Runs npm, wherever this Node has it.
 *
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function runNpm(args, options) {
  return runNpmTool('npm', args, options);
}

/**
 * Runs npx, wherever this Node has it.
 *
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function runNpx(args, options) {
  return runNpmTool('npx', args, options);
}

/**
 * @param {'npm' | 'npx'} tool
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
function runNpmTool(tool, args, options = {}) {
  // The repository's .npmrc silences npm, and npm hands that on to its children: their errors must be heard.
  const env = { npm_config_loglevel: 'error', npm_config_update_notifier: 'false', ...options.env };
  const cli = npmCli(tool);
  if (cli) return runNode(cli, args, { ...options, env });
  const windows = process.platform === 'win32';
  return run(windows ? `${tool}.cmd` : tool, args, { ...options, env, shell: windows });
}

/**
 * The JavaScript file behind `npm` or `npx`: beside the npm that started this process, else where Node's installers
 * put it.
 *
 * @param {'npm' | 'npx'} tool
 */
function npmCli(tool) {
  const started = process.env.npm_execpath;
  const node = dirname(process.execPath);
  const folders = [
    ...(started ? [dirname(started)] : []),
    join(node, 'node_modules', 'npm', 'bin'),
    join(node, '..', 'lib', 'node_modules', 'npm', 'bin'),
  ];
  return folders.map((folder) => join(folder, `${tool}-cli.js`)).find((file) => existsSync(file));
}

/** Quotes one argument for cmd.exe. @param {string} argument */
function quote(argument) {
  return /[\s"&|<>^()]/.test(argument) ? `"${argument.replaceAll('"', '""')}"` : argument;
}

/**
 * Starts a JavaScript file that runs until it is stopped: a server, a training.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, ready: RegExp }} options `ready` is what it prints once it can
 *   be used
 * @returns {Promise<{ kill: (signal?: NodeJS.Signals) => void, ended: Promise<{ code: number | null, output: string }> }>}
 *   rejects with its output where it ends before
 */
export function startNode(file, args, { cwd, env, ready }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = (/** @type {NodeJS.Signals} */ signal = 'SIGTERM') => void child.kill(signal);
    let output = '';
    /** @type {Promise<{ code: number | null, output: string }>} */
    const ended = new Promise((done) => child.on('close', (code) => done({ code, output })));
    const listen = (/** @type {string} */ text) => {
      output += text;
      if (ready.test(output)) resolve({ kill, ended });
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
    child.on('error', reject);
    child.on('close', () => reject(new Error(`${file} ended:\n${output}`)));
    process.on('exit', () => kill());
  });
}

// Runs gates, prints what they took, and keeps count.

/** Thrown by a gate that cannot run here: it counts as skipped. */
export class Skip extends Error {}

/** @typedef {{ name: string, result: 'passed' | 'failed' | 'skipped', seconds: number }} Outcome */

export class Gates {
  /** @type {Outcome[]} */
  #outcomes = [];
  #only;

  /** @param {readonly string[]} only beginnings of the names of the gates to run; none: all */
  constructor(only) {
    this.#only = only;
  }

  get selective() {
    return this.#only.length > 0;
  }

  /** @param {string} name */
  wants(name) {
    return !this.selective || this.#only.some((start) => name.startsWith(start));
  }

  /** Whether gates whose names begin so may be wanted. @param {string} beginning */
  touches(beginning) {
    return this.wants(beginning) || this.#only.some((start) => start.startsWith(beginning));
  }

  /**
   * Runs one gate. It passes unless `check` throws; what it throws is printed.
   *
   * @template T
   * @param {string} name
   * @param {() => T | Promise<T>} check
   * @returns {Promise<T | undefined>} what `check` returned, where it passed
   */
  async run(name, check) {
    if (!this.wants(name)) return undefined;
    const start = performance.now();
    try {
      const value = await check();
      this.#end(name, 'passed', start);
      return value;
    } catch (error) {
      const skipped = error instanceof Skip;
      this.#end(
        name,
        skipped ? 'skipped' : 'failed',
        start,
        error instanceof Error ? error.message : String(error),
      );
      return undefined;
    }
  }

  /**
   * @param {string} name
   * @param {Outcome['result']} result
   * @param {number} start
   * @param {string} [why]
   */
  #end(name, result, start, why) {
    const seconds = (performance.now() - start) / 1000;
    this.#outcomes.push({ name, result, seconds });
    process.stdout.write(`${result.padEnd(8)}${seconds.toFixed(1).padStart(6)} s  ${name}\n`);
    if (why) process.stdout.write(`${short(why)}\n`);
  }

  /** @param {Outcome['result']} result */
  count(result) {
    return this.#outcomes.filter((outcome) => outcome.result === result).length;
  }

  /** Says again what failed: by now it has scrolled away. */
  report() {
    const total = this.#outcomes.reduce((sum, { seconds }) => sum + seconds, 0);
    const failed = this.#outcomes.filter(({ result }) => result === 'failed').map(({ name }) => name);
    process.stdout.write(
      `\nGates took ${total.toFixed(0)} s${failed.length ? `; failed: ${failed.join(', ')}` : ''}\n`,
    );
  }
}

/**
 * For gates that are a program: throws its output where it fails.
 *
 * @param {Promise<{ code: number, stdout: string, stderr: string }>} running
 * @returns {Promise<string>} its standard output
 */
export async function succeed(running) {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Indented, and without the walls of text of minified code. @param {string} text */
function short(text) {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => (line.length > 400 ? `${line.slice(0, 400)} …` : line));
  const shown =
    lines.length > 120
      ? [...lines.slice(0, 60), `… ${lines.length - 120} lines …`, ...lines.slice(-60)]
      : lines;
  return shown.map((line) => `    ${line}`).join('\n');
}

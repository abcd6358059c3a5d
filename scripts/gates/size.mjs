// What a bundle gains by importing a package: all of it, and as little as is useful. Limits are in .size-limit.json.
import { runBin } from '../lib/workspace.mjs';

/** @param {import('./gates.mjs').Gates} gates */
export async function sizeGates(gates) {
  if (!gates.touches('size')) return;
  const { stdout, stderr } = await runBin('size-limit', ['--json'], { output: 'capture' });
  /** @type {{ name: string, passed: boolean, size: number, sizeLimit: number }[]} */
  let sizes = [];
  try {
    sizes = JSON.parse(stdout);
  } catch {
    await gates.run('size', () => {
      throw new Error(`${stdout}${stderr}`);
    });
  }
  for (const { name, passed, size, sizeLimit } of sizes) {
    await gates.run(
      `size ${name}: ${(size / 1000).toFixed(1)} kB of ${(sizeLimit / 1000).toFixed(1)} kB`,
      () => {
        if (!passed)
          throw new Error('over the limit; if it is worth it, raise the limit in .size-limit.json');
      },
    );
  }
}

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBrowser } from '../../scripts/lib/browser.mjs';

/**
 * Opens an address in headless Chromium, with a fresh profile and the flags of CHROMIUM_FLAGS.
 *
 * @param {string} address
 */
export function openPage(address) {
  const program = findBrowser();
  if (!program) throw new Error('no Chromium or Chrome in PATH; set CHROMIUM to one');
  const profile = mkdtempSync(join(tmpdir(), 'poiesis-browser-'));
  const more = process.env.CHROMIUM_FLAGS?.split(' ') ?? [];
  const flags = ['--headless', '--no-sandbox', '--no-first-run', ...more];
  const browser = spawn(program, [...flags, `--user-data-dir=${profile}`, address], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let messages = '';
  browser.stderr.setEncoding('utf8').on('data', (text) => {
    messages += text;
  });
  const closed = new Promise((resolve) => browser.on('close', resolve));
  return {
    /** Where the browser ends before the page has told anything. */
    ended: closed.then((code) => ({ error: `the browser ended with ${code}\n${messages.slice(-1000)}` })),
    async close() {
      browser.kill('SIGTERM');
      await closed;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

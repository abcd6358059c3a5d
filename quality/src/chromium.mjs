import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/**
 * Opens an address in headless Chromium, with a fresh profile and the flags of CHROMIUM_FLAGS.
 *
 * @param {string} address
 */
export function openPage(address) {
  const profile = mkdtempSync(join(tmpdir(), 'poiesis-browser-'));
  const more = process.env.CHROMIUM_FLAGS?.split(' ') ?? [];
  const flags = ['--headless', '--no-sandbox', '--no-first-run', ...more];
  const browser = spawn(findBrowser(), [...flags, `--user-data-dir=${profile}`, address], {
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

function findBrowser() {
  const names = [
    process.env.CHROMIUM,
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
  ];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const files = names.flatMap((name) => (name ? [name, ...folders.map((folder) => join(folder, name))] : []));
  const found = files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return file.includes('/') || file.includes('\\');
    } catch {
      return false;
    }
  });
  if (!found) throw new Error('no Chromium or Chrome in PATH; set CHROMIUM to one');
  return found;
}

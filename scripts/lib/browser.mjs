import { accessSync, constants } from 'node:fs';
import { delimiter, extname, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const TYPES = new Map([
  ['.js', 'text/javascript'],
  ['.mjs', 'text/javascript'],
  ['.wasm', 'application/wasm'],
]);

/** The program of CHROMIUM, or the first Chromium or Chrome in PATH; undefined where there is none. */
export function findBrowser() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const given = process.env.CHROMIUM;
  const files = folders.flatMap((folder) => (given ? [given] : NAMES).map((name) => join(folder, name)));
  return [...(given && /[/\\]/.test(given) ? [given] : []), ...files].find(isProgram);
}

/**
 * What a browser has to be told of a file that a page loads; undefined for what is no part of a program.
 *
 * @param {string} path
 */
export function contentType(path) {
  return TYPES.get(extname(path));
}

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

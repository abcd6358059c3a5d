import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cacheFolder } from '../../src/data/cache';

it('keeps data where the platform keeps caches', () => {
  expect(cacheFolder('linux', {})).toBe(join(homedir(), '.cache', 'poiesis'));
  expect(cacheFolder('linux', { XDG_CACHE_HOME: '/x' })).toBe(join('/x', 'poiesis'));
  expect(cacheFolder('darwin', {})).toBe(join(homedir(), 'Library', 'Caches', 'poiesis'));
  expect(cacheFolder('win32', { LOCALAPPDATA: 'C:\\L' })).toBe(join('C:\\L', 'poiesis', 'Cache'));
});

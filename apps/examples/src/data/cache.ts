import { homedir } from 'node:os';
import { join } from 'node:path';

/** The user's cache folder for Poiesis, where each platform keeps such folders. */
export function cacheFolder(platform = process.platform, env: NodeJS.ProcessEnv = process.env): string {
  if (platform === 'win32') {
    return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'poiesis', 'Cache');
  }
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'poiesis');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'poiesis');
}

import type { Availability } from '../provider';

/** Tries to load an optional peer. `load` must hold the literal `import('package')`, so that bundlers see it. */
export async function tryImport(packageName: string, load: () => Promise<unknown>): Promise<Availability> {
  try {
    await load();
    return { ok: true, reason: `${packageName} is installed` };
  } catch (error) {
    const missing = isMissing(error, packageName);
    return {
      ok: false,
      reason: missing
        ? `${packageName} is not installed`
        : `${packageName} cannot be loaded (${String(error)})`,
      fix: `npm install ${packageName}`,
    };
  }
}

// Node says so by code; browsers and bundlers only in words.
function isMissing(error: unknown, packageName: string): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const code = 'code' in error ? error.code : undefined;
  const message = 'message' in error ? String(error.message) : '';
  return (
    (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND' || !code) && message.includes(packageName)
  );
}

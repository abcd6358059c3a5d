import { ArgumentError } from '../errors/argument-error';
import { BackendUnavailableError } from '../errors/backend-unavailable-error';
import { completeKernels } from './complete';
import { registerGradients } from './gradients';
import type { BackendOptions, BackendProvider } from './provider';
import { backendProviders, registry } from './registry';

/** What `useBackend` took. */
export interface ActiveBackend {
  name: string;
  /** What it computes on: `'CPU, 1 thread, wasm SIMD'`. */
  device: string;
  /** Why this one: what was better and is missing, or that it was asked for. */
  reason: string;
}

/**
 * Makes a backend current and gives it the kernels and gradients that it lacks.
 *
 * @param name a registered backend's name, or `'auto'` (default): the best that is available.
 * @returns what was taken, and why.
 * @throws BackendUnavailableError if the named one, or any at all, is not available; its `fix` says what would help.
 * @throws ArgumentError for an option that the backend refuses: another backend would not do what was asked for.
 *
 * Tensors of the backend that was current before stay usable; tfjs moves their data on the next use.
 */
export async function useBackend(
  name: 'auto' | (string & {}) = 'auto',
  options: BackendOptions = {},
): Promise<ActiveBackend> {
  return name === 'auto' ? best(options) : named(name, options);
}

async function named(name: string, options: BackendOptions): Promise<ActiveBackend> {
  const provider = registry().providers.get(name);
  if (!provider) {
    const known = backendProviders().map((p) => p.name);
    throw new BackendUnavailableError({
      backend: name,
      reason: `no provider of that name is registered (there are: ${known.join(', ')})`,
      fix: `import the package that brings it, for example import '@poiesis/backend-${name}', before useBackend`,
    });
  }
  const { ok, reason, fix } = await provider.available();
  if (!ok) throw new BackendUnavailableError({ backend: name, reason, fix: fix ?? "useBackend('auto')" });
  try {
    await start(provider, options);
  } catch (cause) {
    if (ArgumentError.isInstance(cause)) throw cause;
    throw new BackendUnavailableError({
      backend: name,
      reason: `it failed to start (${line(cause)})`,
      fix: "useBackend('auto') takes another one",
      cause,
    });
  }
  return { name, device: provider.device(), reason: 'asked for by name' };
}

async function best(options: BackendOptions): Promise<ActiveBackend> {
  const passed: string[] = [];
  const fixes: string[] = [];
  for (const provider of backendProviders()) {
    const { ok, reason, fix } = await provider.available();
    if (!ok) {
      passed.push(`${provider.name}: ${reason}`);
      if (fix) fixes.push(fix);
      continue;
    }
    try {
      await start(provider, options);
    } catch (cause) {
      if (ArgumentError.isInstance(cause)) throw cause;
      passed.push(`${provider.name}: failed to start (${line(cause)})`);
      continue;
    }
    const better = passed.length ? `; passed over ${passed.join(', ')}` : '';
    return { name: provider.name, device: provider.device(), reason: `best that is available${better}` };
  }
  throw new BackendUnavailableError({
    backend: 'auto',
    reason: passed.length ? passed.join(', ') : 'no provider is registered',
    fix: fixes[0] ?? 'npm install @tensorflow/tfjs-backend-wasm',
  });
}

async function start(provider: BackendProvider, options: BackendOptions): Promise<void> {
  await provider.activate(options);
  registerGradients();
  completeKernels(provider.name);
}

function line(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  return message.split('\n')[0]!.slice(0, 200);
}

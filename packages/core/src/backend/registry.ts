import type { BackendProvider } from './provider';

interface Registry {
  readonly providers: Map<string, BackendProvider>;
  /** Backends whose kernels have been completed; replaced kernels must not be wrapped twice. */
  readonly completed: Map<string, { added: string[]; corrected: string[] }>;
}

// On globalThis because a process may hold two copies of core (ESM beside CJS) but only one tfjs engine: a provider
// that registered with one copy must be found by the other.
const REGISTRY = Symbol.for('poiesis.backends');

export function registry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry };
  holder[REGISTRY] ??= { providers: new Map(), completed: new Map() };
  return holder[REGISTRY];
}

/** Adds a backend that `useBackend` can take. A provider of the same name is replaced. */
export function registerBackend(provider: BackendProvider): void {
  registry().providers.set(provider.name, provider);
}

/** The registered providers, best first. */
export function backendProviders(): BackendProvider[] {
  return [...registry().providers.values()].sort((a, b) => b.priority - a.priority);
}

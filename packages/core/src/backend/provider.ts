/** Wishes that `useBackend` hands to the provider. A backend package adds its own by declaration merging. */
export interface BackendOptions {
  /** Number of CPU threads, for backends that can choose. Default: the backend's own choice. */
  threads?: number;
}

/** Whether a backend can run here, and why (not). */
export interface Availability {
  ok: boolean;
  /** `'@tensorflow/tfjs-backend-wasm is not installed'`, `'no CUDA device'`, … No full stop. */
  reason: string;
  /** What to type or call so that it becomes available. */
  fix?: string;
}

/**
 * What a backend package registers with core. `name` is also the name under which the backend stands in tfjs:
 * after `activate`, `tf.getBackend() === name`.
 */
export interface BackendProvider {
  readonly name: string;
  /** `useBackend('auto')` tries the highest first. cpu is 0, wasm 10, native CPU code 50, a GPU 100. */
  readonly priority: number;
  /** Finds out without side effects that a user would notice. Never throws. */
  available(): Promise<Availability>;
  /** Makes it tfjs's current backend. May be called again with other options. */
  activate(options: BackendOptions): Promise<void>;
  /** What it computes on, after activation: `'CPU, 1 thread, wasm SIMD'`. */
  device(): string;
}

import './gradients';
import { cpuProvider } from './providers/cpu';
import { wasmProvider } from './providers/wasm';
import { registerBackend } from './registry';

registerBackend(cpuProvider);
registerBackend(wasmProvider);

export {
  BackendUnavailableError,
  type BackendUnavailableErrorDetails,
} from '../errors/backend-unavailable-error';
export { completeKernels } from './complete';
export type { Availability, BackendOptions, BackendProvider } from './provider';
export { backendProviders, registerBackend } from './registry';
export { type ActiveBackend, useBackend } from './use-backend';

export {
  type ActiveBackend,
  type Availability,
  type BackendOptions,
  type BackendProvider,
  BackendUnavailableError,
  type BackendUnavailableErrorDetails,
  backendProviders,
  completeKernels,
  registerBackend,
  useBackend,
} from './backend';
export {
  ArgumentError,
  type ArgumentErrorDetails,
  checkArgument,
  type ErrorDetails,
  PoiesisError,
} from './errors';

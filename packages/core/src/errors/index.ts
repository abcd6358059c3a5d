export { ArgumentError, type ArgumentErrorDetails, checkArgument } from './argument-error';
export { type ErrorDetails, PoiesisError } from './poiesis-error';

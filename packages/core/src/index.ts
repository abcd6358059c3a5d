export { ArgumentError, type ArgumentErrorDetails, checkArgument, type ErrorDetails, PoiesisError } from './errors';

import { type Engine, onBackend } from './engine';

/** In Node tfjs's wasm has one thread, whatever is asked for. */
export const start: Engine = (workload, threads) => onBackend('wasm', workload, { threads });

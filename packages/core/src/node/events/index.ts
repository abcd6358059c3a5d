export type { AppendOptions } from './append-file';
export { eventJson } from './event-json';
export { jsonlLog } from './jsonl-log';
export { type ProgressBarOptions, progressBar } from './progress-bar';
export { tensorBoardLog } from './tensorboard-log';

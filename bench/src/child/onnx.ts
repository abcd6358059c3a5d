import '@poiesis/backend-onnx';
import { type Engine, onBackend } from './engine';

export const start: Engine = (workload, threads) => onBackend('onnx', workload, { threads });

import { plainModels } from '../plain';
import type { Contender } from './contender';
import { nodeChild } from './node-child';

/** onnxruntime-node without us: a plain ONNX model of the workload, weights constant, as an exporter would write it. */
export const onnxruntime: Contender = {
  name: 'onnxruntime',
  async find(workload, threads) {
    if (workload in plainModels) return nodeChild('onnxruntime', workload, threads);
    return {
      absent: workload.endsWith('-train')
        ? 'its inference builds do not train'
        : 'there is no plain ONNX model of this workload',
    };
  },
};

import type { Prepared } from '../workload';

/** Builds a workload on onnxruntime-node alone. */
export type PlainModel = (threads: number) => Promise<Prepared>;

/** Inference workloads as plain ONNX models, their weights constant, by the workload's name. */
export const plainModels: Readonly<Record<string, () => Promise<PlainModel>>> = {
  'gpt2-decode': async () => (await import('./gpt2-decode')).plainGPT2Decode,
  'conv-infer': async () => (await import('./resnet')).plainResNet(16),
  'conv-infer-1': async () => (await import('./resnet')).plainResNet(1),
};

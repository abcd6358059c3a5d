import type { Workload } from '../workload';
import { clipEncode, clipEncodeOne } from './clip-encode';
import { clipTrain } from './clip-train';
import { convInfer, convInferOne } from './conv-infer';
import { dcganTrain } from './dcgan-train';
import { g2pBeam, g2pBeam64 } from './g2p-beam';
import { g2pTrain } from './g2p-train';
import { gptTrain } from './gpt-train';
import { gpt2Decode } from './gpt2-decode';
import { mlpTrain } from './mlp-train';

export const workloads: readonly Workload[] = [
  dcganTrain,
  gptTrain,
  gpt2Decode,
  g2pTrain,
  g2pBeam,
  g2pBeam64,
  mlpTrain,
  convInfer,
  convInferOne,
  clipTrain,
  clipEncode,
  clipEncodeOne,
];

export function workloadNamed(name: string): Workload {
  const workload = workloads.find((w) => w.name === name);
  if (!workload) throw new Error(`no workload ${name}; there are ${workloads.map((w) => w.name).join(', ')}`);
  return workload;
}

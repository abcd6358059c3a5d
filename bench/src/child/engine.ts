import { type BackendOptions, useBackend } from '@poiesis/core';
import { version_core } from '@tensorflow/tfjs-core';
import type { Prepared } from '../workload';
import { workloadNamed } from '../workloads';

/** A workload that is ready to run in this process, and what runs it. */
export interface Ready extends Prepared {
  engine: string;
  threads: number;
}

export type Engine = (workload: string, threads: number) => Promise<Ready>;

/** Prepares a workload on one of core's backends. */
export async function onBackend(backend: string, workload: string, options: BackendOptions): Promise<Ready> {
  const { device } = await useBackend(backend, options);
  const prepared = await workloadNamed(workload).prepare();
  const [, threads = '1', engine = device] = /^CPU, (\d+) threads?, (.*)$/.exec(device) ?? [];
  return { ...prepared, engine: `${engine}, tfjs-core ${version_core}`, threads: Number(threads) };
}

import type { Workload } from '../workload';
import { dcganTrain } from './dcgan-train';

export const workloads: readonly Workload[] = [dcganTrain];

export type { DCGANConfig, DCGANSize } from './dcgan/config';
export { DCGAN, type SampleOptions } from './dcgan/dcgan';
export { DCGANDiscriminator } from './dcgan/discriminator';
export { DCGANGenerator } from './dcgan/generator';
export type { Gan } from './gan';
export { type GanBatch, type GanStep, type GanStepOptions, ganStep } from './gan-step';
export { type GanObjective, type LogLikelihoodOptions, minimax, nonSaturating } from './objectives';

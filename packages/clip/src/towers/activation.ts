import type { Activation } from '@poiesis/attention';
import { gelu, quickGelu } from '@poiesis/core';
import type { ClipActivation } from '../config';

/** The functions that a configuration names. */
export const activations: Readonly<Record<ClipActivation, Activation>> = {
  gelu: (x) => gelu(x),
  quickGelu: (x) => quickGelu(x),
  geluTanh: (x) => gelu(x, 'tanh'),
};

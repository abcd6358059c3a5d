import { getKernelsForBackend } from '@tensorflow/tfjs-core';
import { registerComplex } from './complex';
import { registerConv3D } from './conv3d';
import { registerDepthwise } from './depthwise';
import { registerEinsum } from './einsum';
import { registerElementwise } from './elementwise';
import { fallback } from './fallback';
import { registerSequences } from './host';
import { registerImages } from './image';
import { registerLinear } from './linear';
import { registerMorphology } from './morphology';
import { registerNormalization } from './normalize';
import { registerPooling } from './pool';
import { registerReductions } from './reduce';
import { BACKEND, rawKernel } from './register';
import { registerResizing } from './resize';
import { registerSearch, registerUpdates } from './search';
import { registerShape } from './shape';
import { registerSpace } from './space';
import { registerUpdateRows } from './update-rows';

/** Registers every kernel that tfjs's cpu backend has: recorded where ONNX can, else run there. */
export function registerKernels(): void {
  registerElementwise();
  registerShape();
  registerReductions();
  registerLinear();
  registerDepthwise();
  registerPooling();
  registerResizing();
  registerUpdateRows();
  registerConv3D();
  registerEinsum();
  registerSequences();
  registerNormalization();
  registerSearch();
  registerUpdates();
  registerSpace();
  registerImages();
  registerMorphology();
  registerComplex();

  const recorded = new Set(getKernelsForBackend(BACKEND).map(({ kernelName }) => kernelName));
  for (const { kernelName } of getKernelsForBackend('cpu')) {
    if (!recorded.has(kernelName))
      rawKernel(kernelName, (call) => fallback(kernelName, call.backend, call.inputs, call.attributes));
  }
}

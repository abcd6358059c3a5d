import '@poiesis/testing';
import '@poiesis/backend-onnx';
import { setCompileCheck, useBackend } from '@poiesis/core';

await useBackend('onnx');
setCompileCheck(3);

import { InferenceSession } from 'onnxruntime-node';
import { GraphBuilder } from '../../../packages/backend-onnx/src/onnx/graph-builder';
import { splitModel } from '../../../packages/backend-onnx/src/onnx/write-model';

/** Builds a graph and makes it a session, with the runtime's own defaults but for the number of threads. */
export function plainSession(
  build: (graph: GraphBuilder) => void,
  threads: number,
): Promise<InferenceSession> {
  const graph = new GraphBuilder();
  build(graph);
  const { bytes, external } = splitModel(graph);
  return InferenceSession.create(bytes, { intraOpNumThreads: threads, externalData: [...external] });
}

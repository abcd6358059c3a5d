import { sameShape } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';

/**
 * Gradients of ReLU and LeakyReLU as products with a mask that one cheap operator makes.
 *
 * tfjs writes them with comparisons and selections, which ONNX Runtime runs five to ten times slower than a clamp:
 * - `step(relu(x))` becomes `clamp(1e30 · relu(x), 0, 1)`;
 * - `select(x > 0, dy, dy · α)` becomes `dy · clamp(1e30 · x, α, 1)`.
 * Both are exact for every x but positive denormals below 1e-30. At x = 0 they give 0 and α, as tfjs does.
 */
export function reluMasks(graph: Graph): void {
  for (const node of graph.nodes) {
    if (node.type === 'Step' && node.attrs.alpha === 0 && node.inputs[0]!.node?.type === 'Relu') {
      node.type = 'ReluMask';
      node.attrs = {};
    }
  }
  graph.nodes = graph.nodes.flatMap((node) => leakyGradient(node) ?? [node]);
}

function leakyGradient(node: GraphNode): GraphNode[] | undefined {
  if (node.type !== 'Select') return undefined;
  const [condition, dy, scaled] = node.inputs as [GraphValue, GraphValue, GraphValue];
  const compare = condition.node;
  const product = scaled.node;
  if (compare?.type !== 'Greater' || compare.inputs[1]!.splat !== 0 || product?.type !== 'Mul')
    return undefined;
  const x = compare.inputs[0]!;
  const [a, b] = product.inputs as [GraphValue, GraphValue];
  const alpha = a === dy ? b.splat : b === dy ? a.splat : undefined;
  if (alpha === undefined || alpha < 0 || alpha > 1 || x.dtype !== 'float32' || !sameShape(x.shape, dy.shape))
    return undefined;
  const mask: GraphNode = {
    type: 'LeakyMask',
    origin: node.origin,
    inputs: [x],
    attrs: { alpha },
    outputs: [],
  };
  const value: GraphValue = { shape: x.shape, dtype: 'float32', node: mask };
  mask.outputs.push(value);
  node.type = 'Mul';
  node.attrs = {};
  node.inputs = [dy, value];
  return [mask, node];
}

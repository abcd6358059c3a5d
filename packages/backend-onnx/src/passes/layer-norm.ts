import { sameShape, sizeOf } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';
import { madeBy, makeNode, operandsFrom, replaceValues, sortNodes, usersOf } from './rewrite';

/**
 * Standardized rows, `x̂ = (x − mean) / √(variance + ε)`, with or without the scale and shift of a layer
 * normalization, and their gradient: six passes over the data become one forward, eight become four backward.
 *
 * The forward node also gives mean and 1/σ, from which the backward pass makes x̂ again in one pass, cheaper than
 * keeping it.
 */
export function layerNorm(graph: Graph): void {
  forward(graph);
  backward(graph);
}

interface Standardized {
  x: GraphValue;
  mean: GraphValue;
  scale: GraphValue;
  epsilon: number;
}

function forward(graph: Graph): void {
  const users = usersOf(graph);
  const replaced = new Map<GraphValue, GraphValue>();
  const added: GraphNode[] = [];
  for (const node of graph.nodes) {
    const normal = node.outputs[0]!;
    const parts = standardized(node);
    if (!parts) continue;
    const { x, mean, scale, epsilon } = parts;
    const affine = affineOf(normal, users);
    const size = x.shape.at(-1)!;
    const inputs = affine ? [x, affine.weight, affine.bias] : [x];
    const rows = mean.shape;
    const fused: GraphNode = {
      type: 'LayerNorm',
      origin: node.origin,
      inputs,
      attrs: { epsilon, size },
      outputs: [],
    };
    fused.outputs = [x.shape, rows, rows].map((shape) => ({ shape, dtype: 'float32', node: fused }));
    const [y, newMean, newScale] = fused.outputs as [GraphValue, GraphValue, GraphValue];
    added.push(fused);
    replaced.set(mean, newMean).set(scale, newScale);
    if (!affine) {
      replaced.set(normal, y);
      continue;
    }
    replaced.set(affine.result, y);
    // The gradient reads the standardized rows themselves.
    const again = makeNode('Standardized', node.origin, [x, newMean, newScale], {}, x.shape);
    added.push(again);
    replaced.set(normal, again.outputs[0]!);
  }
  if (added.length === 0) return;
  graph.nodes.push(...added);
  replaceValues(graph, replaced);
  sortNodes(graph);
}

/** `(x − mean(x)) · rsqrt(mean((x − mean(x))²) + ε)` over the last axis. */
function standardized(node: GraphNode): Standardized | undefined {
  if (node.type !== 'Mul') return undefined;
  const operands = operandsFrom(node, (v) => madeBy(v, 'Rsqrt') !== undefined);
  const [scale, centred] = operands ?? [];
  const difference = madeBy(centred, 'Sub');
  if (!scale || !difference) return undefined;
  const [x, mean] = difference.inputs as [GraphValue, GraphValue];
  const sum = madeBy(scale.node!.inputs[0], 'Add');
  const [epsilon, variance] = (sum && operandsFrom(sum, (v) => v.splat !== undefined)) ?? [];
  const square = madeBy(meanOf(variance), 'Square');
  const fits = x.dtype === 'float32' && meanOf(mean) === x && square?.inputs[0] === centred && epsilon;
  return fits ? { x, mean, scale, epsilon: epsilon.splat! } : undefined;
}

/** What `value` is the mean of, over the last axis, which it keeps with length 1. */
function meanOf(value: GraphValue | undefined): GraphValue | undefined {
  const node = madeBy(value, 'Mean');
  const [x] = node?.inputs ?? [];
  if (!node || !x) return undefined;
  const last = x.shape.length - 1;
  const axes = node.attrs.axes as readonly number[];
  return axes.length === 1 && axes[0] === last && value!.shape.length === x.shape.length ? x : undefined;
}

/** The scale and shift that follow, where there is one pair of them. */
function affineOf(normal: GraphValue, users: ReturnType<typeof usersOf>) {
  const size = normal.shape.at(-1)!;
  // Only what is computed nowhere in here: where there is one row, the rows themselves have this shape.
  const isRow = (v: GraphValue) =>
    v.node === null && v.splat === undefined && sizeOf(v.shape) === size && v.shape.at(-1) === size;
  for (const user of users.get(normal) ?? []) {
    if (user?.type !== 'Mul') continue;
    const [weight] = operandsFrom(user, isRow) ?? [];
    const readers = users.get(user.outputs[0]!) ?? [];
    const shift = readers[0];
    if (!weight || readers.length !== 1 || shift?.type !== 'Add') continue;
    const [bias] = operandsFrom(shift, isRow) ?? [];
    if (bias && sameShape(shift.outputs[0]!.shape, normal.shape))
      return { weight, bias, result: shift.outputs[0]! };
  }
  return undefined;
}

/** `(dy − mean(dy) − x̂ · mean(dy · x̂)) · 1/σ`, where `dy` is often a gradient times the weight. */
function backward(graph: Graph): void {
  for (const node of graph.nodes) {
    if (node.type !== 'Mul') continue;
    const [a, b] = node.inputs as [GraphValue, GraphValue];
    for (const [scale, inner] of [
      [a, b],
      [b, a],
    ] as const) {
      if (scale.shape.at(-1) !== 1 || scale.splat !== undefined) continue;
      const parts = centredGradient(inner);
      if (!parts || !sameShape(inner.shape, node.outputs[0]!.shape)) continue;
      node.type = 'StandardizedGradient';
      node.attrs = {};
      node.inputs = [...parts, scale];
      break;
    }
  }
}

/** `[dy, x̂]` of `dy − mean(dy) − x̂ · mean(dy · x̂)`. */
function centredGradient(value: GraphValue): [dy: GraphValue, normal: GraphValue] | undefined {
  const outer = madeBy(value, 'Sub');
  const inner = madeBy(outer?.inputs[0], 'Sub');
  const along = madeBy(outer?.inputs[1], 'Mul');
  if (!inner || !along) return undefined;
  const [dy, mean] = inner.inputs as [GraphValue, GraphValue];
  if (dy.dtype !== 'float32' || meanOf(mean) !== dy) return undefined;
  const [projection, normal] = operandsFrom(along, (v) => meanOf(v)?.node?.type === 'Mul') ?? [];
  const product = meanOf(projection)?.node;
  const fits = product?.inputs.includes(dy) && product.inputs.includes(normal!);
  return fits && sameShape(normal!.shape, dy.shape) ? [dy, normal!] : undefined;
}

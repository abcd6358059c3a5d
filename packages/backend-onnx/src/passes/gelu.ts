import type { Graph, GraphNode, GraphValue } from './ir';
import { madeBy, makeNode, operandsFrom, scaled, sortNodes, splatValue, usersOf } from './rewrite';

const near = (value: number | undefined, expected: number) =>
  value !== undefined && Math.abs(value - expected) < 1e-6 * Math.abs(expected);

/**
 * GELU, `x · Φ(x)` with `Φ(x) = ½(1 + erf(x/√2))`, and its gradient `Φ(x) + x·φ(x)`, in fewer passes:
 * - without a gradient it is the runtime's own operator;
 * - with one, Φ is two passes instead of three, and `x·φ(x)` shares its `x/√2` and needs four instead of five:
 *   `c·x / exp((x/√2)²)`, which also is 0 where the exponential is infinite.
 */
export function gelu(graph: Graph): void {
  const users = usersOf(graph);
  const added: GraphNode[] = [];
  for (const node of graph.nodes) {
    const distribution = cdf(node);
    if (!distribution) continue;
    const { x, half, erf } = distribution;
    const value = node.outputs[0]!;
    const readers = users.get(value) ?? [];
    const [only] = readers;
    if (readers.length === 1 && only?.type === 'Mul' && only.inputs.includes(x)) {
      Object.assign(only, { type: 'Gelu', attrs: {}, inputs: [x] });
      continue;
    }
    Object.assign(node, { type: 'HalfShifted', attrs: {}, inputs: [erf] });
    for (const density of graph.nodes) {
      const factor = densityOf(density, x);
      if (factor === undefined) continue;
      const square = makeNode('Square', density.origin, [half], {}, x.shape);
      const exp = makeNode('Exp', density.origin, [square.outputs[0]!], {}, x.shape);
      const ratio = makeNode('Div', density.origin, [x, exp.outputs[0]!], {}, x.shape);
      added.push(square, exp, ratio);
      Object.assign(density, { type: 'Mul', attrs: {}, inputs: [ratio.outputs[0]!, splatValue(factor)] });
    }
  }
  if (added.length === 0) return;
  graph.nodes.push(...added);
  sortNodes(graph);
}

/** `Φ(x)`: `½ · (1 + erf(x/√2))`. */
function cdf(node: GraphNode): { x: GraphValue; half: GraphValue; erf: GraphValue } | undefined {
  const [sum, factor] = (node.type === 'Mul' && scaled(node.outputs[0]!)) || [];
  const shifted = madeBy(sum, 'Add');
  if (!shifted || factor !== 0.5) return undefined;
  const [, erf] = operandsFrom(shifted, (v) => v.splat === 1) ?? [];
  const half = madeBy(erf, 'Erf')?.inputs[0];
  const [x, scale] = scaled(half) ?? [];
  return x && near(scale, Math.SQRT1_2) ? { x, half: half!, erf: erf! } : undefined;
}

/** The factor `c` of `x · (c · exp(−½ x²))`. */
function densityOf(node: GraphNode, x: GraphValue): number | undefined {
  if (node.type !== 'Mul') return undefined;
  const [, weighted] = operandsFrom(node, (v) => v === x) ?? [];
  const [exponential, factor] = scaled(weighted) ?? [];
  const [square, scale] = scaled(madeBy(exponential, 'Exp')?.inputs[0]) ?? [];
  return scale === -0.5 && madeBy(square, 'Square')?.inputs[0] === x ? factor : undefined;
}

import { GraphBuilder } from '../onnx/graph-builder';
import type { Graph, GraphNode, GraphValue } from '../passes/ir';
import { sizeOf } from '../trace/graph';
import { angles } from './angle';
import { isBaked } from './baked';
import { LowerContext, type Lowering } from './context';
import { convolutions } from './conv2d';
import { volumes } from './conv3d';
import { crops } from './crop';
import { depthwise } from './depthwise';
import { elementwise } from './elementwise';
import { spectra } from './fft';
import { gelus } from './gelu';
import { layerNorms } from './layer-norm';
import { linear } from './linear';
import { morphology } from './morphology';
import { normalization } from './normalize';
import { pooling } from './pool';
import { reductions } from './reduce';
import { resizing } from './resize';
import { scans } from './scan';
import { searching } from './search';
import { shapeOps } from './shape';
import { rowUpdates } from './update-rows';

const lowerings: Record<string, Lowering> = {
  ...elementwise,
  ...shapeOps,
  ...rowUpdates,
  ...reductions,
  ...linear,
  ...layerNorms,
  ...gelus,
  ...convolutions,
  ...depthwise,
  ...pooling,
  ...resizing,
  ...spectra,
  ...morphology,
  ...crops,
  ...searching,
  ...scans,
  ...normalization,
  ...volumes,
  ...angles,
};

export interface LoweredProgram {
  graph: GraphBuilder;
  /** Leaf position → name of the ONNX input that takes it; leaves that became constants are absent. */
  feeds: Map<number, string>;
  /** Names of the program's outputs, in order. */
  outputs: string[];
}

/** Writes a graph as ONNX, operation by operation. */
export function lowerGraph(graph: Graph): LoweredProgram {
  const g = new GraphBuilder();
  const names = new Map<GraphValue, string>();
  /** Names of constants that are in the model. The same value may be fed to other nodes. */
  const baked = new Map<GraphValue, string>();
  const feeds = new Map<number, string>();

  const nameOf = (value: GraphValue, node: GraphNode | null = null, operand = 0): string => {
    if (isBaked(node, operand, value)) {
      const name = baked.get(value) ?? g.constant(value.dtype, value.shape, value.data as ArrayLike<number>);
      baked.set(value, name);
      return name;
    }
    const known = names.get(value);
    if (known) return known;
    const name = value.splat === undefined ? input(value) : filled(g, value);
    names.set(value, name);
    return name;
  };
  const input = (value: GraphValue): string => {
    if (value.leaf === undefined) throw new Error(`${value.node?.origin}: read before it was computed`);
    const name = `x${value.leaf}`;
    g.inputs.push({ name, dtype: value.dtype, dims: value.shape });
    feeds.set(value.leaf, name);
    return name;
  };

  graph.nodes.forEach((node, i) => {
    const lowering = lowerings[node.type];
    if (!lowering) throw new Error(`no lowering for ${node.type} (recorded by ${node.origin})`);
    g.origin = `${node.origin}#${i}`;
    const outputs = lowering(new LowerContext(g, node, (value, operand) => nameOf(value, node, operand)));
    const list = typeof outputs === 'string' ? [outputs] : outputs;
    node.outputs.forEach((value, k) => void names.set(value, list[k]!));
  });
  g.origin = 'output';
  const computed = new Set(g.nodes.flatMap((node) => node.outputs));
  const outputs = graph.outputs.map((value) => {
    let name = nameOf(value);
    // A graph output must be a node's own output, and named once.
    if (!computed.delete(name)) name = g.node('Identity', [name]);
    g.outputs.push({ name, dtype: value.dtype, dims: value.shape });
    return name;
  });
  return { graph: g, feeds, outputs };
}

/** A constant tensor of one value in its full shape. */
function filled(g: GraphBuilder, { shape, splat, dtype }: GraphValue): string {
  const size = sizeOf(shape);
  if (size <= 64) return g.constant(dtype, shape, new Array<number>(size).fill(splat!));
  return g.node('Expand', [g.scalar(splat!, dtype), g.ints(shape)]);
}

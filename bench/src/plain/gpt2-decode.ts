import { hostUniform, randomKey } from '@poiesis/core';
import { Tensor } from 'onnxruntime-node';
import type { GraphBuilder } from '../../../packages/backend-onnx/src/onnx/graph-builder';
import type { Prepared } from '../workload';
import { plainSession } from './session';

const [layers, heads, dim, vocabSize, blockSize, cached] = [12, 12, 768, 50257, 1024, 128];
const past = [1, heads, cached, dim / heads];

/**
 * One token through GPT-2 with 124 million parameters and a cache of 128 tokens, as exporters write it: keys and values
 * come in as `past` and go out as `present` with the new token's behind them. Every step starts from the same past.
 */
export async function plainGPT2Decode(threads: number): Promise<Prepared> {
  const [weights, draws, history] = randomKey(1).split(3);
  const session = await plainSession((graph) => {
    let count = 0;
    const fresh = (...shape: number[]) => {
      const n = shape.reduce((a, b) => a * b);
      const values = hostUniform(weights!.fold(count++), n, { min: -0.035, max: 0.035 }); // σ = 0.02
      return graph.constant('float32', shape, values);
    };
    buildGraph(graph, fresh);
  }, threads);
  const cache = Object.fromEntries(
    session.inputNames
      .filter((name) => name.startsWith('past'))
      .map((name, i) => {
        const values = hostUniform(history!.fold(i), cached * dim, { min: -1, max: 1 });
        return [name, new Tensor('float32', values, past)];
      }),
  );
  let [token] = hostUniform(draws!, 1, { max: vocabSize }).map(Math.floor) as unknown as [number];
  return {
    async step() {
      const id = new Tensor('int64', BigInt64Array.of(BigInt(token)), [1, 1]);
      const { logits } = await session.run({ ...cache, id });
      token = indexOfMax(logits!.data as Float32Array);
      return token;
    },
    dispose: () => void session.release(),
  };
}

function buildGraph(graph: GraphBuilder, fresh: (...shape: number[]) => string): void {
  const zeros = (n: number) => graph.constant('float32', [n], new Float32Array(n));
  const ones = (n: number) => graph.constant('float32', [n], new Float32Array(n).fill(1));
  const norm = (x: string) => graph.node('LayerNormalization', [x, ones(dim), zeros(dim)]);
  const affine = (x: string, from: number, to: number) =>
    graph.node('Add', [graph.node('MatMul', [x, fresh(from, to)]), zeros(to)]);

  /** `(1, 1, C)` → `(1, heads, 1, C / heads)`, which for one token is a reshape. */
  const byHead = (x: string) => graph.node('Reshape', [x, graph.ints([1, heads, 1, dim / heads])]);
  const withPast = (kind: 'key' | 'value', layer: number, x: string) => {
    const name = `past.${layer}.${kind}`;
    graph.inputs.push({ name, dtype: 'float32', dims: past });
    const present = graph.node('Concat', [name, byHead(x)], { axis: 2 });
    graph.outputs.push({ name: present, dtype: 'float32', dims: [1, heads, cached + 1, dim / heads] });
    return present;
  };

  const attention = (x: string, layer: number) => {
    const [q, k, v] = graph.nodeN('Split', [affine(x, dim, 3 * dim)], {
      attributes: { axis: -1, num_outputs: 3 },
      outputs: 3,
    }) as [string, string, string];
    const keys = graph.node('Transpose', [withPast('key', layer, k)], { perm: [0, 1, 3, 2] });
    const values = withPast('value', layer, v);
    const scores = graph.node('Div', [
      graph.node('MatMul', [byHead(q), keys]), // (1, heads, 1, cached + 1)
      graph.scalar(Math.sqrt(dim / heads)),
    ]);
    const y = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), values]);
    return affine(graph.node('Reshape', [y, graph.ints([1, 1, dim])]), dim, dim);
  };
  const mlp = (x: string) =>
    affine(graph.node('Gelu', [affine(x, dim, 4 * dim)], { approximate: 'tanh' }), 4 * dim, dim);

  graph.inputs.push({ name: 'id', dtype: 'int64', dims: [1, 1] });
  const wte = fresh(vocabSize, dim);
  const position = graph.node('Gather', [fresh(blockSize, dim), graph.ints([cached])]);
  let x = graph.node('Add', [graph.node('Gather', [wte, 'id']), position]);
  for (let layer = 0; layer < layers; layer++) {
    x = graph.node('Add', [x, attention(norm(x), layer)]);
    x = graph.node('Add', [x, mlp(norm(x))]);
  }
  const head = graph.node('Transpose', [wte], { perm: [1, 0] });
  graph.nodes.push({
    op: 'MatMul',
    domain: '',
    name: 'lm_head',
    inputs: [norm(x), head],
    outputs: ['logits'],
    attributes: {},
  });
  graph.outputs.push({ name: 'logits', dtype: 'float32', dims: [1, 1, vocabSize] });
}

function indexOfMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

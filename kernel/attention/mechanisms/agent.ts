import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import { depthwise, depthwiseParameters, depthwiseRows } from "../depthwise.js";
import type { Grid } from "../grid.js";
import { gridOf } from "../grid.js";
import { lengthsOf, table } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, product, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { mixed, perHead, products, scaleOf } from "../steps.js";

interface AgentOptions {
  readonly scale: Scale;
  /** How many agents stand between queries and keys. */
  readonly agents: number;
  /** Side of the kernels by which each channel of the values is convolved and added; 0 for none. */
  readonly kernel: number;
  /** The picture that is convolved. */
  readonly grid: Grid;
}

/** First and last + 1 query of an agent's share: adaptive average pooling. */
function shareOf(agent: number, agents: number, queries: number): [number, number] {
  return [Math.floor((agent * queries) / agents), Math.ceil(((agent + 1) * queries) / agents)];
}

function checkAgents(agents: number, queries: number): void {
  if (Number.isInteger(agents) && agents >= 1 && agents <= queries) return;
  throw new OptionError(
    `agent: agents must be a whole number from 1 to the number of queries, ${queries}, got ${agents}`,
  );
}

/** Mean queries of each share, [B,H,n,D]. */
function pooled(q: Value, agents: number, queries: number): Value {
  const weights = table(q, [agents, queries], (a, i) => {
    const [from, to] = shareOf(a, agents, queries);
    return i >= from && i < to ? 1 / (to - from) : 0;
  });
  return build.matMul(weights, q);
}

/**
 * A few agents read all keys and every query reads the agents: linear in length.
 *
 *   z = softmax(scale · q·Aᵀ) · softmax(scale · A·kᵀ) · v [+ DW(v)],  A = pooled queries [n,D]
 *
 * Range    rows sum to 1; the pattern has rank ≤ n, and leaves DW out
 * Source   Agent Attention, arXiv:2312.08874 eq. 4
 * Differs  without the paper's agent biases; agents are pooled along one axis; the depthwise convolution is off until asked for
 */
export const agent: Mechanism<AgentOptions> = mechanism<AgentOptions>({
  name: "agent",
  summary: "queries read a few agents, which read all keys",
  source: "arXiv:2312.08874 eq. 4",
  differs: "without biases; pooled along one axis; the depthwise convolution is off until asked for",
  rows: [52],
  defaults: { scale: "1/√D", agents: 4, kernel: 0, grid: "square" },
  promises: { sees: "all", rows: "one", mixesValues: true },
  cost: { time: "T·n·D", state: "not causal" },
  parameters: (sizes, { kernel }) => depthwiseParameters(sizes, kernel),
  build: ({ q, k, v, parameters }, { scale, agents, kernel, grid }) => {
    const sizes = sizesOf("agent", { q, k, v });
    const [queries] = lengthsOf("agent", sizes);
    checkAgents(agents, queries);
    const factor = scaleOf(scale, sizes.headDim);
    const between = pooled(q, agents, queries); // [B,H,n,D]
    const read = build.softmax(build.mul(products(between, k), factor), -1); // [B,H,n,K]
    const asked = build.softmax(build.mul(build.matMul(q, build.transpose(between, [0, 1, 3, 2])), factor), -1);
    const [pattern, z] = [build.matMul(asked, read), build.matMul(asked, mixed(read, v))];
    if (kernel === 0) return { pattern, z };
    const convolved = depthwise(perHead(v, sizes.heads), parameters["kernel"], gridOf("agent", grid, queries));
    return { pattern, z: build.add(z, build.add(convolved, build.unsqueeze(parameters["kernelBias"], [1]))) };
  },
  reference: ({ q, k, v, head, parameters }, { scale, agents, kernel, grid }) => {
    const factor = scaleOf(scale, q[0].length);
    const between = Array.from({ length: agents }, (_, a) => {
      const share = q.slice(...shareOf(a, agents, q.length));
      return q[0].map((_, d) => share.reduce((sum, row) => sum + row[d], 0) / share.length);
    });
    const softmaxed = (rows: typeof q, columns: typeof q): number[][] =>
      rows.map((row) => softmaxRow(columns.map((column) => factor * dot(row, column))));
    const pattern = product(softmaxed(q, between), softmaxed(between, k));
    if (kernel === 0) return { pattern };
    const place = { head, width: kernel, grid: gridOf("agent", grid, v.length) };
    const convolved = depthwiseRows(v, parameters["kernel"], place);
    const bias = parameters["kernelBias"].slice(head * v[0].length);
    return { pattern, z: product(pattern, v).map((row, t) => row.map((x, e) => x + convolved[t][e] + bias[e])) };
  },
  limits: [],
});

/** A directed graph with capacities; edges are kept with their reverse at the odd neighbour. */
export interface FlowNetwork {
  readonly heads: number[];
  readonly capacity: number[];
  /** By node: the edges that leave it. */
  readonly out: number[][];
}

export function flowNetwork(nodes: number): FlowNetwork {
  return { heads: [], capacity: [], out: Array.from({ length: nodes }, () => []) };
}

export function addEdge({ heads, capacity, out }: FlowNetwork, from: number, to: number, amount: number): void {
  out[from].push(heads.length);
  out[to].push(heads.length + 1);
  heads.push(to, from);
  capacity.push(amount, 0);
}

/**
 * The most that can flow from one node to another. The network stays as it is.
 *
 * Source   Dinic's algorithm, Sov. Math. Dokl. 11 (1970) 1277
 */
export function maxFlow({ heads, capacity, out }: FlowNetwork, source: number, sink: number): number {
  const left = Float64Array.from(capacity);
  // What rounding leaves of a full edge is no way.
  const isOpen = (edge: number): boolean => left[edge] > 1e-15;
  let total = 0;
  for (;;) {
    const depth = new Int32Array(out.length).fill(-1);
    depth[source] = 0;
    const queue = [source];
    for (const node of queue) {
      for (const edge of out[node]) {
        if (isOpen(edge) && depth[heads[edge]] === -1) {
          depth[heads[edge]] = depth[node] + 1;
          queue.push(heads[edge]);
        }
      }
    }
    if (depth[sink] === -1) return total;
    const tried = new Int32Array(out.length);
    const push = (node: number, amount: number): number => {
      if (node === sink) return amount;
      for (; tried[node] < out[node].length; tried[node]++) {
        const edge = out[node][tried[node]];
        const next = heads[edge];
        if (!isOpen(edge) || depth[next] !== depth[node] + 1) continue;
        const sent = push(next, Math.min(amount, left[edge]));
        if (sent > 0) {
          left[edge] -= sent;
          left[edge ^ 1] += sent;
          return sent;
        }
      }
      return 0;
    };
    for (let sent = push(source, Infinity); sent > 0; sent = push(source, Infinity)) total += sent;
  }
}

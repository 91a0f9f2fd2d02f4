import type { OnnxFile } from "../../graph/index.js";
import { initializersOf, producersOf } from "../../graph/index.js";
import type { NodeProto } from "../../graph/proto/onnx_pb.js";

/** Operators whose result tells the size of a tensor, not what is in it. */
const sizeOps: readonly string[] = ["Shape", "Size"];

/** A file's graph, asked from both ends. */
export class FileView {
  readonly nodes: readonly NodeProto[];
  readonly #producers: ReadonlyMap<string, number>;
  readonly #held: ReadonlySet<string>;
  readonly #inputs: ReadonlySet<string>;
  readonly #readers = new Map<string, NodeProto[]>();
  readonly #sources = new Map<string, ReadonlySet<string>>();

  constructor({ graph }: OnnxFile) {
    this.nodes = graph.node;
    this.#producers = producersOf(graph);
    this.#held = new Set(initializersOf(graph).keys());
    this.#inputs = new Set(graph.input.map(({ name }) => name));
    for (const node of graph.node) {
      for (const name of new Set(node.input)) {
        if (!this.#readers.has(name)) this.#readers.set(name, []);
        this.#readers.get(name)!.push(node);
      }
    }
  }

  /** The node that makes a tensor; undefined for inputs and weights. */
  producer(name: string | undefined): NodeProto | undefined {
    const at = name === undefined ? undefined : this.#producers.get(name);
    return at === undefined ? undefined : this.nodes[at];
  }

  /** The nodes that read a tensor, in order. */
  readers(name: string): readonly NodeProto[] {
    return this.#readers.get(name) ?? [];
  }

  /** Whether a tensor is a weight: one of the file as it is, or as its quantised form says. */
  isHeld(name: string): boolean {
    if (this.#held.has(name)) return true;
    const node = this.producer(name);
    const stored = node?.opType === "DequantizeLinear" ? node.input[0] : undefined;
    return node?.opType === "Constant" || (stored !== undefined && this.#held.has(stored));
  }

  /** The inputs of the file whose content, not only whose size, a tensor depends on. */
  sources(name: string): ReadonlySet<string> {
    const known = this.#sources.get(name);
    if (known) return known;
    const found = new Set<string>();
    const seen = new Set<string>();
    const open = [name];
    while (open.length > 0) {
      const next = open.pop()!;
      if (seen.has(next)) continue;
      seen.add(next);
      if (this.#inputs.has(next)) found.add(next);
      const node = this.producer(next);
      if (node && !sizeOps.includes(node.opType)) open.push(...node.input.filter((key) => key !== ""));
    }
    this.#sources.set(name, found);
    return found;
  }
}

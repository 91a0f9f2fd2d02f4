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

  isHeld(name: string): boolean {
    return this.#held.has(name) || this.producer(name)?.opType === "Constant";
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

import type { MimeBundle } from "../tensor/index.js";
import { showWith } from "../tensor/index.js";
import { modelDiagram, modelDiagramMime, modelDiagramText } from "../views/index.js";
import { diagram } from "./diagram.js";
import type { DescribedLevel } from "./levels.js";

/** What a description is made of. */
export interface DescriptionParts extends Pick<Description, "title" | "sizes" | "levels" | "notes"> {
  /** Asked when it is shown: digests of large files take a while. */
  readonly provenance?: () => Promise<Readonly<Record<string, string | number>>>;
}

/** What a model is made of, as plain values. Shows itself as a diagram, or as a tree in text. */
export class Description {
  readonly title: string;
  /** Layers, heads and widths in words, a line for each kind of attention. */
  readonly sizes: readonly string[];
  readonly levels: readonly DescribedLevel[];
  /** What was found in a file, or done to the weights. */
  readonly notes: readonly string[];
  readonly #provenance: NonNullable<DescriptionParts["provenance"]>;

  constructor({ title, sizes, levels, notes, provenance = () => Promise.resolve({}) }: DescriptionParts) {
    this.title = title;
    this.sizes = sizes;
    this.levels = levels;
    this.notes = notes;
    this.#provenance = provenance;
  }

  /** The tree: activations of one part and one shape share a line. */
  toString(): string {
    return modelDiagramText(this);
  }

  async bundle(): Promise<MimeBundle> {
    const { title, sizes, levels, notes } = this;
    const payload = modelDiagram({ title, sizes, levels, notes, provenance: await this.#provenance() });
    return { [modelDiagramMime]: payload, "text/plain": this.toString(), "text/html": diagram(this) };
  }
}

showWith(Description.prototype, (description) => description.bundle());

import { OptionError, showWith } from "../tensor/index.js";
import { csvTable, escapeHtml, htmlTable, latexTable, markdownTable, textTable, type Column } from "./parts/table.js";

/** What reaches the positions of one prompt. */
export interface FlowSample {
  readonly tokens: readonly string[];
  /** By layer, [position][token of the input]; rows sum to 1. */
  readonly layers: readonly (readonly Float64Array[])[];
}

export interface TokenFlowParts {
  readonly caption: string;
  /** Which layers are in `samples`. */
  readonly layers: readonly number[];
  readonly samples: readonly FlowSample[];
}

interface Line {
  readonly position: number;
  readonly token: string;
  readonly share: number;
}

const columns: readonly Column<Line>[] = [
  { name: "position", of: ({ position }) => position },
  { name: "token", of: ({ token }) => token },
  { name: "share", of: ({ share }) => share },
];

/** From which input tokens the positions of each layer are made. Immutable; shows what reaches the last token. */
export class TokenFlow implements TokenFlowParts {
  readonly caption: string;
  readonly layers: readonly number[];
  readonly samples: readonly FlowSample[];

  constructor(parts: TokenFlowParts) {
    this.caption = parts.caption;
    this.layers = parts.layers;
    this.samples = parts.samples;
  }

  /**
   * What reaches one position after a layer, by input token.
   *
   * Throws   OptionError on a prompt, a layer or a position that is not there; negative positions count from the end
   */
  reaching(prompt: number, position: number, layer: number = this.layers.at(-1)!): readonly number[] {
    const row = this.samples[prompt]?.layers[this.layers.indexOf(layer)]?.at(position);
    if (!row) throw new OptionError(`reaching: no prompt ${prompt} with layer ${layer} and position ${position}`);
    return [...row];
  }

  toCsv(): string {
    return csvTable(this.#lines(0), columns);
  }

  toLatex(): string {
    return latexTable(this.#lines(0), columns);
  }

  toMarkdown(): string {
    return markdownTable(this.#lines(0), columns);
  }

  /** What reaches the last token of a prompt after the last layer. */
  #lines(prompt: number): readonly Line[] {
    const { tokens } = this.samples[prompt];
    return this.reaching(prompt, -1).map((share, position) => ({ position, token: tokens[position], share }));
  }

  /** The tables that it shows itself with. */
  get shown(): readonly { readonly title: string; readonly text: string; readonly html: string }[] {
    return this.samples.map((_, prompt) => {
      const lines = this.#lines(prompt);
      const title = `prompt ${prompt}: what reaches its last token after layer ${this.layers.at(-1)}`;
      return { title, text: textTable(lines, columns), html: htmlTable(lines, columns) };
    });
  }
}

showWith(TokenFlow.prototype, ({ caption, shown }) => ({
  "text/plain": [caption, ...shown.flatMap(({ title, text }) => [title, text])].join("\n"),
  "text/html": [caption, ...shown.map(({ title, html }) => `${escapeHtml(title)}</p>${html}<p>`)]
    .map((part, i) => (i === 0 ? `<p>${escapeHtml(part)}</p><p>` : part))
    .join("")
    .replace(/<p>$/, ""),
}));

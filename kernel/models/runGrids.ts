import type { HeadGridPayload } from "../views/index.js";
import { headGrid, headGridMime, headGrids, headGridsMime, headGridsText, headGridText } from "../views/index.js";
import type { MimeBundle, Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import type { Batch, Blueprint } from "./family.js";
import type { AttentionStack, Sequence } from "./attentionStack.js";
import { patternAt } from "./headPattern.js";
import { partsOf, realPositions, sequenceOf, stacksOf } from "./stacks.js";

/** What the grids of a run are made from. */
export interface GridParts {
  readonly title: string;
  readonly blueprint: Blueprint;
  readonly batch: Batch;
  readonly texts: readonly (string | undefined)[];
  readonly tokens: readonly (readonly string[])[];
  readonly decoderTokens: readonly (readonly string[])[] | undefined;
  readonly pictureTokens: readonly (readonly string[])[] | undefined;
  readonly captured: Readonly<Record<Address, Tensor>>;
  readonly provenance: Readonly<Record<string, string | number>>;
  /** The name under which a kernel finds the run again. */
  readonly sharedAs: string | undefined;
}

/** Whether a kept pattern has a negative weight, as some linear forms have; asked only of models that may. */
export function isSigned({ blueprint, captured }: Pick<GridParts, "blueprint" | "captured">): boolean {
  const addresses = blueprint.signed === true ? [...partsOf(blueprint, "pattern").keys()] : [];
  return addresses.some((address) => captured[address]?.numbers().some((weight) => weight < 0));
}

/** What the title of a figure says where it draws the sizes of weights. */
export const sizesOnly = "|weights|, some of which are negative";

/** Grid of one stack, padding left out of both axes. */
function gridOf(parts: GridParts, stack: AttentionStack, budgetBytes: number): HeadGridPayload {
  const { title, batch, blueprint, texts, tokens, decoderTokens, pictureTokens, captured, provenance, sharedAs } =
    parts;
  const { layers, heads, causal } = stack;
  const shown = (prompt: number, sequence: Sequence): { positions: readonly number[]; labels: readonly string[] } => {
    const positions = realPositions(batch, prompt, sequence);
    const labels = { prompt: tokens, decoder: decoderTokens, pictures: pictureTokens }[sequence]![prompt];
    return { positions, labels: positions.map((t) => labels[t]) };
  };
  const signed = isSigned(parts);
  const own = stack.name === "" ? title : `${title} · ${stack.name}`;
  const { patches } = batch;
  const patchGrid = patches && { rows: patches.rows, columns: patches.columns };
  return headGrid(
    {
      title: signed ? `${own} · ${sizesOnly}` : own,
      ...{ layers, heads, causal, provenance },
      // What a kernel would send of a head is signed.
      live: sharedAs === undefined || signed ? undefined : { run: sharedAs, stack: stack.name },
      samples: Array.from({ length: sequenceOf(batch, stack.queries).size }, (_, prompt) => {
        const [queries, keys] = [shown(prompt, stack.queries), shown(prompt, stack.keys)];
        const text = stack.queries === "pictures" ? undefined : texts[prompt];
        return {
          ...(text === undefined ? {} : { text }),
          ...(patchGrid && blueprint.pictures?.sequence === stack.keys ? { patchGrid } : {}),
          queryTokens: queries.labels,
          keyTokens: keys.labels,
          pattern: (layer: number, head: number): Float32Array => {
            const whole = captured[`${stack.path(layer)}.pattern`].slice(prompt, head);
            const pattern = patternAt(whole, queries.positions, keys.positions);
            return signed ? pattern.map(Math.abs) : pattern;
          },
        };
      }),
    },
    { budgetBytes },
  );
}

/** Bytes of one figure in a saved notebook. */
const figureBytes = 1_000_000;

/** The bundle of a run's patterns: one grid, or one per kind of attention. */
export function gridsOf(parts: GridParts): MimeBundle {
  const stacks = stacksOf(parts.blueprint);
  const grids = stacks.map((stack) => gridOf(parts, stack, Math.floor(figureBytes / stacks.length)));
  if (grids.length === 1) return { [headGridMime]: grids[0], "text/plain": headGridText(grids[0]) };
  const payload = headGrids(
    parts.title,
    stacks.map(({ name }, i) => ({ name, grid: grids[i] })),
  );
  return { [headGridsMime]: payload, "text/plain": headGridsText(payload) };
}

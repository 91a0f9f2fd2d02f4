import type { HeadScalars } from "attention-lab/views";
import { element } from "../../dom/element.js";
import type { Words } from "../../words.js";
import type { HeadAddress, HeadGridModel } from "./model.js";

/** A per-head number as it is named and written. */
export interface ScalarColumn {
  readonly name: keyof HeadScalars;
  readonly label: string;
  readonly explanation: string;
  readonly format: (value: number) => string;
}

/** The per-head numbers in the order in which they are shown. */
export function scalarColumns(words: Words): readonly ScalarColumn[] {
  const share = (value: number): string => value.toFixed(3);
  return [
    {
      name: "entropyNats",
      label: words.__("entropy"),
      explanation: words.__("−Σ A ln A over the keys, nats, mean over queries"),
      format: (value) => words.__("%1 nats", value.toFixed(2)),
    },
    {
      name: "max",
      label: words.__("largest"),
      explanation: words.__("largest weight of the pattern"),
      format: share,
    },
    {
      name: "firstTokenMass",
      label: words.__("first token"),
      explanation: words.__("weight on key 0, mean over queries"),
      format: share,
    },
    {
      name: "specialTokenMass",
      label: words.__("special tokens"),
      explanation: words.__("weight on special tokens such as [SEP], mean over queries"),
      format: share,
    },
    {
      name: "previousTokenMass",
      label: words.__("previous token"),
      explanation: words.__("weight on the key just before the query, mean over queries"),
      format: share,
    },
    {
      name: "meanDistance",
      label: words.__("distance"),
      explanation: words.__("mean distance from query to key, in tokens, weighted by attention"),
      format: (value) => words.__("%1 tokens", value.toFixed(1)),
    },
  ];
}

/** The numbers of one head as term and definition pairs. */
export function scalarList(model: HeadGridModel, sample: number, address: HeadAddress, words: Words): readonly Node[] {
  const { scalars, specialKeys } = model.sample(sample);
  const at = address.layer * model.payload.heads + address.head;
  const columns = scalarColumns(words).filter(({ name }) => name !== "specialTokenMass" || specialKeys.length > 0);
  return columns.map(({ name, label, explanation, format }) =>
    element(
      "div",
      { class: "jp-AttentionFocus-scalar", title: explanation },
      element("dt", {}, label),
      element("dd", {}, format(scalars[name][at] ?? 0)),
    ),
  );
}

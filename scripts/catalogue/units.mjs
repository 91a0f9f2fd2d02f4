// Masks and positions in the catalogue: one example of each, its picture, and what its documentation says.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { masks, maskTensor, mechanisms, positions } from "../../kernel/lib/attention/index.js";
import { figureOf } from "../../kernel/lib/figure/index.js";
import { constant, evaluate } from "../../kernel/lib/graph/index.js";
import { random, Tensor } from "../../kernel/lib/tensor/index.js";

/** Arguments of each mask, and how many queries ask where that is not all of 64 tokens. */
const maskExamples = {
  aligned: [{ patches: 16, condition: 40, count: 24 }],
  among: [{ tokens: [0, 9, 18, 27, 36, 45, 54, 63] }],
  blocks: [{ length: 16, halo: 4 }],
  causal: [],
  context: [{ length: 24 }],
  dilated: [{ count: 6, step: 4 }],
  documents: [Array.from({ length: 64 }, (_, token) => [0, 10, 17, 44].filter((first) => token >= first).length)],
  frames: [{ queries: 4, keys: 8 }],
  keywords: [{ subject: 40, count: 24, keywords: [4, 5] }],
  neighbourhood: [{ shape: [8, 8], window: 3 }],
  prefix: [{ length: 24 }],
  stripes: [{ shape: [8, 8], width: 2, direction: "columns" }],
  window: [{ length: 12, sinks: 2 }],
};
const queriesOf = { context: 40, frames: 32 };

/** Patterns of positions alone: every query and key is the same vector. */
const positionExamples = {
  alibi: (like) => ({ bias: positions.alibi(like, 1, { queries: 64, keys: 64 }) }),
  relative: (like) => ({ bias: positions.relative(like, constant(random(5).normal([64, 8], { dtype: "float64" }))) }),
  rotary: (like) => ({ q: positions.rotary(like, { base: 100 }), k: positions.rotary(like, { base: 100 }) }),
};
const helpers = ["alibiSlopes", "skew"];

const shown = (value) => JSON.stringify(value).replaceAll(/"(\w+)":/g, " $1: ").replaceAll(",", ", ").replaceAll("  ", " ").replaceAll("}", " }"); // prettier-ignore

function pictured(title, measure, [rows, columns], values) {
  const labels = (count) => Array.from({ length: count }, (_, at) => String(at));
  const payload = {
    ...{ view: "matrix", version: "1.0", title, provenance: {}, notes: [], measure, kind: "sequential", values },
    ...{ rows: { name: "query", labels: labels(rows) }, columns: { name: "key", labels: labels(columns) } },
  };
  return `${figureOf("application/vnd.attention-lab.matrix.v1+json", payload, { widthPx: 400, scale: "sqrt" })}\n`;
}

/** What stands above a function: its summary, and where it is from. */
function documentationOf(folder, name) {
  const place = fileURLToPath(new URL(`../../kernel/attention/${folder}/`, import.meta.url));
  for (const file of readdirSync(place)) {
    const text = readFileSync(place + file, "utf8");
    const end = text.indexOf(`\nexport function ${name}(`);
    if (end < 0) continue;
    const comment = text.slice(text.lastIndexOf("/**", end), end).replace(/^\/\*\*|\*\/\s*$/g, "").replace(/^ *\* ?/gm, ""); // prettier-ignore
    const [summary] = comment.trim().split("\n\n");
    const [, source = ""] = /^Source {3}([\s\S]*?)(?=\n[A-Z][a-z]+ {2,}|$(?![\s\S]))/m.exec(comment) ?? [];
    return { summary: summary.replace(/\s+/g, " "), source: source.replace(/\s+/g, " ").trim() };
  }
  throw new Error(`${folder}: no documentation of ${name}`);
}

function exampleOf(examples, kind, name) {
  if (Object.hasOwn(examples, name)) return examples[name];
  throw new Error(`scripts/catalogue/units.mjs: no example of ${kind}.${name}; add one`);
}

function maskUnit(name) {
  const given = exampleOf(maskExamples, "masks", name);
  const shape = [queriesOf[name] ?? 64, 64];
  const call = name === "documents" ? "(ids)" : `(${given.map(shown).join(", ")})`;
  return {
    ...{ name: `masks.${name}`, example: `\`masks.${name}${call}\``, ...documentationOf("masks", name) },
    picture: () => pictured(`masks.${name}`, "seen", shape, [...maskTensor(masks[name](...given), ...shape).numbers()]),
  };
}

function positionUnit(name) {
  const make = exampleOf(positionExamples, "positions", name);
  return {
    ...{ name: `positions.${name}`, example: "causal softmax over equal queries and keys", ...documentationOf("positions", name) }, // prettier-ignore
    picture: () => {
      const like = constant(new Tensor("float64", [1, 1, 64, 8], new Float64Array(64 * 8).fill(1)));
      const mask = constant(maskTensor(masks.causal(), 64, 64));
      const { pattern } = mechanisms.softmax.attend({ q: like, k: like, v: like, mask, ...make(like) });
      const weights = evaluate({ pattern })["pattern"].data;
      return pictured(`positions.${name}`, "weight of a key", [64, 64], Array.from(weights, (x) => Number(x.toPrecision(3)))); // prettier-ignore
    },
  };
}

/** Every mask and position with its documentation and a function that draws it. */
export const otherUnits = [
  ...Object.keys(masks).map(maskUnit),
  ...Object.keys(positions)
    .filter((name) => !helpers.includes(name))
    .map(positionUnit),
];

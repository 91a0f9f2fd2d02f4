// Writes docs/catalogue.md and its pictures from the registry of mechanisms.
//   npm run catalogue [-- --check]
// With --check nothing is written: it ends with 1 and says what is out of date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { format } from "prettier";
import * as analyses from "../kernel/lib/analyses/index.js";
import { masks, mechanisms, positions } from "../kernel/lib/attention/index.js";
import * as interventions from "../kernel/lib/interventions/index.js";
import { transformerOptions } from "../kernel/lib/models/transformer/make.js";
import * as probes from "../kernel/lib/probes/index.js";
import * as tasks from "../kernel/lib/tasks/index.js";
import { pictureOf, side } from "./catalogue/picture.mjs";
import { otherUnits } from "./catalogue/units.mjs";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const papers = JSON.parse(readFileSync(here("scripts/catalogue/papers.json"), "utf8"));
const transformer = Object.fromEntries(transformerOptions.map((name) => [name, name]));
const units = { analyses, interventions, masks, mechanisms, positions, probes, tasks, transformer };
const unitsByName = Object.entries(mechanisms).sort(([a], [b]) => (a < b ? -1 : 1));

/** Options of a picture where 64 tokens do not fill the defaults. */
const pictured = {
  coreContext: { group: 8, window: 8 },
  landmark: { block: 8 },
  anchored: { block: 8, threshold: 0.5 },
  hyperAttention: { block: 8, samples: 8, exactUpTo: 0 },
};

const sees = {
  mask: "what a mask shows it",
  causal: "by itself, nothing later",
  all: "by itself, any key",
};
const rows = {
  one: "weights ≥ 0 that sum to 1",
  "at most one": "weights ≥ 0 that sum to 1 or less",
  free: "any weights",
};

const shown = (value) => (typeof value === "string" ? `"${value}"` : JSON.stringify(value).replaceAll(",", ", "));
const listed = (record) =>
  Object.entries(record ?? {})
    .map(([name, value]) => `\`${name}\` = ${shown(value)}`)
    .join(", ");
const isEmpty = (record) => Object.keys(record ?? {}).length === 0;

function parametersOf(unit) {
  const sizes = { batch: 1, heads: "H", keyHeads: 2, valueHeads: 2, queries: 64, keys: 64, headDim: 8, valueDim: 8 };
  const specs = unit.parameters?.({ ...sizes, heads: 2 }, unit.optionsOf()) ?? {};
  return Object.entries(specs)
    .map(([name, { initial }]) => {
      const start = typeof initial === "number" ? `starts at ${+initial.toPrecision(4)}` : `normal, deviation ${+initial.std.toPrecision(3)}`; // prettier-ignore
      return `\`${name}\` (${start})`;
    })
    .join(", ");
}

function limitOf({ askedOn }, { when, options, parameters, gates, equals, with: theirs }) {
  const settings = [listed(options), listed(parameters), listed(gates)].filter((text) => text !== "");
  const on = askedOn?.queries === undefined ? [] : [`on ${askedOn.queries} tokens`];
  const other = `[${equals}](#${equals.toLowerCase()})${isEmpty(theirs) ? "" : ` with ${listed(theirs)}`}`;
  return `when ${when}${settings.length === 0 ? "" : ` (${[...settings, ...on].join(", ")})`} it is ${other}`;
}

function sectionOf([name, unit]) {
  const { summary, source, differs, promises, cost, defaults, gates, limits, stream } = unit;
  const options = pictured[name];
  const numbers = (unit.rows ?? []).map((row) => `${row} (${papers[row].title})`).join("; ");
  const facts = [
    ["Source", source],
    ["Differs", differs],
    ["Papers of the list", numbers],
    ["Options", listed(defaults) || "none"],
    ["Parameters", parametersOf(unit)],
    ["Gates", Object.entries(gates ?? {}).map(([gate, { per, range }]) => `\`${gate}\` per ${per.replace(/Channel/, " channel")} in ${range.map((x) => String(x).replace("Infinity", "∞")).join(" … ")}`).join(", ")], // prettier-ignore
    ["A query sees", sees[promises.sees]],
    ["Rows", `${rows[promises.rows]}${promises.mixesValues ? "; z is pattern · v" : "; z is more than pattern · v"}`],
    ["Time of a head, state of a decoder", cost && `${cost.time}; ${cost.state}`],
    ["Limits", limits.map((limit) => limitOf(unit, limit)).join("; ")],
    ["Token by token", stream && "it has a form with a state, equal to the one above"],
  ];
  return [
    `## ${name}`,
    `${summary[0].toUpperCase()}${summary.slice(1)}.`,
    `![Pattern of ${name}](catalogue/${name}.svg)${options ? `\n\nThe picture is made with ${listed(options)}.` : ""}`,
    facts
      .filter(([, text]) => text !== undefined && text !== "")
      .map(([field, text]) => `- **${field}**: ${text}`)
      .join("\n"),
  ].join("\n\n");
}

function otherSectionOf({ name, example, summary, source }) {
  const from = source === "" ? "" : `\n\n- **Source**: ${source}`;
  return `## ${name}\n\n${summary}\n\n![Picture of ${name}](catalogue/${name}.svg)\n\nThe picture is that of ${example}.${from}`;
}

/** Units by the number of their paper; names that no module has are errors. */
function paperRows() {
  const found = new Map();
  const put = (row, unit) => found.set(Number(row), [...(found.get(Number(row)) ?? []), unit]);
  for (const [name, unit] of unitsByName)
    for (const row of unit.rows ?? []) put(row, `[mechanisms.${name}](#${name.toLowerCase()})`);
  for (const [row, { units: named = [] }] of Object.entries(papers)) {
    for (const path of named) {
      const [module, name] = path.split(".");
      if (!Object.hasOwn(units, module) || !(name in units[module]))
        throw new Error(`paper ${row}: there is no ${path}`);
      const isShown = otherUnits.some((unit) => unit.name === path);
      put(row, isShown ? `[${path}](#${path.toLowerCase().replace(".", "")})` : `\`${path}\``);
    }
  }
  return [...found].sort(([a], [b]) => a - b);
}

function pageOf() {
  const found = paperRows();
  return [
    "# Catalogue of mechanisms, masks and positions",
    "This page is generated: `npm run catalogue` writes it from the registry, and a test says when it is out of date. What is promised here is held by the laws of [mechanisms.md](mechanisms.md).", // prettier-ignore
    `Every picture shows the weights of two heads on the same input, a smooth picture of ${side} × ${side} tokens (read row by row as a text by what has no grid), with initial parameters. What sees by a mask has a causal one; of what mixes channels, the weights of channels are shown.`, // prettier-ignore
    `${unitsByName.length} mechanisms: ${unitsByName.map(([name]) => `[${name}](#${name.toLowerCase()})`).join(", ")}.`,
    `Masks and positions: ${otherUnits.map(({ name }) => `[${name}](#${name.toLowerCase().replace(".", "")})`).join(", ")}; and the [papers of the list](#papers-of-the-list).`, // prettier-ignore
    ...unitsByName.map(sectionOf),
    ...otherUnits.map(otherSectionOf),
    "## Papers of the list",
    `Of the 200 papers that the project sets out to cover, ${found.length} stand here as units. A unit does what its section or its documentation says and no more; results of a paper are not claimed by its being listed.`, // prettier-ignore
    found.map(([row, names]) => `- ${row}, ${papers[row].title}: ${names.join(", ")}`).join("\n"),
  ].join("\n\n");
}

const page = await format(pageOf(), { parser: "markdown", printWidth: 120, proseWrap: "always" });
/** How each picture is drawn, and the title that it bears. */
const pictures = Object.fromEntries([
  ...unitsByName.map(([name, unit]) => [`${name}.svg`, { title: `${name}: two heads`, draw: () => pictureOf(unit, pictured[name]) }]), // prettier-ignore
  ...otherUnits.map(({ name, picture }) => [`${name}.svg`, { title: name, draw: picture }]),
]);
const folder = here("docs/catalogue");
const extra = existsSync(folder) ? readdirSync(folder).filter((file) => !Object.hasOwn(pictures, file)) : [];
if (values.check) {
  const path = here("docs/catalogue.md");
  const wrong = [
    ...(existsSync(path) && readFileSync(path, "utf8") === page ? [] : ["docs/catalogue.md is out of date"]),
    ...Object.keys(pictures).flatMap((file) => {
      if (!existsSync(`${folder}/${file}`)) return [`docs/catalogue/${file} is missing`];
      const text = readFileSync(`${folder}/${file}`, "utf8");
      return text.startsWith("<svg") && text.includes(`<title>${pictures[file].title}</title>`) ? [] : [`docs/catalogue/${file} is no picture of it`]; // prettier-ignore
    }),
    ...extra.map((file) => `docs/catalogue/${file} belongs to no unit`),
  ];
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) console.error("run: npm run catalogue");
  process.exitCode = wrong.length > 0 ? 1 : 0;
} else {
  mkdirSync(folder, { recursive: true });
  for (const file of extra) rmSync(`${folder}/${file}`);
  for (const [file, { draw }] of Object.entries(pictures)) writeFileSync(`${folder}/${file}`, draw());
  writeFileSync(here("docs/catalogue.md"), page);
  console.log(`docs/catalogue.md: ${unitsByName.length} mechanisms, ${paperRows().length} papers`);
}

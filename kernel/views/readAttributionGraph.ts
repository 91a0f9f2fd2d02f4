import {
  attributionGraphCaps,
  attributionGraphVersion,
  graphKinds,
  type AttributionGraphPayload,
} from "./attributionGraphPayload.js";
import { type Check, checksOf } from "./check.js";
import { headingCaps, readHeading } from "./heading.js";
import { readLiveName } from "./liveName.js";

const check: Check = checksOf("attribution graph");

/**
 * Checks an unknown value as the payload of an attribution graph and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readAttributionGraph(value: unknown): AttributionGraphPayload {
  const payload = readHeading(check, value, "attribution-graph", attributionGraphVersion);
  const caps = attributionGraphCaps;
  check.text(payload["measure"], "measure", caps.measureLength);
  const layers = check.count(payload["layers"], "layers", 1, caps.layers);
  const heads = check.count(payload["heads"], "heads", 1, caps.heads);
  const nodes = check.record(payload["nodes"], "nodes");
  const count = check.texts(nodes["name"], "nodes.name", 2, caps.nodes, caps.nameLength).length;
  const kinds = check.list(nodes["kind"], "nodes.kind", count, count);
  const inLayer = check.list(nodes["layer"], "nodes.layer", count, count);
  const ofHead = check.list(nodes["head"], "nodes.head", count, count);
  kinds.forEach((each, at) => {
    const kind = check.oneOf(each, `nodes.kind[${at}]`, graphKinds);
    const isOutside = kind === "input" || kind === "output";
    const isHead = kind === "head" || kind === "keys";
    check.count(inLayer[at], `nodes.layer[${at}]`, isOutside ? -1 : 0, isOutside ? -1 : layers - 1);
    check.count(ofHead[at], `nodes.head[${at}]`, isHead ? 0 : -1, isHead ? heads - 1 : -1);
  });
  const { tokens } = payload;
  if (tokens !== undefined) check.texts(tokens, "tokens", 1, caps.tokens, caps.tokenLength);
  if (nodes["position"] !== undefined) {
    const most = (tokens === undefined ? caps.tokens : (tokens as readonly string[]).length) - 1;
    for (const each of check.list(nodes["position"], "nodes.position", count, count)) {
      check.count(each, "nodes.position", -1, most);
    }
  }
  const edges = check.record(payload["edges"], "edges");
  const { length } = check.list(edges["from"], "edges.from", 1, caps.edges);
  for (const end of ["from", "to"]) {
    for (const node of check.list(edges[end], `edges.${end}`, length, length)) {
      check.count(node, `edges.${end}`, 0, count - 1);
    }
  }
  for (const input of check.list(edges["input"], "edges.input", length, length)) {
    check.oneOf(input, "edges.input", ["", "q", "k", "v"]);
  }
  check.numbers(edges["weight"], "edges.weight", length);
  const weights = edges["weight"] as readonly number[];
  const grows = weights.findIndex((weight, at) => at > 0 && Math.abs(weight) > Math.abs(weights[at - 1]));
  if (grows > 0) check.fail("edges.weight", "the largest first", weights[grows]);
  const all = check.record(payload["all"], "all");
  check.count(all["edges"], "all.edges", length, Number.MAX_SAFE_INTEGER);
  check.numbers([all["weight"]], "all.weight", 1);
  check.texts(payload["notes"], "notes", 0, headingCaps.notes, headingCaps.textLength);
  readLiveName(check, payload);
  return value as AttributionGraphPayload;
}

import { type Check, checksOf } from "./check.js";
import { headingCaps, readHeading } from "./heading.js";
import { modelDiagramCaps, modelDiagramVersion, type ModelDiagramPayload } from "./modelDiagramPayload.js";

const check: Check = checksOf("model diagram");

/**
 * Checks an unknown value as the payload of a model's diagram and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readModelDiagram(value: unknown): ModelDiagramPayload {
  const payload = readHeading(check, value, "model-diagram", modelDiagramVersion);
  const caps = modelDiagramCaps;
  for (const lines of ["sizes", "notes"])
    check.texts(payload[lines], lines, 0, headingCaps.notes, headingCaps.textLength);
  let activations = 0;
  check.list(payload["levels"], "levels", 1, caps.levels).forEach((entry, index) => {
    const place = `levels[${index}]`;
    const level = check.record(entry, place);
    const path = check.text(level["path"], `${place}.path`, caps.nameLength);
    const layers = check.count(level["layers"], `${place}.layers`, path === "" ? 0 : 1, path === "" ? 0 : caps.layers);
    const all = check.list(level["activations"], `${place}.activations`, 1, caps.activations);
    activations += all.length;
    if (activations > caps.activations) check.fail("levels", `at most ${caps.activations} activations`, activations);
    all.forEach((each, at) => checkActivation(each, `${place}.activations[${at}]`, layers));
  });
  return value as ModelDiagramPayload;
}

function checkActivation(value: unknown, place: string, layers: number): void {
  const caps = modelDiagramCaps;
  const activation = check.record(value, place);
  for (const name of ["address", "part", "name"]) check.text(activation[name], `${place}.${name}`, caps.nameLength);
  for (const size of check.list(activation["shape"], `${place}.shape`, 0, caps.axes)) {
    if (typeof size === "string") check.text(size, `${place}.shape`, 64);
    else check.count(size, `${place}.shape`, 0, Number.MAX_SAFE_INTEGER);
  }
  if (activation["only"] === undefined) return;
  for (const layer of check.list(activation["only"], `${place}.only`, 1, layers)) {
    check.count(layer, `${place}.only`, 0, layers - 1);
  }
}

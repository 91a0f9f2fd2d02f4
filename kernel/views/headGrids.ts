import { type Check, checksOf } from "./check.js";
import { headGridText } from "./headGridText.js";
import type { HeadGridPayload } from "./headGridPayload.js";
import { readHeadGrid } from "./readHeadGrid.js";

/** MIME type of several head grids; the major version is part of the name. */
export const headGridsMime = "application/vnd.attention-lab.head-grids.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const headGridsVersion = "1.0";

/** One kind of attention: what it is called, and its heads. */
export interface HeadGridStack {
  readonly name: string;
  readonly grid: HeadGridPayload;
}

/** The head grids of a model with several kinds of attention, such as those of an encoder, a decoder and across. Plain JSON. */
export interface HeadGridsPayload {
  readonly view: "head-grids";
  readonly version: string;
  readonly title: string;
  readonly stacks: readonly HeadGridStack[];
}

/** Upper limits; a reader refuses more. */
export const headGridsCaps: { readonly stacks: number; readonly nameLength: number; readonly titleLength: number } = {
  stacks: 16,
  nameLength: 64,
  titleLength: 512,
};

/** Throws PayloadError unless there are 1 … 16 stacks with different names. */
export function headGrids(title: string, stacks: readonly HeadGridStack[]): HeadGridsPayload {
  return readHeadGrids({ view: "head-grids", version: headGridsVersion, title, stacks });
}

/** The summaries of all stacks, one after the other. */
export function headGridsText({ stacks }: HeadGridsPayload): string {
  return stacks.map(({ grid }) => headGridText(grid)).join("\n\n");
}

const check: Check = checksOf("head grids");

/**
 * Checks an unknown value as a payload of several head grids and returns it, typed.
 *
 * Throws   PayloadError with a reason a reader can act on
 */
export function readHeadGrids(value: unknown): HeadGridsPayload {
  const { view, version, title, stacks } = check.record(value, "the payload");
  const { stacks: most, nameLength, titleLength } = headGridsCaps;
  check.oneOf(view, "view", ["head-grids"]);
  if (typeof version !== "string" || version.split(".")[0] !== headGridsVersion.split(".")[0]) {
    check.fail("version", `${headGridsVersion.split(".")[0]}.x; run the cell again or update the extension`, version);
  }
  check.text(title, "title", titleLength);
  const names = check.list(stacks, "stacks", 1, most).map((stack, i) => {
    const { name, grid } = check.record(stack, `stacks[${i}]`);
    if (name === "") check.fail(`stacks[${i}].name`, `1…${nameLength} characters`, name);
    readHeadGrid(grid);
    return check.text(name, `stacks[${i}].name`, nameLength);
  });
  if (new Set(names).size < names.length) check.fail("stacks", "different names", names.join(", "));
  return value as HeadGridsPayload;
}

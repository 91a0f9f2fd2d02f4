// @vitest-environment happy-dom
import { Widget } from "@lumino/widgets";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PayloadError, payloads, type PayloadMime } from "attention-lab/views";
import { AttentionRenderer } from "../../extension/src/renderer.js";
import { examples } from "../gallery/examples.js";
import { partAt, pathsOf, withPart, type PartPath } from "../views/payloadParts.js";

// A notebook from elsewhere may hold anything under our types. Every view there is goes through this table; one that comes later does so
// without a line, and does not compile without an example.

const long = "x".repeat(10_000_000);
const script = '"><script>globalThis.hacked = 1</script><img src=x onerror="globalThis.hacked = 1">\u202E\u0000';

interface Attack {
  readonly name: string;
  readonly payload: unknown;
}

/** The payload with each part of a kind replaced, one at a time. */
function replaced(valid: unknown, kind: (part: unknown) => boolean, part: (old: unknown) => unknown): Attack[] {
  return pathsOf(valid, 2)
    .filter((path) => kind(partAt(valid, path)))
    .map((path) => ({ name: path.join("."), payload: withPart(valid, path, part(partAt(valid, path))) }));
}

const isText = (part: unknown): boolean => typeof part === "string";
const isNumber = (part: unknown): boolean => typeof part === "number";
const isList = (part: unknown): part is unknown[] => Array.isArray(part) && part.length > 0;

const attacks: Readonly<Record<string, (valid: unknown) => Attack[]>> = {
  "10 MB of text": (valid) => replaced(valid, isText, () => long),
  "what is no number": (valid) => replaced(valid, isNumber, () => NaN),
  "an endless number": (valid) => replaced(valid, isNumber, () => 1e300),
  "an entry too few": (valid) => replaced(valid, isList, (list) => (list as unknown[]).slice(1)),
  "an entry too many": (valid) => replaced(valid, isList, (list) => [...(list as unknown[]), (list as unknown[])[0]]),
  "a million entries": (valid) => replaced(valid, isList, (list) => Array<unknown>(1e6).fill((list as unknown[])[0])),
  "a future version": (valid) => [{ name: "version", payload: withPart(valid, ["version"], "7.0") }],
};

function reasonOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(PayloadError);
    return (error as Error).message;
  }
}

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(900);
});
afterEach(() => {
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

/** What the extension shows of a payload in an untrusted notebook. */
async function shown(mime: PayloadMime, payload: unknown): Promise<HTMLElement> {
  const [mimeType, resolver, linkHandler, latexTypesetter] = [mime, null, null, null];
  const sanitizer = { sanitize: (text: string): string => text };
  const widget = new AttentionRenderer({ mimeType, resolver, sanitizer, linkHandler, latexTypesetter });
  Widget.attach(widget, document.body);
  await widget.renderModel({ trusted: false, data: { [mime]: payload as never }, metadata: {}, setData: vi.fn() });
  return widget.node;
}

describe.each(Object.keys(payloads) as PayloadMime[])("%s", (mime) => {
  const [make] = Object.values<() => unknown>(examples[mime]).slice(-1);
  const valid: unknown = JSON.parse(JSON.stringify(make?.()));
  const { read } = payloads[mime];

  it("is shown as a figure where nothing is wrong", async () => {
    const node = await shown(mime, valid);
    expect(node.querySelector(".jp-AttentionReason")).toBeNull();
    expect(node.querySelector('[role="group"]')).not.toBeNull();
  });

  it.each(Object.keys(attacks))("%s: a short reason, or a figure", async (name) => {
    const made = attacks[name](valid).map((attack) => ({ ...attack, reason: reasonOf(() => read(attack.payload)) }));
    const refused = made.filter(({ reason }) => reason !== undefined);
    // What is too much is refused wherever it stands.
    if (/MB|million|version/.test(name)) expect(refused).toHaveLength(made.length);
    for (const { name: place, reason } of refused) expect(reason?.length, place).toBeLessThan(300);
    const told = refused[0] && (await shown(mime, refused[0].payload));
    if (told) expect(told.querySelector("details.jp-AttentionReason p")?.textContent).toBe(refused[0].reason);
    for (const each of made.filter(({ reason }) => reason === undefined).slice(0, 3)) {
      const node = await shown(mime, each.payload);
      expect(node.querySelector(".jp-AttentionReason"), each.name).toBeNull();
      expect(node.querySelector('[role="group"]'), each.name).not.toBeNull();
    }
  });

  it("markup in all its texts at once stays text", async () => {
    const isTaken = (payload: unknown): boolean => reasonOf(() => read(payload)) === undefined;
    const place = (payload: unknown, path: PartPath): unknown => {
      const evil = withPart(payload, path, script);
      return typeof partAt(valid, path) === "string" && isTaken(evil) ? evil : payload;
    };
    const evil = pathsOf(valid, 3).reduce(place, valid);
    expect(JSON.stringify(evil)).toContain("hacked");
    const node = await shown(mime, evil);
    expect(node.querySelector(".jp-AttentionReason")).toBeNull();
    expect(node.textContent).toContain("script");
    expect(
      node.querySelectorAll("script, iframe, object, embed, link, img[src='x'], a[href^='javascript']"),
    ).toHaveLength(0);
    for (const part of node.querySelectorAll("*"))
      expect(part.getAttributeNames().filter((name) => name.startsWith("on"))).toEqual([]);
    expect("hacked" in globalThis).toBe(false);
  });
});

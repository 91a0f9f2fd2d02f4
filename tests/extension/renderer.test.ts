// @vitest-environment happy-dom
import { Widget } from "@lumino/widgets";
import { afterEach, describe, expect, it, vi } from "vitest";
import { headGridMime, payloads } from "attention-lab/views";
import extension from "../../extension/src/mime.js";
import { headGridExamples } from "../gallery/headGrid.js";

type Renderer = ReturnType<typeof factory.createRenderer>;
type Model = Parameters<Renderer["renderModel"]>[0];

if (Array.isArray(extension)) throw new Error("one extension expected");
const factory = extension.rendererFactory;
const made: Renderer[] = [];

const renderer = (mimeType: string = headGridMime): Renderer => {
  const widget = factory.createRenderer({
    mimeType,
    resolver: null,
    sanitizer: { sanitize: (text) => text },
    linkHandler: null,
    latexTypesetter: null,
  });
  made.push(widget);
  Widget.attach(widget, document.body);
  return widget;
};
const model = (value: unknown, trusted = false): Model => ({
  trusted,
  data: JSON.parse(JSON.stringify({ [headGridMime]: value })) as Model["data"],
  metadata: {},
  setData: vi.fn(),
});

afterEach(() => {
  for (const widget of made.splice(0)) widget.dispose();
  vi.restoreAllMocks();
});

describe("the renderer", () => {
  it("draws untrusted data, below rank 50, for every payload there is", () => {
    expect(factory.safe).toBe(true);
    expect(extension.rank).toBeLessThan(50);
    expect(factory.mimeTypes).toEqual(Object.keys(payloads));
  });

  it("shows a payload and replaces it by the next one, without writing to the model", async () => {
    const widget = renderer();
    const writes = vi.fn();
    const data = { ...model(headGridExamples["small"]()), setData: writes };
    await widget.renderModel(data);
    await widget.renderModel(data);
    expect(widget.node.querySelectorAll(".jp-AttentionHeadGrid")).toHaveLength(1);
    expect(writes).not.toHaveBeenCalled();
  });

  it.each<[string, unknown, RegExp]>([
    [
      "a newer payload",
      { ...headGridExamples["small"](), version: "2.0" },
      /expected payload version 1\.x, got "2\.0"; update the extension/,
    ],
    ["a broken payload", { version: "1.0" }, /view: expected "head-grid"/],
    ["no payload", null, /expected an object/],
    ["hostile text", { version: "<img src=x onerror=alert(1)>" }, /<img src=x/],
  ])("answers %s with the reason, as text", async (_, value, reason) => {
    const widget = renderer();
    await widget.renderModel(model(headGridExamples["small"]()));
    await expect(widget.renderModel(model(value))).resolves.toBeUndefined();
    expect(widget.node.querySelector("details p")!.textContent).toMatch(reason);
    expect(widget.node.querySelectorAll("img, canvas")).toHaveLength(0);
  });

  it("releases its view, also when it is disposed while the view loads", async () => {
    const widget = renderer();
    const loading = widget.renderModel(model(headGridExamples["small"]()));
    widget.dispose();
    await expect(loading).resolves.toBeUndefined();
    const other = renderer();
    await other.renderModel(model(headGridExamples["small"]()));
    const canvas = other.node.querySelector("canvas")!;
    other.dispose();
    expect(canvas.width).toBe(0);
  });
});

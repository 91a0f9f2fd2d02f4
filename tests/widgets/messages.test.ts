import { beforeEach, describe, expect, test } from "vitest";
import {
  Button,
  Checkbox,
  Dropdown,
  FloatSlider,
  HBox,
  HTML,
  IntSlider,
  VBox,
  type Widget,
} from "../../kernel/host/jupyter/widgets/index.js";
import { installFakeKernel, type Data, type Seen } from "./fakeKernel.js";

let front: ReturnType<typeof installFakeKernel>;
beforeEach(() => {
  front = installFakeKernel();
});

const commOf = (widget: Widget): Seen => front.comms.find(({ id }) => id === widget.id)!;
const stateOf = (widget: Widget): Data => commOf(widget).opened["state"] as Data;
const update = (state: Data): Data => ({ method: "update", state, buffer_paths: [] });
const show = (widget: Widget): Data =>
  (widget as unknown as Record<symbol, () => Data>)[Symbol.for("Jupyter.display")]();

describe("models", () => {
  test("a slider opens its layout, its style and itself, each naming its model and version", () => {
    const slider = new IntSlider({ value: 3, min: 1, max: 9, description: "layer", layout: { minWidth: "20em" } });
    expect(front.comms.map(({ target, metadata }) => [target, metadata])).toEqual(
      Array(3).fill(["jupyter.widget", { version: "2.1.0" }]),
    );
    const [layout, style, model] = front.comms.map(({ opened }) => opened["state"] as Data);
    expect(layout).toMatchObject({
      _model_module: "@jupyter-widgets/base",
      _model_name: "LayoutModel",
      _view_name: "LayoutView",
      min_width: "20em",
    });
    expect(style).toMatchObject({
      _model_module: "@jupyter-widgets/controls",
      _model_name: "SliderStyleModel",
      _view_module: "@jupyter-widgets/base",
      _view_name: "StyleView",
    });
    expect(model).toMatchObject({
      _model_module: "@jupyter-widgets/controls",
      _model_module_version: "2.0.0",
      _model_name: "IntSliderModel",
      _view_name: "IntSliderView",
      layout: `IPY_MODEL_${front.comms[0]?.id}`,
      style: `IPY_MODEL_${front.comms[1]?.id}`,
      ...{ value: 3, min: 1, max: 9, step: 1, description: "layer", disabled: false },
    });
    expect(commOf(slider).opened["buffer_paths"]).toEqual([]);
  });

  test.each([
    ["FloatSlider", () => new FloatSlider({ value: 0.5, max: 2 }), { value: 0.5, step: 0.1, readout_format: ".2f" }],
    ["Checkbox", () => new Checkbox({ value: true }), { value: true }],
    ["Dropdown", () => new Dropdown({ options: ["a", "b"], value: "b" }), { _options_labels: ["a", "b"], index: 1 }],
    ["Button", () => new Button({ buttonStyle: "primary" }), { button_style: "primary" }],
    ["HTML", () => new HTML({ value: "<b>x</b>" }), { value: "<b>x</b>" }],
  ] as const)("%s", (name, make, state) => {
    expect(stateOf(make())).toMatchObject({ _model_name: `${name}Model`, _view_name: `${name}View`, ...state });
  });

  test("boxes hold references, have no style, and take new children", () => {
    const [a, b] = [new Checkbox(), new IntSlider()];
    const box = new VBox([new HBox([a]), b]);
    expect(stateOf(box)["children"]).toEqual([`IPY_MODEL_${box.children[0]?.id}`, `IPY_MODEL_${b.id}`]);
    expect(stateOf(box)).not.toHaveProperty("style");
    box.children = [a];
    expect(commOf(box).sent).toEqual([update({ children: [`IPY_MODEL_${a.id}`] })]);
    expect(box.children).toEqual([a]);
  });

  test("a widget shows itself by its id, and as a line of text", () => {
    const slider = new IntSlider({ value: 4, max: 12 });
    expect(show(slider)).toEqual({
      "application/vnd.jupyter.widget-view+json": { version_major: 2, version_minor: 1, model_id: slider.id },
      "text/plain": "IntSlider(4 in 0…12)",
    });
    expect(show(new HBox([slider, new Button({ description: "Go" })]))["text/plain"]).toBe(
      'HBox(IntSlider(4 in 0…12), Button("Go"))',
    );
  });

  test("close takes the widget and its companions away", () => {
    const slider = new IntSlider();
    slider.close();
    expect(front.comms.map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
    const control = front.openControl();
    control.say({ method: "request_states" });
    expect(control.sent[0]?.["states"]).toEqual({});
  });
});

describe("messages", () => {
  test("a change of the front end is taken, echoed and told", () => {
    const slider = new IntSlider({ max: 10 });
    const heard: number[] = [];
    const handler = (value: number): unknown => heard.push(value);
    slider.on("change", handler);
    commOf(slider).say(update({ value: 7 }));
    expect(slider.value).toBe(7);
    expect(heard).toEqual([7]);
    expect(commOf(slider).sent).toEqual([{ method: "echo_update", state: { value: 7 }, buffer_paths: [] }]);
    slider.off("change", handler);
    commOf(slider).say(update({ value: 8 }));
    expect(heard).toEqual([7]);
  });

  test("a change of the kernel is sent and told once", () => {
    const box = new Checkbox();
    const heard: boolean[] = [];
    box.on("change", (value) => heard.push(value));
    box.value = true;
    box.value = true;
    expect(commOf(box).sent).toEqual([update({ value: true })]);
    expect(heard).toEqual([true]);
    box.description = "on";
    box.disabled = true;
    expect(commOf(box).sent.slice(1)).toEqual([update({ description: "on" }), update({ disabled: true })]);
  });

  test("what a front end may not set is put right, what is no message is passed over", () => {
    const slider = new IntSlider({ value: 2 });
    const comm = commOf(slider);
    comm.say(update({ value: "<img>", max: 1e9, unknown: 1 }));
    expect(slider.value).toBe(2);
    expect(comm.sent).toEqual([update({ value: 2, max: 100 })]);
    comm.say(update({ value: 101 }));
    for (const message of [null, 5, [], {}, { method: "update" }, { method: "update", state: 3 }, { method: "no" }]) {
      comm.say(message);
    }
    const menu = new Dropdown({ options: ["a"] });
    for (const index of [1, -1, 0.5, "0", null, "length"]) commOf(menu).say(update({ index }));
    expect(menu.value).toBe("a");
    expect(slider.value).toBe(2);
  });

  test("request_state gives the state as it is now", () => {
    const slider = new IntSlider();
    slider.value = 5;
    commOf(slider).say({ method: "request_state" });
    expect(commOf(slider).sent.at(-1)).toMatchObject({
      method: "update",
      state: { value: 5, _model_name: "IntSliderModel" },
    });
  });

  test("the control comm gives the states of all models, for a page that was reloaded", () => {
    const slider = new IntSlider();
    slider.value = 9;
    const control = front.openControl();
    control.say({ method: "request_states" });
    expect(control.sent).toHaveLength(1);
    const { method, states, buffer_paths } = control.sent[0] as { method: string; states: Data; buffer_paths: unknown };
    expect([method, buffer_paths]).toEqual(["update_states", []]);
    expect(Object.keys(states)).toHaveLength(3);
    expect(states[slider.id]).toMatchObject({
      model_name: "IntSliderModel",
      model_module: "@jupyter-widgets/controls",
      model_module_version: "2.0.0",
      state: { value: 9 },
    });
  });

  test("a dropdown tells values, not places; also values that are undefined", () => {
    const menu = new Dropdown<string | undefined>({ options: { none: undefined, mean: "m" }, value: "m" });
    const heard: (string | undefined)[] = [];
    menu.on("change", (value) => heard.push(value));
    commOf(menu).say(update({ index: 0 }));
    menu.value = "m";
    expect(heard).toEqual([undefined, "m"]);
  });

  test("clicks are told in order, one at a time", async () => {
    const button = new Button();
    const log: string[] = [];
    let count = 0;
    button.on("click", async () => {
      const n = ++count;
      log.push(`begin ${n}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(`end ${n}`);
    });
    for (let n = 0; n < 3; n++) commOf(button).say({ method: "custom", content: { event: "click" } });
    commOf(button).say({ method: "custom", content: { event: "hover" } });
    await expect
      .poll(() => log, { timeout: 60_000 })
      .toEqual(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
  });

  test("of the values that come while a handler awaits, the latest is told", async () => {
    const slider = new IntSlider({ max: 1000 });
    const heard: number[] = [];
    slider.on("change", async (value) => {
      heard.push(value);
      await new Promise((resolve) => setTimeout(resolve, 5));
    });
    for (let value = 1; value <= 200; value++) commOf(slider).say(update({ value }));
    expect(slider.value).toBe(200);
    await expect.poll(() => heard, { timeout: 60_000 }).toEqual([1, 200]);
  });
});

describe("refusals", () => {
  test.each([
    [() => new IntSlider({ value: 1.5 }), "IntSlider: value must be an integer, got 1.5"],
    [() => new IntSlider({ value: 101 }), "IntSlider: value must be in 0…100, got 101"],
    [() => new IntSlider({ min: 5, max: 1 }), "IntSlider: min must be at most max (1), got 5"],
    [() => new FloatSlider({ step: 0 }), "FloatSlider: step must be above 0, got 0"],
    [() => new IntSlider({ valu: 1 } as object), 'IntSlider: unknown option "valu"; did you mean "value"?'],
    [() => new IntSlider({ layout: { wdth: "1em" } as object }), 'unknown option "wdth"; did you mean "width"?'],
    [() => new Dropdown({ options: [] }), "Dropdown: options must be"],
    [() => new Dropdown({ options: ["a"], value: "b" }), 'Dropdown: value must be one of "a", got "b"'],
    [() => new Checkbox({ value: 1 as unknown as boolean }), "Checkbox: value must be true or false, got 1"],
    [() => new HBox([5 as unknown as Widget]), "HBox: each child must be a widget, got 5"],
    [() => new Button().on("press" as "click", () => 0), 'on: unknown event "press"; known: click'],
  ])("%s", (make, message) => {
    expect(make).toThrow(message);
  });

  test("a value refused leaves no model behind", () => {
    expect(() => new IntSlider({ value: -1 })).toThrow();
    expect(front.comms).toEqual([]);
    const slider = new IntSlider();
    expect(() => (slider.value = 500)).toThrow("IntSlider: value must be an integer in 0…100, got 500");
    expect(slider.value).toBe(0);
  });
});

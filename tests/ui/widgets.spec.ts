import { expect, test, type Locator } from "@playwright/test";
import { labWith } from "./lab.js";

const cells = [
  `import { Button, Checkbox, Dropdown, FloatSlider, HBox, HTML, IntSlider, VBox } from "attention-lab/widgets";
const layer = new IntSlider({ value: 3, min: 0, max: 11, description: "layer" });
const scale = new FloatSlider({ value: 1, min: 0, max: 2, step: 0.05, description: "scale" });
const mode = new Dropdown({ options: { mean: 1, zero: 2 }, description: "ablate" });
const causal = new Checkbox({ value: true, description: "causal" });
const run = new Button({ description: "Run", buttonStyle: "primary" });
const said = new HTML({ value: "<b>nothing yet</b>" });
new VBox([new HBox([layer, scale]), new HBox([mode, causal, run]), said])`,
  `layer.on("change", (value) => { said.value = \`<b>layer \${value}</b>\`; });
run.on("click", () => console.log(\`run \${layer.value} \${mode.value} \${causal.value}\`));`,
  `const waited = await new Promise<number>((done) => layer.on("change", done));
\`waited for \${waited}\``,
  `layer`,
];

const notebook = labWith("widgets.ipynb", cells);
const output = (at: number): Locator => notebook.lab.output(at);
const slider = (at: number): Locator => output(at).locator(".widget-slider .noUi-handle").first();

/** Runs a cell; the command itself would wait for its end. */
async function run(at: number): Promise<void> {
  await notebook.lab.cell(at).locator(".jp-InputPrompt").click();
  await notebook.lab.page.keyboard.press("Control+Enter");
}

test("all widgets appear, laid out in their boxes", async () => {
  await run(0);
  await expect(slider(0)).toBeVisible();
  await expect(output(0).locator(".widget-hbox")).toHaveCount(2);
  await expect(output(0).locator(".widget-slider")).toHaveCount(2);
  await expect(output(0).locator("select")).toHaveValue(/.*/);
  await expect(output(0).locator("input[type=checkbox]")).toBeChecked();
  await expect(output(0).locator("button.mod-primary")).toHaveText("Run");
  await expect(output(0)).toContainText("nothing yet");
  await notebook.lab.picture("widgets-light");
});

test("a change in the page reaches the kernel, whose answer reaches the page", async () => {
  await run(1);
  await expect(notebook.lab.cell(1).locator(".jp-InputPrompt")).toHaveText("[2]:");
  await slider(0).focus();
  await notebook.lab.page.keyboard.press("ArrowRight");
  await expect(output(0)).toContainText("layer 4");
  await output(0).locator("select").selectOption("zero");
  await output(0).locator("input[type=checkbox]").uncheck();
  await output(0).getByRole("button", { name: "Run" }).click();
  // The output of a handler stands below the cell that registered it.
  await expect(output(1)).toContainText("run 4 2 false");
});

test("a cell that awaits a change gets it", async () => {
  await run(2);
  await expect(notebook.lab.cell(2).locator(".jp-InputPrompt")).toHaveText("[*]:");
  await slider(0).focus();
  const began = Date.now();
  await notebook.lab.page.keyboard.press("ArrowRight");
  await expect(output(2)).toContainText("waited for 5");
  test.info().annotations.push({ type: "round trip while a cell awaits", description: `${Date.now() - began} ms` });
});

test("a second view of a widget follows the first", async () => {
  await run(3);
  await slider(3).focus();
  await notebook.lab.page.keyboard.press("ArrowRight");
  await expect(output(0).locator(".widget-readout").first()).toHaveText("6");
});

test("a reloaded page shows the values as they are in the kernel", async () => {
  const { lab } = notebook;
  await lab.command("docmanager:save");
  await lab.page.reload();
  await lab.page.locator(".jp-Notebook").waitFor();
  await lab.idle();
  await expect(output(0).locator(".widget-readout").first()).toHaveText("6");
  await expect(output(0).locator("input[type=checkbox]")).not.toBeChecked();
  await slider(0).focus();
  await lab.page.keyboard.press("ArrowRight");
  await expect(output(0)).toContainText("layer 7");
  await lab.theme("JupyterLab Dark");
  await lab.picture("widgets-dark");
  await lab.theme("JupyterLab Light");
});

test("nothing went wrong on the page", () => expect(notebook.lab.problems).toEqual([]));

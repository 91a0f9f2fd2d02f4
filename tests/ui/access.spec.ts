import { expect, test } from "@playwright/test";
import { axeFaults, forcedColourFaults, settledFaults } from "./figureFaults.js";
import { galleryLab } from "./galleryNotebook.js";

// Every view as it is used: as a table, by keys, in each theme, under forced colours, with less motion. By its name the longest file comes
// first, and the others fit beside it.
const opened = galleryLab("gallery-access.ipynb");

test("the table of every view has a caption and headings", async () => {
  const faults = await opened.everyFigure((figure) =>
    figure.evaluate(async (root) => {
      const buttons = [...root.querySelectorAll<HTMLElement>("button")].filter(
        (button) => button.ariaLabel === "View as table" && button.getClientRects().length > 0,
      );
      for (const button of buttons) button.click();
      // Figures draw in the next frame.
      for (let frame = 0; frame < 3; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
      const tables = [...root.querySelectorAll("table")];
      const bare = tables.filter(
        (table) => !table.caption?.textContent || !table.querySelector("th[scope]") || !table.tBodies[0]?.rows.length,
      );
      for (const button of buttons) button.click();
      return [
        ...(tables.length === 0 ? [`no table, ${buttons.length} buttons for one`] : []),
        ...bare.map(({ outerHTML }) => `a table without caption, headings or rows: ${outerHTML.slice(0, 200)}`),
      ];
    }),
  );
  expect(faults).toEqual([]);
});

test("keys pressed in any kind of control never edit the notebook, and Tab leads out of every view", async () => {
  const { page } = opened.lab;
  const seen: string[] = [];
  const faults = await opened.everyFigure(async (figure) => {
    // The first control of each kind that no figure before had, and the last control.
    const kinds = await figure.evaluate((root, known) => {
      const nodes = [
        ...root.querySelectorAll<HTMLElement>("button, select, input, summary, a[href], [tabindex='0']"),
      ].filter((node) => node.getClientRects().length > 0 && !node.hasAttribute("disabled") && node.tabIndex >= 0);
      nodes.at(-1)?.setAttribute("data-test-last", "");
      const kindOf = (node: HTMLElement): string => `${node.tagName} ${node.className}`;
      const kinds = [...new Set(nodes.map(kindOf))].filter((kind) => !known.includes(kind));
      kinds.forEach((kind, at) =>
        nodes.find((node) => kindOf(node) === kind)!.setAttribute("data-test-stop", String(at)),
      );
      return kinds;
    }, seen);
    seen.push(...kinds);
    const focus = (selector: string): Promise<void> =>
      figure.evaluate((root, which) => root.querySelector<HTMLElement>(which)?.focus(), selector);
    for (const at of kinds.keys()) {
      await focus(`[data-test-stop="${at}"]`);
      for (const key of ["b", "d", "d"]) await page.keyboard.press(key);
    }
    await focus("[data-test-last]");
    await page.keyboard.press("Tab");
    const left = await page.locator(".jp-Notebook .jp-Cell").count();
    return figure.evaluate(
      (root, [cells, expected]) => [
        ...(root.querySelector("[data-test-last]") ? [] : ["nothing takes the focus"]),
        ...(root.contains(document.activeElement) ? ["Tab does not lead out of it"] : []),
        ...(cells === expected ? [] : [`${cells} cells after its keys`]),
      ],
      [left, opened.bundles.length] as const,
    );
  });
  expect(faults).toEqual([]);
});

test("whatever has the focus shows a ring", async () => {
  const faults = await opened.everyFigure(async (figure) => {
    await figure.evaluate((root) => root.querySelector<HTMLElement>("button, select, [tabindex='0']")?.focus());
    // The browser shows rings after keys only.
    await opened.lab.page.keyboard.press("Shift");
    return figure.evaluate((root) => {
      const faults: string[] = [];
      const kinds = new Set<string>();
      for (const node of root.querySelectorAll<HTMLElement>("button, select, input, summary, [tabindex]")) {
        if (node.getClientRects().length === 0 || kinds.has(node.className)) continue;
        kinds.add(node.className);
        node.focus({ preventScroll: true, focusVisible: true });
        if (document.activeElement !== node) continue;
        // An item of a tree shows it on its row, not around its children.
        const ringed = [node, ...node.children].some((part) => {
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(part);
          return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
        });
        if (!ringed) faults.push(`no ring: ${node.outerHTML.slice(0, 160)}`);
      }
      return faults;
    });
  });
  expect(faults).toEqual([]);
});

for (const theme of ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"] as const)
  test(`${theme}: axe finds no fault in any view`, async () => {
    await opened.lab.theme(theme);
    const faults = await opened.everyFigure((figure) => axeFaults(figure, theme !== "JupyterLab Light"));
    expect(faults).toEqual([]);
  });

test("forced colours take no mark away", async () => {
  await opened.lab.theme("JupyterLab Light");
  const faults = await opened.everyFigure(async (figure) => [
    ...(await forcedColourFaults(opened.lab.page, figure)),
    ...(await settledFaults(figure)),
  ]);
  expect(faults).toEqual([]);
  await opened.lab.picture("gallery-forced-colours");
  await opened.lab.page.emulateMedia({ forcedColors: "none" });
});

test("nothing moves by itself where less motion is asked for", async () => {
  await opened.lab.page.emulateMedia({ reducedMotion: "reduce" });
  const faults = await opened.everyFigure((figure) =>
    figure.evaluate((root) =>
      [...root.querySelectorAll("*")]
        .filter((node) => node.getAnimations().length > 0 || /[1-9]/.test(getComputedStyle(node).transitionDuration))
        .map((node) => node.outerHTML.slice(0, 160)),
    ),
  );
  expect(faults).toEqual([]);
  await opened.lab.page.emulateMedia({ reducedMotion: "no-preference" });
});

test("nothing went wrong on the page", () => expect(opened.lab.problems).toEqual([]));

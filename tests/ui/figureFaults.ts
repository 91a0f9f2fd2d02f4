import { createRequire } from "node:module";
import type { Locator, Page } from "@playwright/test";

/**
 * What is wrong with a drawn figure, in words; empty where all is well: a picture of more than one colour is visible and nothing is cut
 * off; the figure has a role and a name; whatever takes the focus has a role, a name, and keeps its keys from the notebook; one live
 * region; every picture is named or hidden from screen readers; ids are unique.
 */
export function figureFaults(figure: Locator): Promise<readonly string[]> {
  return figure.evaluate((root) => {
    const faults: string[] = [];
    const say = (fault: string, node: Element): void =>
      void faults.push(`${fault}: ${node.outerHTML.replace(/\s+/g, " ").slice(0, 160)}`);
    const visible = (node: Element): boolean => node.getClientRects().length > 0;
    if (root.querySelector(".jp-AttentionReason")) say("a reason instead of a figure", root);

    const blank = (canvas: HTMLCanvasElement): boolean => {
      if (canvas.width === 0 || canvas.height === 0) return true;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const words = new Uint32Array(data.buffer);
      return words.every((word) => word === words[0]);
    };
    const canvases = [...root.querySelectorAll("canvas")].filter(visible);
    for (const canvas of canvases.filter(blank)) say("a canvas without a picture", canvas);
    const drawings = [...root.querySelectorAll("svg")].filter((node) => node.getBoundingClientRect().width > 40);
    // Some views are words: strips of tokens, diagrams that fold.
    const words = [...root.querySelectorAll("bdi, td, li, button, [role=treeitem]")].filter(visible).length;
    if (canvases.length + drawings.length === 0 && words < 3) say("nothing drawn", root);
    const beyond = root.scrollWidth - root.clientWidth;
    if (beyond > 1) {
      const { right } = root.getBoundingClientRect();
      const widest = [...root.querySelectorAll("*")].find(
        (node) => node.getBoundingClientRect().right > right + 1 && visible(node),
      );
      say(`cut off by ${beyond} px`, widest ?? root);
    }

    const nameOf = (node: Element): string =>
      node.getAttribute("aria-label") ??
      (node.getAttribute("aria-labelledby") ?? "")
        .split(" ")
        .map((id) => (id && document.getElementById(id)?.textContent) ?? "")
        .join("")
        .trim();
    const figures = root.querySelectorAll(".jp-AttentionFigure");
    if (figures.length === 0) say("no figure", root);
    for (const node of figures) {
      if (node.getAttribute("role") !== "group" || nameOf(node) === "") say("no role or name", node);
      if (node.querySelectorAll('[aria-live="polite"]').length === 0) say("no live region", node);
    }
    const native = /^(BUTTON|SELECT|INPUT|SUMMARY|A|TEXTAREA)$/;
    for (const node of root.querySelectorAll<HTMLElement>(
      "button, select, input, summary, a[href], textarea, [tabindex]",
    )) {
      if (!visible(node) && node.getAttribute("role") !== "gridcell") continue;
      if (!native.test(node.tagName) && !node.getAttribute("role")) say("takes the focus without a role", node);
      const labelled = nameOf(node) || node.title || node.textContent?.trim() || node.closest("label")?.textContent;
      if (!labelled) say("takes the focus without a name", node);
      if (!node.hasAttribute("data-lm-suppress-shortcuts")) say("its keys reach the notebook", node);
    }
    for (const node of [...canvases, ...drawings]) {
      const hidden = node.closest('[aria-hidden="true"]');
      const named = node.closest(
        '[role="img"], [role="application"], [role="grid"], [role="figure"], [role="group"]:not(.jp-AttentionFigure)',
      );
      if (!hidden && !(named && nameOf(named))) say("a picture without a name", node);
    }
    const ids = [...root.querySelectorAll("[id]")].map(({ id }) => id);
    for (const id of new Set(ids))
      if (document.querySelectorAll(`#${CSS.escape(id)}`).length > 1) say(`id ${id} is taken twice`, root);
    return faults;
  });
}

/** What is wrong with a figure, once it has had time: JupyterLab tells figures of a new size up to a second late while it scrolls. */
export async function settledFaults(figure: Locator): Promise<readonly string[]> {
  let faults = await figureFaults(figure);
  for (let round = 0; round < 6 && faults.length > 0; round++) {
    await figure.page().waitForTimeout(400);
    faults = await figureFaults(figure);
  }
  return faults;
}

/** What axe finds in a part of the page; by colours alone where `colours` is set. */
export async function axeFaults(part: Locator, colours: boolean): Promise<readonly string[]> {
  const page = part.page();
  if (!(await page.evaluate(() => "axe" in window)))
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
  return part.evaluate(async (node, coloursOnly) => {
    interface Violation {
      readonly id: string;
      readonly impact: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
    }
    const { axe } = window as unknown as {
      axe: { run(context: Element, options: object): Promise<{ violations: readonly Violation[] }> };
    };
    const options = { resultTypes: ["violations"], ...(coloursOnly ? { runOnly: ["color-contrast"] } : {}) };
    const { violations } = await axe.run(node, options);
    return violations.flatMap(({ id, impact, nodes }) =>
      nodes
        .slice(0, 3)
        .map(({ html, failureSummary }) => `${impact} ${id}: ${html.slice(0, 160)} — ${failureSummary.slice(0, 200)}`),
    );
  }, colours);
}

/**
 * Marks that are nothing but colour and vanish under forced colours: parts without words and with a background of their own, which there
 * becomes that of the page.
 */
export async function forcedColourFaults(page: Page, figure: Locator): Promise<readonly string[]> {
  const marks = (): Promise<readonly { readonly html: string; readonly filled: boolean }[]> =>
    figure.evaluate((root) => {
      const paper = getComputedStyle(document.body).backgroundColor;
      return [...root.querySelectorAll<HTMLElement>("*")]
        .filter(
          (node) =>
            !/^(CANVAS|INPUT|PROGRESS)$/.test(node.tagName) &&
            node.childElementCount === 0 &&
            !node.textContent &&
            node.getClientRects().length > 0,
        )
        .map((node) => {
          const { backgroundColor, backgroundImage, borderTopStyle, forcedColorAdjust } = getComputedStyle(node);
          const coloured =
            !/^rgba\(.*, 0\)$/.test(backgroundColor) && (forcedColorAdjust === "none" || backgroundColor !== paper);
          const filled =
            coloured || /gradient/.test(backgroundImage) || (borderTopStyle !== "none" && forcedColorAdjust === "none");
          return { html: node.outerHTML.slice(0, 160), filled };
        });
    });
  await page.emulateMedia({ forcedColors: "none" });
  const usual = await marks();
  await page.emulateMedia({ forcedColors: "active" });
  const forced = await marks();
  return usual
    .filter(({ filled }, at) => filled && forced[at]?.filled === false)
    .map(({ html }) => `gone under forced colours: ${html}`);
}

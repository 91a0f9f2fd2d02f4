// What a reader waits for at a figure that is linked with its kernel, in JupyterLab in a real Chromium: another head of 2048 tokens
// in full, and the acknowledgement of an ablation while the kernel is idle, awaits, or computes. Prints one JSON line per figure.
import { fileURLToPath } from "node:url";
import { openLab } from "./lab.mjs";

const oracle = (name) => JSON.stringify(fileURLToPath(new URL(`../oracles/models/${name}`, import.meta.url)));
const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1];
const report = (name, times, budgetMs, parts = {}) => {
  const [medianMs, p95Ms] = [0.5, 0.95].map((share) => Number(quantile(times, share).toFixed(1)));
  console.log(
    JSON.stringify({ name, medianMs, p95Ms, count: times.length, budgetMs, within: medianMs <= budgetMs, ...parts }),
  );
};

const cells = [
  `import { load } from "attention-lab";
const long = await load(${oracle("bloom")});
const run = await long.run({ inputIds: [Array.from({ length: 2048 }, (_, i) => 3 + ((i * 7) % 29))] });
run`,
  `const model = await load(${oracle("gpt2")});
const short = await model.run({ inputIds: [[5, 6, 7, 8, 9, 10, 11, 12]] });
short`,
  `await new Promise<void>(() => undefined);`,
  `for (const end = Date.now() + 4000; Date.now() < end; );`,
];

// The times at which messages leave the page and reach it.
const watchSockets = () => {
  const seen = (globalThis.socketTimes = { sent: [], received: [] });
  const { send } = globalThis.WebSocket.prototype;
  globalThis.WebSocket.prototype.send = function (data) {
    seen.sent.push([globalThis.performance.now(), data.byteLength ?? data.length]);
    return send.call(this, data);
  };
  const Plain = globalThis.WebSocket;
  globalThis.WebSocket = class extends Plain {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) =>
        seen.received.push([globalThis.performance.now(), data.byteLength ?? data.length]),
      );
    }
  };
};

const lab = await openLab(cells, { script: watchSockets });
try {
  await lab.run(0);
  await lab.live(0);
  const matrix = lab.figure(0).locator(".jp-AttentionFocus-matrix");
  await lab.figure(0).locator("[role=gridcell]").first().click();
  await matrix.and(lab.page.locator('[data-block="4"]')).waitFor();
  const heads = await lab.figure(0).locator("[role=gridcell]").count();
  // From the click to the frame that shows the head as fine as the screen is; each head once, its tile not there yet.
  const switched = [];
  for (let at = 1; at < heads; at++) {
    const times = await lab.figure(0).evaluate(async (figure, index) => {
      const focus = figure.querySelector(".jp-AttentionFocus-matrix");
      const seen = globalThis.socketTimes;
      seen.sent.length = seen.received.length = 0;
      const start = globalThis.performance.now();
      const marks = [];
      await new Promise((resolve) => {
        // Told after the frame has been drawn, before anything else happens.
        const watch = new globalThis.MutationObserver(() => {
          figure.querySelector(".jp-AttentionFocus-canvas").getContext("2d").getImageData(0, 0, 1, 1);
          marks.push(globalThis.performance.now() - start);
          if (focus.dataset.block !== "4") return;
          watch.disconnect();
          resolve();
        });
        watch.observe(focus, { attributes: true, attributeFilter: ["data-block"] });
        figure.querySelectorAll("[role=gridcell]")[index].click();
      });
      const [first, drawn] = marks.length > 1 ? marks : [0, marks[0]];
      const tile = seen.received.find(([, bytes]) => bytes > 100_000);
      return { drawn, first, asked: seen.sent[0][0] - start, came: tile[0] - start };
    }, at);
    switched.push(times);
    await lab.page.waitForTimeout(300);
  }
  const part = (of) => Number(quantile(switched.map(of), 0.5).toFixed(1));
  report(
    "head switch through a tile, T = 2048, click to drawn",
    switched.map(({ drawn }) => drawn),
    120,
    {
      pooledShownMs: part(({ first }) => first),
      askedMs: part(({ asked }) => asked),
      cameMs: part(({ came }) => came),
    },
  );

  // From the click to the frame that says so, and to the frame that shows that the kernel has heard of it.
  await lab.run(1);
  await lab.live(1);
  const cellCount = await lab.figure(1).locator("[role=gridcell]").count();
  let next = 0;
  const acknowledged = async (times) => {
    const all = [];
    for (; times > 0 && next < cellCount; times--, next++) {
      all.push(
        await lab.figure(1).evaluate(async (figure, index) => {
          const start = globalThis.performance.now();
          const cell = figure.querySelectorAll("[role=gridcell]")[index];
          cell.dispatchEvent(new globalThis.MouseEvent("click", { bubbles: true, altKey: true }));
          const marks = {};
          return new Promise((resolve) => {
            const look = () => {
              const ms = globalThis.performance.now() - start;
              const note = figure.querySelector(".jp-AttentionAblation-note").textContent;
              const isDone = cell.classList.contains("jp-mod-ablated");
              if (isDone || !figure.querySelector(".jp-AttentionAblation-progress").hidden) marks.busy ??= ms;
              if (isDone || /The model runs|Comparing/.test(note)) marks.heard ??= ms;
              if (isDone) resolve({ ...marks, done: ms });
              else globalThis.requestAnimationFrame(look);
            };
            globalThis.requestAnimationFrame(look);
          });
        }, next),
      );
      await lab.page.waitForTimeout(150);
    }
    return all;
  };
  const tell = (when, all) => {
    report(
      `ablation acknowledged in the view, ${when}`,
      all.map(({ busy }) => busy),
      100,
    );
    report(
      `ablation acknowledged by the kernel, ${when}`,
      all.map(({ heard }) => heard),
      100,
      {
        doneMs: Number(
          quantile(
            all.map(({ done }) => done),
            0.5,
          ).toFixed(1),
        ),
      },
    );
  };
  await acknowledged(1);
  tell("idle", await acknowledged(5));
  await lab.run(2);
  await lab.cell(2).locator(".jp-InputPrompt").getByText("[*]:").waitFor();
  tell("while a cell awaits", await acknowledged(4));
  await lab.command("notebook:interrupt-kernel");
  await lab.run(3);
  await lab.cell(3).locator(".jp-InputPrompt").getByText("[*]:").waitFor();
  const [computing] = await acknowledged(1);
  report("ablation acknowledged in the view, while a cell computes", [computing.busy], 100, { doneMs: computing.done });
} finally {
  await lab.close();
}

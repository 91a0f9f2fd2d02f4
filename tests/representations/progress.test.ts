import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startKernel, type Json } from "../protocol/client.js";

/** The built module: a cell of this test imports it by its path. */
const progressModule = new URL("../../kernel/lib/host/jupyter/representations/progress.js", import.meta.url).pathname;

describe("progress bars", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel();
    const cell = await kernel.client.execute(`
      import { progress, track } from ${JSON.stringify(progressModule)};
      const wait = (ms) => new Promise((r) => setTimeout(r, ms));
      const busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };`);
    expect(cell.status).toBe("ok");
  });
  afterAll(() => kernel.stop());

  const dataOf = ({ content }: { readonly content: Json }): Json => content["data"] as Json;

  test("one output, updated in its place, ten times a second at most, ends as one line of text", async () => {
    const began = performance.now();
    const cell = await kernel.client.execute(
      "{ const bar = progress(500, { label: 'en<code' }); for (let n = 1; n <= 500; n++) { busy(1); bar.update(n) } bar.finish(); bar.finish() }",
    );
    expect(cell.status).toBe("ok");
    const shown = cell.all("display_data");
    const updates = cell.all("update_display_data");
    expect(shown).toHaveLength(1);
    expect(updates.length).toBeGreaterThan(2);
    expect(updates.length).toBeLessThan((performance.now() - began) / 100 + 3);
    const id = (shown[0]?.content["transient"] as Json)["display_id"];
    expect(updates.every(({ content }) => (content["transient"] as Json)["display_id"] === id)).toBe(true);
    expect(String(dataOf(updates[0])["text/html"])).toMatch(
      /<progress value="\d+" max="500"><\/progress> en&lt;code: /,
    );
    const last = dataOf(updates.at(-1)!);
    expect(Object.keys(last)).toEqual(["text/plain"]);
    expect(last["text/plain"]).toMatch(/^en<code: 100 % 500\/500 in [\d.]+ s$/);
  });

  test("the last update of a burst is shown, though the loop then pauses", async () => {
    const cell = await kernel.client.execute(
      "{ const bar = progress(10); bar.update(1); bar.update(7); await wait(250); bar.finish() }",
    );
    const texts = cell.all("update_display_data").map((message) => dataOf(message)["text/plain"]);
    expect(texts.slice(0, -1)).toContain("70 % 7/10");
  });

  test("a tracked loop gives every value and finishes also when it breaks off", async () => {
    const whole = await kernel.client.execute(
      "{ const seen = []; for await (const x of track(new Set(['a', 'b']))) seen.push(x); console.log(seen.join()) }",
    );
    expect(whole.text()).toBe("a,b\n");
    expect(dataOf(whole.all("update_display_data").at(-1)!)["text/plain"]).toMatch(/^100 % 2\/2 in /);
    const broken = await kernel.client.execute(
      "for await (const x of track([1, 2, 3, 4], { label: 'half' })) if (x === 3) break",
    );
    expect(dataOf(broken.all("update_display_data").at(-1)!)["text/plain"]).toMatch(/^half: 50 % 2\/4 in /);
  });

  test.each([
    ["progress(0)", "progress: the total must be a number above 0, got 0"],
    ["progress(3, { lable: 'x' })", 'did you mean "label"?'],
    ["progress(3).update('2')", "progress.update: expected a number, got 2"],
    ["for await (const x of track((function* () { yield 1 })())) x", "expected the option total"],
  ])("%s is refused", async (code, message) => {
    const cell = await kernel.client.execute(code);
    expect(cell.status).toBe("error");
    expect(cell.reply.content["evalue"]).toContain(message);
  });
});

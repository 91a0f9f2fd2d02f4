import { describe, expect, it } from "vitest";
import { createByteCache } from "../../extension/src/link/byteCache.js";
import { createLatest } from "../../extension/src/link/latest.js";
import { liveLinkOf, type LiveLink } from "../../extension/src/link/liveLink.js";
import { LiveError, type Progress } from "../../extension/src/link/liveRun.js";

type Kernel = Parameters<typeof liveLinkOf>[0];
type Sent = Readonly<Record<string, unknown>>;

/** A kernel that answers what the test lets it answer. */
class FakeKernel {
  readonly handleComms = true;
  isDisposed = false;
  readonly sent: Sent[] = [];
  opened = 0;
  comm: FakeComm | undefined;

  createComm(target: string): FakeComm {
    expect(target).toBe("attention-lab.v1");
    return (this.comm = new FakeComm(this));
  }

  answer(data: object, buffers: readonly ArrayBuffer[] = []): void {
    this.comm!.onMsg?.({ content: { data }, buffers });
  }

  get link(): LiveLink {
    return liveLinkOf(this as unknown as Kernel);
  }
}

class FakeComm {
  isDisposed = false;
  onMsg: ((message: object) => void) | undefined;
  onClose: (() => void) | undefined;
  constructor(readonly kernel: FakeKernel) {}
  open(): void {
    this.kernel.opened++;
  }
  send(data: Sent): void {
    this.kernel.sent.push(data);
  }
}

const failure = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "none",
    (error: unknown) => (error instanceof LiveError ? error.kind : String(error)),
  );

describe("the live link", () => {
  it("opens with the first question, once, and pairs answers with questions in any order", async () => {
    const kernel = new FakeKernel();
    const { link } = kernel;
    expect(kernel.opened).toBe(0);
    const [first, second] = [link.ask("run", { ask: "tile", layer: 1 }), link.ask("run", { ask: "tile", layer: 2 })];
    expect(kernel.opened).toBe(1);
    expect(kernel.sent).toEqual([
      { ask: "tile", layer: 1, run: "run", seq: 1 },
      { ask: "tile", layer: 2, run: "run", seq: 2 },
    ]);
    kernel.answer({ seq: 2, state: "done", rows: 5 }, [new Uint8Array([7]).buffer]);
    kernel.answer({ seq: 1, state: "done", rows: 4 });
    expect((await first).data).toEqual({ rows: 4 });
    expect((await second).data).toEqual({ rows: 5 });
    expect((await second).buffers[0].getUint8(0)).toBe(7);
  });

  it("tells how far the kernel is, and why there is no answer", async () => {
    const kernel = new FakeKernel();
    const seen: Progress[] = [];
    const asked = kernel.link.ask("run", { ask: "ablate" }, { onProgress: (progress) => seen.push(progress) });
    kernel.answer({ seq: 1, state: "heard" });
    kernel.answer({ seq: 1, state: "at work", done: 1, total: 3 });
    kernel.answer({ seq: 1, state: "failed", reason: "no such head" });
    await expect(asked).rejects.toThrow("no such head");
    expect(seen).toEqual([{ state: "sent" }, { state: "heard" }, { state: "at work", done: 1, total: 3 }]);
    const gone = kernel.link.ask("another", { ask: "known" });
    kernel.answer({ seq: 2, state: "gone" });
    expect(await failure(gone)).toBe("gone");
  });

  it("gives a question up and tells the kernel; a late answer is passed over", async () => {
    const kernel = new FakeKernel();
    const controller = new AbortController();
    const asked = kernel.link.ask("run", { ask: "ablate" }, { signal: controller.signal });
    controller.abort();
    expect(await failure(asked)).toBe("cancelled");
    expect(kernel.sent.at(-1)).toEqual({ cancel: 1 });
    kernel.answer({ seq: 1, state: "done" });
    expect(await failure(kernel.link.ask("run", {}, { signal: controller.signal }))).toBe("cancelled");
  });

  it("opens again after a restart; what waited is lost, what the kernel closes is gone", async () => {
    const kernel = new FakeKernel();
    const lost = kernel.link.ask("run", { ask: "tile" });
    kernel.comm!.isDisposed = true;
    const next = kernel.link.ask("run", { ask: "tile" });
    expect(kernel.opened).toBe(2);
    expect(await failure(lost)).toBe("lost");
    kernel.comm!.onClose?.();
    expect(await failure(next)).toBe("gone");
    const dead = kernel.link.ask("run", { ask: "tile" });
    expect(kernel.opened).toBe(3);
    kernel.link.lose();
    expect(await failure(dead)).toBe("lost");
  });

  it("passes over messages that are none", async () => {
    const kernel = new FakeKernel();
    const asked = kernel.link.ask("run", { ask: "known" });
    for (const data of [undefined, 5, {}, { seq: "1", state: "done" }, { seq: 9, state: "done" }]) kernel.answer(data as object); // prettier-ignore
    kernel.answer({ seq: 1, state: "nonsense" });
    expect(await failure(asked)).toBe("failed");
  });
});

describe("latest", () => {
  it("serves one wish at a time and only the last of those that wait", async () => {
    const served: number[] = [];
    let release: () => void = () => undefined;
    const latest = createLatest<number>(async (wish) => {
      served.push(wish);
      await new Promise<void>((resolve) => (release = resolve));
    });
    for (const wish of [1, 2, 3]) latest.want(wish);
    expect(served).toEqual([1]);
    release();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(served).toEqual([1, 3]);
    latest.want(4);
    latest.drop();
    release();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(served).toEqual([1, 3]);
  });
});

describe("the cache of tiles", () => {
  it("forgets what was used least recently, and never what came last", () => {
    const cache = createByteCache<string>(10);
    cache.set("a", "A", 4);
    cache.set("b", "B", 4);
    expect(cache.get("a")).toBe("A");
    cache.set("c", "C", 4);
    expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["A", undefined, "C"]);
    cache.set("large", "L", 1000);
    expect([cache.get("a"), cache.get("c"), cache.get("large")]).toEqual([undefined, undefined, "L"]);
    cache.set("large", "l", 5);
    cache.set("d", "D", 5);
    expect([cache.get("large"), cache.get("d")]).toEqual(["l", "D"]);
  });
});

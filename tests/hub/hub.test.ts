import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { download } from "../../kernel/lib/host/hub/download.js";
import type { DownloadOptions } from "../../kernel/lib/host/hub/download.js";
import { hubSettings } from "../../kernel/lib/host/hub/settings.js";
import { load } from "../../kernel/lib/index.js";
import { oracles } from "../models/oracle.js";
import type { HubServer } from "./hubServer.js";
import { commit, etagOf, hubServer } from "./hubServer.js";

const id = "org/tiny-bert";
const model = join(oracles, "files", "bert");
const files = {
  "config.json": readFileSync(join(model, "config.json")),
  "model.safetensors": readFileSync(join(model, "model.safetensors")),
  "README.md": Buffer.from("not needed"),
};

let root: string;
let hub: HubServer;
let bars: { readonly label: string; readonly total: number; readonly done: number[]; isFinished: boolean }[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "hub-"));
  hub = await hubServer(id, files);
  bars = [];
  vi.stubEnv("HF_HOME", root);
  for (const name of ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE"]) vi.stubEnv(name, "");
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  rmSync(root, { recursive: true });
});

const fetchIt = async (options: Partial<DownloadOptions> = {}, revision = "main"): Promise<string> =>
  download(hubSettings(), id, revision, {
    progress: (total, { label }) => {
      const bar = { label, total, done: [] as number[], isFinished: false };
      bars.push(bar);
      return { update: (done) => void bar.done.push(done), finish: () => void (bar.isFinished = true) };
    },
    ...options,
  });
const repository = (): string => join(root, "hub", "models--org--tiny-bert");
const blobs = (): string[] => readdirSync(join(repository(), "blobs")).sort();
const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return `${(error as Error).name}: ${(error as Error).message}`;
};

describe("a model on the hub", () => {
  it("is fetched into the shared cache as huggingface_hub lays it out", async () => {
    const folder = await fetchIt();
    expect(folder).toBe(join(repository(), "snapshots", commit));
    expect(readFileSync(join(repository(), "refs", "main"), "utf8")).toBe(commit);
    expect(readdirSync(folder).sort()).toEqual(["config.json", "model.safetensors"]);
    expect(blobs()).toEqual(
      ["config.json", "model.safetensors"].map((name) => etagOf(name, files[name as "config.json"])).sort(),
    );
    for (const name of readdirSync(folder)) {
      expect(lstatSync(join(folder, name)).isSymbolicLink()).toBe(true);
      expect(readlinkSync(join(folder, name))).toBe(
        join("..", "..", "blobs", etagOf(name, files[name as "config.json"])),
      );
      expect(readFileSync(join(folder, name)).equals(files[name as "config.json"])).toBe(true);
    }
    expect(bars.map(({ label, isFinished }) => [label, isFinished])).toEqual([["org/tiny-bert (MB)", true]]);
  });

  it("is loaded by its id, and from the cache when the hub is gone", async () => {
    const first = await load(id);
    const { logits } = await first.run({ inputIds: [[5, 6, 7]] });
    await first.dispose();
    await hub.close();
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    const again = await load(id);
    expect((await again.run({ inputIds: [[5, 6, 7]] })).logits.data).toEqual(logits.data);
    await again.dispose();
  });

  it("is asked for with the token of the environment, or of the file", async () => {
    vi.stubEnv("HF_TOKEN", "hf_secret");
    await fetchIt();
    expect(
      hub.requests.filter((request) => !request.includes("/store/")).every((request) => request.endsWith("with token")),
    ).toBe(true);
    vi.stubEnv("HF_TOKEN", "");
    expect(hubSettings().token).toBeUndefined();
    writeFileSync(join(root, "token"), "hf_other\n");
    expect(hubSettings().token).toBe("hf_other");
  });
});

describe("a download that breaks off", () => {
  it("goes on where it stopped, and is whole", async () => {
    hub.behaviour.cutAfter.push(20_000, 30_000);
    const folder = await fetchIt();
    expect(readFileSync(join(folder, "model.safetensors")).equals(files["model.safetensors"])).toBe(true);
    const ranges = hub.requests.flatMap((request) => /bytes=(\d+)-/.exec(request)?.[1] ?? []);
    expect(ranges.length).toBeGreaterThanOrEqual(2);
    expect(Number(ranges.at(-1))).toBeGreaterThan(0);
  });

  it("starts over where the server sends the whole file again", async () => {
    hub.behaviour.cutAfter.push(20_000);
    hub.behaviour.ignoresRange = true;
    const folder = await fetchIt();
    expect(readFileSync(join(folder, "model.safetensors")).equals(files["model.safetensors"])).toBe(true);
  });

  it("leaves no blob under its final name when it is interrupted, and the next call goes on", async () => {
    hub.behaviour.cutAfter.push(20_000, 20_000, 20_000);
    const controller = new AbortController();
    const interrupted = fetchIt({
      signal: controller.signal,
      progress: () => ({ update: () => controller.abort(new Error("stop")), finish: () => undefined }),
    });
    expect(await refusal(interrupted)).toContain("stop");
    const weights = etagOf("model.safetensors", files["model.safetensors"]);
    expect(blobs()).not.toContain(weights);
    hub.behaviour.cutAfter.length = 0;
    const folder = await fetchIt();
    expect(readFileSync(join(folder, "model.safetensors")).equals(files["model.safetensors"])).toBe(true);
    expect(blobs().some((name) => name.endsWith(".incomplete"))).toBe(false);
  });

  it("is refused, and removed, when its checksum is another", async () => {
    hub.behaviour.corrupt = true;
    expect(await refusal(fetchIt())).toMatch(
      /^FormatError: load: "config\.json" arrived broken: its checksum is [0-9a-f]{40}, expected/,
    );
    expect(blobs()).toEqual([]);
  });
});

describe("load says why a model does not come", () => {
  it("when the hub does not know it, with the nearest name", async () => {
    expect(await refusal(load("org/tiny-brt"))).toContain(
      'the hub has no model "org/tiny-brt"; did you mean "org/tiny-bert"?',
    );
  });

  it("when it is gated, or the revision is not there", async () => {
    expect(await refusal(load(id, { revision: "v9" }))).toContain('"org/tiny-bert" has no revision "v9"');
    hub.behaviour.refuse = { status: 401, code: "GatedRepo" };
    expect(await refusal(load(id))).toMatch(
      /^UnsupportedError: load: "org\/tiny-bert" is gated; accept its terms there, then set HF_TOKEN: http/,
    );
  });

  it("when it must not be asked for", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await refusal(load(id))).toContain("HF_HUB_OFFLINE is set");
    expect(hub.requests).toEqual([]);
  });

  it("when the hub is not reached", async () => {
    vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
    expect(await refusal(load(id))).toContain("http://127.0.0.1:9 is not reached");
  });

  it("when disk or memory are too small, before anything is fetched", async () => {
    expect(await refusal(fetchIt({ freeDisk: async () => Promise.resolve(50_000) }))).toMatch(
      /needs 0\.000 GB of disk|needs \S+ GB of disk in .*, \S+ GB free/,
    );
    expect(await refusal(fetchIt({ freeMemory: () => 50_000 }))).toMatch(
      /needs at least \S+ GB of memory, \S+ GB free; it is not fetched/,
    );
    expect(blobs().length).toBe(1);
    expect(hub.requests.some((request) => request.startsWith("GET /store"))).toBe(false);
  });

  it("when it holds no weights that can be read, or its shards lead elsewhere", async () => {
    await hub.close();
    hub = await hubServer(id, { "config.json": files["config.json"], "pytorch_model.bin": Buffer.from("x") });
    vi.stubEnv("HF_ENDPOINT", hub.endpoint);
    expect(await refusal(fetchIt())).toContain(
      "holds no model.safetensors, model.safetensors.index.json or model.onnx; got pytorch_model.bin",
    );
    await hub.close();
    const index = Buffer.from(JSON.stringify({ weight_map: { x: "../../evil.safetensors" } }));
    hub = await hubServer(id, { "model.safetensors.index.json": index });
    vi.stubEnv("HF_ENDPOINT", hub.endpoint);
    expect(await refusal(fetchIt())).toContain("expected a file name of a shard");
  });
});

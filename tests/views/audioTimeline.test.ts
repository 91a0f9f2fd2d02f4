import { describe, expect, it } from "vitest";
import { audioMapsThatFit, audioTimeline, audioTimelineMime, audioTimelineText, columnsOf, payloadNpz, readAudioTimeline, readPatterns } from "attention-lab/views"; // prettier-ignore
import { decodeBase64 } from "../../kernel/views/base64.js";

const weights = Float32Array.of(0.25, 0.5, 0.25, 0, 0.125, 0.75);
const map = { name: "L0 mean", layer: 0, head: -1, weights };
const time = { frames: 3, secondsPerFrame: 0.02 };
const make = (options: object = {}): ReturnType<typeof audioTimeline> =>
  audioTimeline(["␣a", "b"], time, [map], { title: "t", ...options });

describe("attention over a sound", () => {
  it("stores weights to 0.004 of the largest, and when each token listens most", () => {
    const payload = make({ starts: [0, 0.04] });
    const found = readPatterns(payload.weights, 1, payload.maps.max).head(0, 0);
    weights.forEach((weight, at) => expect(Math.abs(found[at] - weight)).toBeLessThanOrEqual(0.004));
    expect([payload.maps.peak, payload.maps.mass]).toEqual([[1, 2], [1, 0.875]]); // prettier-ignore
    expect(readAudioTimeline(JSON.parse(JSON.stringify(payload)))).toEqual(payload);
    expect(audioTimelineText(payload)).toContain('L0 mean listens most to: "␣a" 0.02 s · "b" 0.04 s');
  });

  it("is a table by tokens, and arrays by map, token and column", () => {
    expect(columnsOf(audioTimelineMime, make({ starts: [0, 0.04] }))).toEqual([
      { name: "position", values: [0, 1] },
      { name: "token", values: ["␣a", "b"] },
      { name: "begins (s)", values: [0, 0.04] },
      { name: "L0 mean: largest weight at (s)", values: [0.02, 0.04] },
      { name: "L0 mean: attention shown", values: [1, 0.875] },
    ]);
    expect(Buffer.from(payloadNpz(audioTimelineMime, make())).toString("latin1")).toContain("weights.npy");
  });

  it("keeps what was heard, low pitches first, neighbours pooled where they are many", () => {
    const spectrum = { bins: 2, columns: 6, values: Float32Array.from({ length: 12 }, (_, at) => at) };
    const { sound } = make({ spectrum });
    expect([...decodeBase64(sound!.data)]).toEqual(Array.from({ length: 12 }, (_, at) => Math.round((255 * at) / 11)));
    const many = { bins: 80, columns: 3000, values: new Float32Array(240_000).map((_, at) => at % 7) };
    const pooled = make({ spectrum: many }).sound!;
    expect([pooled.bins, pooled.columns]).toEqual([40, 1500]);
    expect(new Set(decodeBase64(pooled.data)).size).toBeGreaterThan(1);
    expect(() => make({ spectrum: { ...spectrum, bins: 3 } })).toThrow(/spectrum of 3 × 6, got 12 values/);
  });

  it("stays below a megabyte: frames share columns, their largest weight is kept", () => {
    const [tokens, frames] = [448, 1500];
    const fit = audioMapsThatFit(tokens, frames);
    const long = new Float32Array(tokens * frames).fill(1e-3);
    long[1000] = 0.9;
    const payload = audioTimeline(
      Array.from({ length: tokens }, (_, at) => `␣word ${at}`),
      { frames, secondsPerFrame: 0.02 },
      Array.from({ length: fit }, () => ({ ...map, weights: long })),
      { title: "t", spectrum: { bins: 80, columns: 3000, values: new Float32Array(240_000).map((_, at) => at % 5) } },
    );
    const { block } = payload.time;
    expect([fit, block]).toEqual([2, 3]);
    expect(JSON.stringify(payload).length).toBeLessThan(1_000_000);
    const stored = readPatterns(payload.weights, 1, payload.maps.max).head(1, 0);
    expect(stored[Math.floor(1000 / block)]).toBeCloseTo(0.9, 6);
    expect(payload.maps.peak[0]).toBe(1000);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      "too few weights",
      () => audioTimeline(["a"], time, [map], { title: "t" }),
      /expected 3 finite weights ≥ 0 in "L0/,
    ],
    ["a weight that is not finite", () => audioTimeline(["a"], time, [{ ...map, weights: Float32Array.of(1, NaN, 0) }], { title: "t" }), /finite/], // prettier-ignore
    ["no maps", () => audioTimeline(["a"], time, [], { title: "t" }), /maps.name: expected 1…1024 entries/],
    ["beginnings of other tokens", () => make({ starts: [0] }), /starts: expected 2 entries/],
    ["a misspelt option", () => make({ start: [] }), /did you mean "starts"/],
    ["a peak behind the end", () => readAudioTimeline({ ...make(), maps: { ...make().maps, peak: [1, 3] } }), /maps.peak: expected a whole number in 0…2/], // prettier-ignore
    ["frames of no length", () => readAudioTimeline({ ...make(), time: { ...make().time, secondsPerFrame: 0 } }), /time.secondsPerFrame/], // prettier-ignore
    ["a sound that is cut", () => readAudioTimeline({ ...make(), sound: { bins: 2, columns: 9, data: "AAAA" } }), /sound.data: expected 24 characters, got/], // prettier-ignore
  ])("is not made of %s", (_, odd, reason) => expect(odd).toThrow(reason));
});

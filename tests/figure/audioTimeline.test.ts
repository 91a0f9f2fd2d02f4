import { describe, expect, it } from "vitest";
import { audioLine, audioTimelineLayout, drawAudioTimeline, figureOf, inks } from "attention-lab/figure";
import { audioTimeline, audioTimelineMime } from "attention-lab/views";
import { audioTimelineExamples } from "../gallery/audioTimeline.js";

const example = audioTimelineExamples["audio"]();
const look = { width: 300, ink: inks.paper, palette: "greys", scale: "linear" } as const;

describe("attention over a sound", () => {
  it("looks as recorded", async () => {
    await expect(figureOf(audioTimelineMime, example)! + "\n").toMatchFileSnapshot("snapshots/audio-timeline.svg");
  });

  it("draws the line of a token, and says when it listens most", () => {
    expect(figureOf(audioTimelineMime, example)).toContain(">mean</text>");
    const picked = figureOf(audioTimelineMime, example, { audio: { map: 0, token: 3 } })!;
    expect(picked).toContain("L0 mean: where each of 12 tokens listens");
    expect(picked).toContain(`largest at ${(0.02 * example.maps.peak[3]).toFixed(2)} s`);
    expect(() => figureOf(audioTimelineMime, example, { audio: { token: 12 } })).toThrow(/token out of range/);
    expect(() => figureOf(audioTimelineMime, example, { audio: { map: 5 } })).toThrow(/map out of range/);
  });

  it("shows a token's weights, or the mean over tokens", () => {
    const weights = Float32Array.of(1, 0, 0, 0.5);
    expect([...audioLine(weights, 2, 1)]).toEqual([0, 0.5]);
    expect([...audioLine(weights, 2, undefined)]).toEqual([0.5, 0.25]);
  });

  it("loses no spike where frames are more than pixels", () => {
    const weights = new Float32Array(5000).fill(0);
    weights[3333] = 1;
    const map = { name: "m", layer: 0, head: 0, weights };
    const payload = audioTimeline(["a"], { frames: 5000, secondsPerFrame: 0.02 }, [map], { title: "t" });
    const { line } = audioTimelineLayout(payload, look.width);
    const svg = drawAudioTimeline(payload, { ...look, token: 0 });
    const [, d] = /<path d="(M[^"]+)" fill="none" stroke="#0072b2"/.exec(svg)!;
    expect(d).toContain(`V${line.top}H`);
  });

  it("puts the ticks of time where the frames are", () => {
    const { matrix, x } = audioTimelineLayout(example, 720);
    const second = matrix.left + (matrix.width * 50) / example.time.frames;
    expect(x.ticks).toContain(1);
    expect(matrix.left + x.place(1) * matrix.width).toBeCloseTo(second, 6);
  });
});

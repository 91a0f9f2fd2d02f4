import type { AudioTimelinePayload } from "./audioTimelinePayload.js";
import { provenanceText } from "./heading.js";
import { visibleToken } from "./visibleToken.js";

const shown = 12;

/**
 * A summary of several lines: how much was heard, and where each token listens most, in the last map.
 *
 * Example
 *   whisper-tiny · 9 tokens over 2.4 s
 *     mean of 4 layers listens most to: "␣Mr" 0.34 s · "␣Qu" 0.62 s
 */
export function audioTimelineText(payload: AudioTimelinePayload): string {
  const { title, time, tokens, maps, notes } = payload;
  const last = maps.name.length - 1;
  const peaks = tokens
    .slice(0, shown)
    .map((token, at) => `${JSON.stringify(visibleToken(token))} ${peakText(payload, last, at)}`);
  const size = `${tokens.length} ${tokens.length === 1 ? "token" : "tokens"}`;
  return [
    `${title} · ${size} over ${Number((time.frames * time.secondsPerFrame).toPrecision(4))} s`,
    `  ${maps.name[last]} listens most to: ${peaks.join(" · ")}${tokens.length > shown ? " …" : ""}`,
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}

/** When the frame of a token's largest weight begins. */
export function peakText({ time, tokens, maps }: AudioTimelinePayload, map: number, token: number): string {
  return `${(maps.peak[map * tokens.length + token] * time.secondsPerFrame).toFixed(2)} s`;
}

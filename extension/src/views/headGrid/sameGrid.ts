import type { HeadGridPayload } from "attention-lab/views";

/** Whether two payloads show the same run: they differ in what was found about it, if in anything. */
export function isSameGrid(one: HeadGridPayload, other: HeadGridPayload): boolean {
  const { live, samples } = other;
  return (
    one.live !== undefined &&
    one.live.run === live?.run &&
    one.live.stack === live.stack &&
    one.samples.length === samples.length &&
    one.samples.every(({ patterns }, at) => patterns.data === samples[at]?.patterns.data)
  );
}

import { transformCell } from "./transform.js";

const everyday = "import { load } from 'a'; let x: number = await load(1); for (const y of [x]) console.log(y); x * 2";

/** Transforms a cell that nobody runs, so that the compiler has met everyday code before the first real one comes. */
export function warmUp(): void {
  transformCell(everyday, { name: "warm-up" });
}

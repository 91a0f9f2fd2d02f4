export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The best figure of several rounds, fewer once a round is below `budget`. Whatever else a machine does only ever adds to a
 * time, so one round below its budget shows that the code keeps it. Later rounds wait longer: a burst of other work passes.
 */
export async function bestOf(
  budget: number,
  measure: (round: number) => number | Promise<number>,
  rounds = 15,
): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds && !(best < budget); round++) {
    if (round > 0) await pause(Math.min(1000, 100 * round));
    best = Math.min(best, await measure(round));
  }
  return best;
}

/** As `bestOf`, for times: each is divided by how long this process had to wait for a processor just then. */
export function bestTime(
  budget: number,
  measure: (round: number) => Promise<number>,
  rounds?: number,
): Promise<number> {
  const share = async (round: number): Promise<number> => {
    const before = starvation();
    const time = await measure(round);
    return time / Math.min(before, starvation());
  };
  return bestOf(budget, share, rounds);
}

/** Time that a piece of work takes, over the time that it computes: 1 on a machine with nothing else to do. */
function starvation(): number {
  const [began, used] = [performance.now(), process.cpuUsage()];
  const computed = (): number => {
    const { user, system } = process.cpuUsage(used);
    return (user + system) / 1000;
  };
  while (computed() < 20);
  return Math.max(1, (performance.now() - began) / computed());
}

/** Milliseconds that something takes. */
export async function timed(body: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await body();
  return performance.now() - began;
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

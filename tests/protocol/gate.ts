import type { Client } from "./client.js";

/** Makes `await gate` in cells wait until the test calls the function that this gives, also while a cell is running. */
export async function makeGate(client: Client): Promise<() => Promise<void>> {
  await client.execute(
    "var gate = new Promise((open) => globalThis[Symbol.for('attention-lab.kernel')].registerCommTarget('gate', () => open()))",
  );
  return async () =>
    void (await client.send("comm_open", { comm_id: `gate-${++gates}`, target_name: "gate", data: {} }));
}

let gates = 0;

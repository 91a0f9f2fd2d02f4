import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Dealer, Subscriber } from "zeromq";
import { addressOf, type Connection } from "../../kernel/host/jupyter/connection.js";
import { openSockets } from "../../kernel/host/jupyter/sockets.js";

test("what clients send while the kernel sets itself up is handed over once it listens", async () => {
  const folder = mkdtempSync(join(tmpdir(), "attention-lab-"));
  const ports = { shell: 1, iopub: 2, stdin: 3, control: 4, heartbeat: 5 };
  const connection: Connection = { transport: "ipc", ip: join(folder, "s"), key: "", ...ports };
  const failures: unknown[] = [];
  const sockets = await openSockets(connection, (error) => failures.push(error));
  const shell = new Dealer({ linger: 0 });
  const iopub = new Subscriber({ linger: 0 });
  try {
    shell.connect(addressOf(connection, ports.shell));
    iopub.connect(addressOf(connection, ports.iopub));
    iopub.subscribe("early");
    await shell.send(["early request"]);
    await new Promise((resolve) => setTimeout(resolve, 200));

    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      const note = (text: string): void => void (seen.push(text) === 2 && resolve());
      sockets.listen({
        request: (channel, frames) => note(`${channel}: ${Buffer.from(frames.at(-1)!).toString()}`),
        subscribed: (topic) => note(`subscribed: ${Buffer.from(topic).toString()}`),
      });
    });
    expect(seen.sort()).toEqual(["shell: early request", "subscribed: early"]);
    expect(failures).toEqual([]);
  } finally {
    shell.close();
    iopub.close();
    await sockets.close(100);
    rmSync(folder, { recursive: true, force: true });
  }
});

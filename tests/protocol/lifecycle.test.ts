import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { bestTime, pause, timed } from "../budget.js";
import { Client, kernelProgram, makeConnection, nodes, preferredNode, startKernel } from "./client.js";

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe.each(nodes)("lifecycle on %s", (node) => {
  test.each([false, true])(
    "shutdown_request with restart %s is answered on control and iopub, then the process ends with 0",
    async (restart) => {
      const { kernel, client, stop } = await startKernel({ node });
      const reply = await client.request("shutdown_request", { restart }, { channel: "control" });
      expect(reply.content).toEqual({ status: "ok", restart });
      await client.until(
        ({ channel, type, content }) =>
          channel === "iopub" && type === "shutdown_reply" && content["restart"] === restart,
      );
      expect(await kernel.exited).toEqual({ code: 0, signal: null });
      await stop();
    },
  );

  test("a kernel that computes shuts down all the same", async () => {
    const { kernel, client, stop } = await startKernel({ node });
    await client.running(await client.start("while (true) {}"));
    await client.send("shutdown_request", { restart: false }, { channel: "control" });
    await kernel.exited;
    await stop();
  });

  test.each([0, 3])(
    "process.exit(%i) in a cell ends the process with that code, after its output and a reply",
    async (code) => {
      const { kernel, client, stop } = await startKernel({ node });
      const id = await client.start(`console.log("last words"); process.exit(${code})`);
      expect((await client.reply(id)).content["status"]).toBe("error");
      await client.idle(id);
      expect(client.of(id).some(({ content }) => content["text"] === "last words\n")).toBe(true);
      expect(await kernel.exited).toEqual({ code, signal: null });
      expect(kernel.stderr).toBe("");
      await stop();
    },
  );

  test("exit handlers of the user run at shutdown", async () => {
    const { kernel, client, stop } = await startKernel({ node });
    await client.execute("process.on('exit', () => require('fs').writeFileSync('goodbye.txt', 'bye'))");
    await client.send("shutdown_request", { restart: false }, { channel: "control" });
    await kernel.exited;
    expect(existsSync(join(kernel.folder, "goodbye.txt"))).toBe(true);
    await stop();
  });

  test.each(["idle", "computing"])("a kernel that is %s goes within 5 s when its parent is killed", async (state) => {
    const script = fileURLToPath(new URL("./orphan.mjs", import.meta.url));
    const orphaned = async (): Promise<number> => {
      const connection = await makeConnection();
      const parent = spawn(preferredNode, [script, node, kernelProgram, connection.file], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(line.toString());
      const client = await new Client(connection.content).ready();
      if (state === "computing") await client.running(await client.start("while (true) {}"));
      parent.kill("SIGKILL");
      const took = await timed(async () => {
        while (!isGone(pid)) await pause(20);
      });
      client.close();
      rmSync(connection.folder, { recursive: true, force: true });
      return took;
    };
    expect(await bestTime(5000, orphaned, 4)).toBeLessThan(5000);
  });
});

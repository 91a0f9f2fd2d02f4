import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Client, KernelProcess, nodes, preferredNode, startKernel } from "./client.js";

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
    await client.start("while (true) {}");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const began = performance.now();
    await client.send("shutdown_request", { restart: false }, { channel: "control" });
    await kernel.exited;
    expect(performance.now() - began).toBeLessThan(4000);
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
    const kernel = await KernelProcess.start({ node });
    const client = await new Client(kernel.connection).ready();
    client.close();
    await kernel.kill();
    const folder = mkdtempSync(join(tmpdir(), "attention-lab-"));
    const file = join(folder, "connection.json");
    writeFileSync(file, JSON.stringify(kernel.connection));
    const parent = spawn(preferredNode, [script, node, kernel.program, file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    const second = await new Client(kernel.connection).ready();
    if (state === "computing") await second.start("while (true) {}");
    await new Promise((resolve) => setTimeout(resolve, 200));
    parent.kill("SIGKILL");
    const began = performance.now();
    while (!isGone(pid) && performance.now() - began < 6000) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(performance.now() - began).toBeLessThan(5000);
    second.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

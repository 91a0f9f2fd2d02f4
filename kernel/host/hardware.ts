import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

/** What is known about a piece of hardware. */
export interface Hardware {
  readonly name: string;
  /** Undefined where the system does not tell. */
  readonly memoryBytes?: number;
  /** Whether the processor plays the part of a graphics card: right numbers, and slow. */
  readonly isSoftware?: boolean;
}

export function processor(): Hardware {
  return { name: cpus()[0]?.model.trim() ?? process.arch, memoryBytes: totalmem() };
}

async function outputOf(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { encoding: "utf8", timeout: 10_000 }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    );
  });
}

/** The first card that NVIDIA's own tool lists. */
export async function nvidiaCard(): Promise<Hardware | undefined> {
  const table = await outputOf("nvidia-smi", ["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]);
  const [name, mebibytes] = table?.split("\n")[0]?.split(", ") ?? [];
  return name && Number(mebibytes) > 0 ? { name, memoryBytes: Number(mebibytes) * 2 ** 20 } : undefined;
}

const vendors: Readonly<Record<string, string>> = { "0x1002": "AMD", "0x10de": "NVIDIA", "0x8086": "Intel" };

/** The first card of the Linux kernel; drivers tell the vendor, and AMD's the memory. */
async function linuxCard(): Promise<Hardware | undefined> {
  const folder = "/sys/class/drm";
  const cards = existsSync(folder) ? (await readdir(folder)).filter((name) => /^card\d+$/.test(name)) : [];
  for (const card of cards.sort()) {
    const read = async (file: string): Promise<string | undefined> =>
      readFile(join(folder, card, "device", file), "utf8").then(
        (text) => text.trim(),
        () => undefined,
      );
    const vendor = vendors[(await read("vendor")) ?? ""];
    // What the card has of its own, and what it may take of the machine's.
    const parts = await Promise.all(["mem_info_vram_total", "mem_info_gtt_total"].map(read));
    const bytes = parts.reduce((sum, part) => sum + Number(part ?? 0), 0);
    if (vendor) return { name: `${vendor} graphics`, ...(bytes > 0 ? { memoryBytes: bytes } : {}) };
  }
  return undefined;
}

/** The graphics card, as far as the system tells; a software driver where it is chosen or where there is no card. */
export async function graphicsCard(): Promise<Hardware> {
  const driver = process.env["VK_ICD_FILENAMES"] ?? process.env["VK_DRIVER_FILES"] ?? "";
  const software = /swiftshader|lvp|lavapipe/i.exec(driver)?.[0];
  if (software !== undefined) return { name: `software Vulkan (${software})`, isSoftware: true };
  const card = (await nvidiaCard()) ?? (process.platform === "linux" ? await linuxCard() : undefined);
  if (card) return card;
  if (process.platform === "linux") return { name: "software Vulkan", isSoftware: true };
  return process.platform === "darwin" ? processor() : { name: "graphics card" };
}

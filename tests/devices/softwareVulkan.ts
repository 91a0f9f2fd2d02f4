import { existsSync, mkdtempSync, realpathSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

function onPath(program: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
}

/** Folders in which a Chromium keeps its libraries. */
function chromiumFolders(): string[] {
  const found = [process.env["CHROME_PATH"], ...programs.map(onPath)].filter((path) => path !== undefined);
  return [
    ...found.filter((path) => existsSync(path)).map((path) => dirname(realpathSync(path))),
    ...["/usr/lib/chromium", "/usr/lib/chromium-browser", "/usr/lib64/chromium-browser", "/opt/google/chrome"],
  ];
}

/**
 * The environment in which a process finds SwiftShader, the Vulkan driver without a graphics card that every Chromium
 * brings; a driver that is already chosen with VK_ICD_FILENAMES is kept. Undefined where there is none.
 */
export function softwareVulkan(): Readonly<Record<string, string>> | undefined {
  if (process.env["VK_ICD_FILENAMES"]) return {};
  const parts = ["vk_swiftshader_icd.json", "libvk_swiftshader.so", "libvulkan.so.1"];
  const folder = chromiumFolders().find((each) => parts.every((part) => existsSync(join(each, part))));
  if (process.platform !== "linux" || folder === undefined) return undefined;
  // The loader alone: the other libraries beside it are Chromium's own.
  const loader = mkdtempSync(join(tmpdir(), "attention-lab-vulkan-"));
  symlinkSync(join(folder, "libvulkan.so.1"), join(loader, "libvulkan.so.1"));
  const libraries = [loader, process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":");
  return { LD_LIBRARY_PATH: libraries, VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json") };
}

/** The title of tests on software Vulkan. Where they cannot run it says so, in the output and in the final summary. */
export function webgpuTitle(what: string, vulkan: ReturnType<typeof softwareVulkan>): string {
  if (vulkan) return `WebGPU ${what}, on software Vulkan`;
  const title = `WebGPU ${what} NOT RUN: no Chromium that brings SwiftShader was found (docs/devices.md)`;
  console.warn(`\n  ⚠ ${title}\n`);
  return title;
}

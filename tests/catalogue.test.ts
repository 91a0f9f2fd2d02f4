import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { masks, mechanisms } from "../kernel/lib/attention/index.js";

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

describe("the catalogue page", () => {
  it("is what the registry writes, with a picture of each mechanism", () => {
    const { status, stderr } = spawnSync(process.execPath, [here("scripts/catalogue.mjs"), "--check"], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  }, 60_000);

  it("has a section of every mechanism, with its source and cost", () => {
    const page = readFileSync(here("docs/catalogue.md"), "utf8");
    for (const name of Object.keys(mechanisms)) {
      const [, section] = page.split(`\n## ${name}\n`);
      expect(section, name).toBeDefined();
      const own = section.split("\n## ")[0];
      for (const field of ["Source", "Options", "A query sees", "Time of a head"]) expect(own, name).toContain(field);
    }
  });

  it("has a section of every mask, with its picture", () => {
    const page = readFileSync(here("docs/catalogue.md"), "utf8");
    for (const name of Object.keys(masks)) expect(page).toContain(`\n## masks.${name}\n`);
  });

  it("stays small", () => {
    const folder = here("docs/catalogue");
    const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(`${folder}/${file}`).size, 0);
    expect(bytes).toBeLessThan(1.5e6);
  });
});

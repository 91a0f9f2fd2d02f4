// npm test              everything, on a fresh clone too
// npm test -- unit ui   only the named parts: types lint format unit ui
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { setup } from "./setup.mjs";
import { findChromium } from "./steps/browser.mjs";
import { main, root, run, seconds, SetupError } from "./steps/shell.mjs";

const bin = (path) => join(root, "node_modules", ...path.split("/"));
const node = (path, ...args) => run(process.execPath, [bin(path), ...args], { env: environment });
/** For a part that runs beside others: says nothing, or all that it had to say once it failed. */
const silent = (path, ...args) => run(process.execPath, [bin(path), ...args], { quiet: true, lines: Infinity });
const environment = {};
const reports = join(root, "test-results");

/** Tests counted from a runner's JSON report, and the failed ones, which are told once more at the very end. */
const counted = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** Tests that did not run, by the title of what they belong to: said at the end, so that nobody takes them for passed. */
const skipped = new Map();

function readReport(name) {
  const file = join(reports, name);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

function countVitest(name) {
  const report = readReport(name);
  counted.passed += report?.numPassedTests ?? 0;
  counted.failed += report?.numFailedTests ?? 0;
  counted.skipped += (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  for (const file of report?.testResults ?? []) {
    const failed = file.assertionResults.filter(({ status }) => status === "failed");
    for (const { status, ancestorTitles, title } of file.assertionResults) {
      const part = `${relative(root, file.name)} › ${ancestorTitles[0] ?? title}`;
      if (["pending", "skipped", "todo"].includes(status)) skipped.set(part, (skipped.get(part) ?? 0) + 1);
    }
    for (const test of failed) noteFailure(relative(root, file.name), test.fullName, test.failureMessages?.join("\n"));
    if (failed.length === 0 && file.status === "failed")
      noteFailure(relative(root, file.name), "the file", file.message);
  }
}

function countPlaywright(name) {
  const stats = readReport(name)?.stats;
  counted.passed += (stats?.expected ?? 0) + (stats?.flaky ?? 0);
  counted.failed += stats?.unexpected ?? 0;
  counted.skipped += stats?.skipped ?? 0;
  const visit = ({ file, specs = [], suites = [] }) => {
    for (const { title, ok, tests } of specs)
      if (!ok)
        noteFailure(file, title, tests.flatMap(({ results }) => results.map(({ error }) => error?.message)).join("\n"));
    suites.forEach(visit);
  };
  (readReport(name)?.suites ?? []).forEach(visit);
}

function noteFailure(file, test, message) {
  // eslint-disable-next-line no-control-regex -- colours of the terminal
  const plain = (message ?? "").replace(/\u001b\[[0-9;]*m/g, "");
  failures.push(`✗ ${file} › ${test}\n${plain.split("\n").slice(0, 12).join("\n").replace(/^/gm, "    ")}`);
}

/** Parts that compute on one processor each: they run beside each other. */
const checks = {
  types: () => silent("typescript/bin/tsc", "--build"),
  lint: () => silent("eslint/bin/eslint.js", ".", "--max-warnings", "0"),
  format: () => silent("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."),
};
const parts = {
  ...checks,
  unit: async () => {
    // WebGPU runs on the software Vulkan driver that a Chromium brings.
    environment.CHROME_PATH = await findChromium().catch(() => "");
    await node(
      "vitest/vitest.mjs",
      "run",
      "--maxWorkers=100%",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${join(reports, "unit.json")}`,
    ).finally(() => countVitest("unit.json"));
  },
  ui: async () => {
    environment.CHROME_PATH = await findChromium();
    environment.PLAYWRIGHT_JSON_OUTPUT_NAME = join(reports, "ui.json");
    await node(
      "@playwright/test/cli.js",
      "test",
      "--config",
      "tests/ui/playwright.config.ts",
      "--reporter=list,json",
    ).finally(() => countPlaywright("ui.json"));
  },
};

async function runPart(name) {
  const start = Date.now();
  const problem = await parts[name]().then(
    () => undefined,
    (error) => error.message,
  );
  return { problem, took: seconds(start) };
}

await main(async () => {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !(name in parts));
  if (unknown) throw new SetupError(`no part "${unknown}"; known: ${Object.keys(parts).join(", ")}`);
  await setup({ withTests: true });
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });

  const names = Object.keys(parts).filter((name) => asked.length === 0 || asked.includes(name));
  const results = [];
  const begun = new Map(names.filter((name) => name in checks).map((name) => [name, runPart(name)]));
  for (const name of names) {
    console.log(`\n── ${name}`);
    const { problem, took } = await (begun.get(name) ?? runPart(name));
    if (problem) {
      console.error(problem);
      process.exitCode = 1;
    }
    results.push(`${problem ? "✗" : "✓"} ${name.padEnd(7)} ${took}`);
  }
  if (failures.length > 0) console.log(`\n── failed\n${failures.join("\n")}`);
  for (const [part, count] of skipped) console.log(`\n⚠ skipped: ${part} (${count} tests)`);
  console.log(`\n${results.join("\n")}`);
  const left = Object.keys(parts).filter((name) => !names.includes(name));
  if (left.length > 0) console.log(`left out, as asked: ${left.join(", ")}`);
  console.log("left out, run by hand: benchmarks (npm run bench)");
  if (process.env.ATTENTION_LAB_VIEWS !== "all")
    console.log("left out: every example × mode × theme × application (ATTENTION_LAB_VIEWS=all npm test -- ui)");
  // A part that failed before any test of it ran must not read as a success.
  if (process.exitCode && counted.failed === 0) counted.failed = results.filter((line) => line.startsWith("✗")).length;
  console.log(`\n${counted.passed} passed, ${counted.failed} failed, ${counted.skipped} skipped`);
});

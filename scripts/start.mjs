// npm start                                sets up what is missing and opens JupyterLab on the first notebook
// npm start -- <notebook>                  … on another notebook
// npm start -- --execute <notebook>        runs a notebook without a browser and writes the executed copy with its figures
//              [--output <folder>]         where the copy goes (default: executed/)
// npm start -- --no-browser --port 8890    is passed on to JupyterLab
import { existsSync, mkdirSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { setup } from "./setup.mjs";
import { programs } from "./steps/python.mjs";
import { main, root, run, seconds, SetupError } from "./steps/shell.mjs";

const firstNotebook = "notebooks/01-first-look.ipynb";

function notebookAt(path) {
  const full = resolve(root, path);
  if (!existsSync(full)) throw new SetupError(`no notebook at ${path}; expected for instance ${firstNotebook}`);
  return full;
}

async function execute(environment, notebook, folder) {
  const start = Date.now();
  mkdirSync(folder, { recursive: true });
  const nbconvert = (format, input, extra) =>
    run(join(programs(environment), "jupyter"), [
      ...["nbconvert", "--log-level=WARN", "--to", format, ...extra],
      ...["--output-dir", folder, input],
    ]);
  console.log(`Running ${relative(root, notebook)} …`);
  await nbconvert("notebook", notebook, ["--execute"]);
  const copy = join(folder, basename(notebook));
  await nbconvert("html", copy, []);
  console.log(`✓ wrote ${relative(root, copy)} and its .html in ${seconds(start)}`);
}

async function openLab(environment, notebook, extra) {
  const hasBrowser = process.platform !== "linux" || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  // Nothing is fetched from outside: no news, no look for updates of the pinned JupyterLab.
  const flags = [...extra, "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"];
  if (!hasBrowser && !flags.includes("--no-browser")) {
    console.log("No display found: open the address below in a browser.");
    flags.push("--no-browser");
  }
  if (process.getuid?.() === 0) flags.push("--allow-root");
  await run(join(programs(environment), "jupyter"), ["lab", relative(root, notebook), ...flags], { interactive: true });
}

await main(async () => {
  const args = process.argv.slice(2);
  const valueOf = (flag) => {
    const at = args.indexOf(flag);
    if (at < 0) return undefined;
    const [, value] = args.splice(at, 2);
    if (value === undefined) throw new SetupError(`${flag} needs a value`);
    return value;
  };
  const toExecute = valueOf("--execute");
  const folder = resolve(root, valueOf("--output") ?? "executed");
  const toOpen = args[0] && !args[0].startsWith("-") ? args.shift() : firstNotebook;
  const notebook = notebookAt(toExecute ?? toOpen);
  const environment = await setup();
  if (toExecute === undefined) await openLab(environment, notebook, args);
  else await execute(environment, notebook, folder);
});

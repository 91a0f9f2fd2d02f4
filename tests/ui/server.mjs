// Starts JupyterLab for the browser tests: loopback only, no token, settings and notebooks of its own.
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const port = process.argv[2] ?? "18899";
const home = join(root, ".jupyter-test", port);
rmSync(home, { recursive: true, force: true });
mkdirSync(join(home, "notebooks"), { recursive: true });
const quiet = join(home, "settings", "@jupyterlab", "apputils-extension");
mkdirSync(quiet, { recursive: true });
writeFileSync(join(quiet, "notification.jupyterlab-settings"), '{ "fetchNews": "false", "checkForUpdates": false }');
// Without their outputs: what the tests see was computed for them.
for (const name of readdirSync(join(root, "notebooks")).filter((name) => name.endsWith(".ipynb"))) {
  const notebook = JSON.parse(readFileSync(join(root, "notebooks", name), "utf8"));
  for (const cell of notebook.cells)
    if (cell.cell_type === "code") Object.assign(cell, { outputs: [], execution_count: null });
  writeFileSync(join(home, "notebooks", name), JSON.stringify(notebook));
}

// Its log would bury the tests' own lines.
mkdirSync(join(root, "test-results"), { recursive: true });
const log = openSync(join(root, "test-results", `jupyterlab-${port}.log`), "w");
const scripts = process.platform === "win32" ? "Scripts" : "bin";
const server = spawn(
  join(root, ".venv", scripts, "jupyter"),
  [
    ...["lab", "--no-browser", "--ip=127.0.0.1", `--port=${port}`, "--ServerApp.port_retries=0", "--allow-root"],
    ...["--IdentityProvider.token=", "--ServerApp.password=", `--ServerApp.root_dir=${join(home, "notebooks")}`],
    ...[
      "--LabApp.expose_app_in_browser=True",
      "--JupyterNotebookApp.expose_app_in_browser=True",
      "--LabApp.news_url=None",
      "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ],
  ],
  {
    stdio: ["ignore", log, log],
    env: {
      ...process.env,
      JUPYTER_CONFIG_DIR: join(home, "config"),
      JUPYTER_DATA_DIR: join(home, "data"),
      JUPYTER_RUNTIME_DIR: join(home, "runtime"),
      JUPYTERLAB_SETTINGS_DIR: join(home, "settings"),
      JUPYTERLAB_WORKSPACES_DIR: join(home, "workspaces"),
    },
  },
);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => server.kill("SIGTERM"));
server.on("exit", (code) => (process.exitCode = code ?? 0));

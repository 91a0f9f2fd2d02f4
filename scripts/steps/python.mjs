// Python, its virtual environment and what is installed there.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask, fingerprint, isWindows, root, run, SetupError, step, which } from "./shell.mjs";

const oldest = [3, 10];
const venv = join(root, ".venv");
/** The oldest jupyter_client of the tests, in a folder of its own beside the environment's. */
const oldClient = join(root, ".cache", "jupyter_client-7.4");

/** Where an environment keeps its programs. */
export const programs = (prefix) => join(prefix, isWindows ? "Scripts" : "bin");
export const pythonOf = (prefix) => join(programs(prefix), isWindows ? "python.exe" : "python");

function findPython() {
  const tried = [];
  for (const name of [process.env.PYTHON, "python3", "python"]) {
    if (!name) continue;
    const version = ask(name, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    if (version === undefined) continue;
    const [major, minor] = version.split(".").map(Number);
    if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return name;
    tried.push(`${name} is ${version}`);
  }
  throw new SetupError(
    `no Python ${oldest.join(".")} or newer found${tried.length ? ` (${tried.join(", ")})` : ""}. ` +
      "Install python3 and python3-venv, or name one with PYTHON=/path/to/python3.",
  );
}

async function makeVenv(python) {
  // Debian splits the venv module off; root can mend that, others are told.
  if (ask(python, ["-c", "import ensurepip, venv"]) === undefined) {
    if (process.getuid?.() !== 0 || !which("apt-get")) {
      throw new SetupError(`${python} has no venv module. Install it, for instance: sudo apt-get install python3-venv`);
    }
    await run("apt-get", ["update", "-qq"], { quiet: true });
    await run("apt-get", ["install", "-y", "-qq", "python3-venv"], { quiet: true });
  }
  await run(python, ["-m", "venv", venv]);
  // JupyterLab brings CommonJS scripts, which Node would take for modules because our package.json lies above them.
  writeFileSync(join(venv, "package.json"), '{ "type": "commonjs" }\n');
}

/**
 * Makes the environment that JupyterLab runs in and returns its prefix.
 * With `prefix` an existing environment is used instead (Binder, conda).
 */
export async function installPython({ prefix, withTests = false }) {
  if (prefix === undefined) {
    const python = findPython();
    await step("Python environment", ask(python, ["-VV"]) ?? "", [pythonOf(venv)], () => makeVenv(python));
  } else if (!existsSync(pythonOf(prefix))) {
    throw new SetupError(`no Python at ${pythonOf(prefix)}; expected the prefix of an environment`);
  }
  const target = prefix ?? venv;
  const lists = withTests ? ["requirements.txt", "requirements-test.txt"] : ["requirements.txt"];
  const jupyter = join(programs(target), isWindows ? "jupyter.exe" : "jupyter");
  await step(`Python packages (${lists.join(", ")})`, fingerprint(lists, target), [jupyter], () =>
    run(
      pythonOf(target),
      ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...lists.flatMap((list) => ["-r", list])],
      { hint: "Python packages could not be installed: is the network (or your package index mirror) reachable?" },
    ),
  );
  if (withTests) await installOldClient(target);
  return target;
}

function installOldClient(prefix) {
  const list = "requirements-client7.txt";
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"];
  return step(`jupyter_client 7.4 (${list})`, fingerprint([list], prefix), [join(oldClient, "jupyter_client")], () =>
    run(pythonOf(prefix), [...pip, "--target", oldClient, "-r", join(root, list)], {
      hint: "Python packages could not be installed: is the network (or your package index mirror) reachable?",
    }),
  );
}

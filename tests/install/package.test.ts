import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { root, venvProgram } from "../environment.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "attention-lab-install-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const cli = (...args: string[]): string =>
  execFileSync(process.execPath, [join(root, "kernel/bin/attention-lab.js"), ...args], {
    encoding: "utf8",
    stdio: "pipe",
  });

describe("attention-lab install", () => {
  it("writes a kernelspec that starts this package, and the extension; uninstall removes both", () => {
    cli("install", "--prefix", folder);
    const spec = join(folder, "share/jupyter/kernels/attention-lab/kernel.json");
    const { argv, env, interrupt_mode, language } = JSON.parse(readFileSync(spec, "utf8")) as {
      argv: string[];
      env: object;
      interrupt_mode: string;
      language: string;
    };
    expect(argv.at(-1)).toBe("{connection_file}");
    expect(existsSync(argv[0])).toBe(true);
    expect(existsSync(argv.at(-2)!)).toBe(true);
    expect(env).toEqual({ GLIBC_TUNABLES: "glibc.malloc.hugetlb=1" });
    expect([interrupt_mode, language]).toEqual(["message", "typescript"]);
    const lab = join(folder, "share/jupyter/labextensions/attention-lab-extension");
    expect(existsSync(join(lab, "package.json"))).toBe(true);

    cli("uninstall", "--prefix", folder);
    expect([existsSync(spec), existsSync(lab)]).toEqual([false, false]);
  });

  it("refuses targets that exclude each other, with the usage", () => {
    expect(() => cli("install", "--user", "--prefix", folder)).toThrow(/exclude each other[\s\S]*usage:/);
  });

  it("doctor names what is missing and the fix", () => {
    expect(() => cli("doctor", "--prefix", folder)).toThrow();
    let output = "";
    try {
      cli("doctor", "--prefix", folder);
    } catch (error) {
      output = (error as { stdout: string }).stdout;
    }
    expect(output).toMatch(/✗ kernelspec: none at .*\n {4}→ run attention-lab install/);
    expect(output).toMatch(/✓ onnxruntime-node: loads/);
    expect(output).toMatch(/✓ Attention Lab: \d+\.\d+\.\d+, onnxruntime \d+\.\d+/);
    expect(output).toMatch(/✓ devices: cpu \(.+, \d+ GB, float32 and float16\), cuda \(/);
    expect(output).toMatch(/✓ Python: 3\.\d+\.\d+ \(.+\)/);
  });

  it("--sys-prefix is the environment of the first Python on PATH, where its Jupyter finds the kernel", () => {
    const python = venvProgram("python");
    const environment = join(folder, "environment");
    execFileSync(python, ["-m", "venv", "--without-pip", environment]);
    const bin = join(environment, process.platform === "win32" ? "Scripts" : "bin");
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` };
    const program = join(root, "kernel/bin/attention-lab.js");
    execFileSync(process.execPath, [program, "install", "--sys-prefix"], { env, stdio: "pipe" });
    expect(existsSync(join(environment, "share/jupyter/kernels/attention-lab/kernel.json"))).toBe(true);
    const withKernel = { ...process.env, JUPYTER_PATH: join(environment, "share/jupyter") };
    const list = ["-m", "jupyter", "kernelspec", "list", "--json"];
    const found = JSON.parse(execFileSync(python, list, { encoding: "utf8", env: withKernel, stdio: "pipe" })) as {
      kernelspecs: Record<string, { resource_dir: string }>;
    };
    expect(found.kernelspecs["attention-lab"].resource_dir).toBe(
      join(environment, "share/jupyter/kernels/attention-lab"),
    );
    execFileSync(process.execPath, [program, "uninstall", "--sys-prefix"], { env, stdio: "pipe" });
    expect(existsSync(join(environment, "share/jupyter/kernels/attention-lab"))).toBe(false);
  });
});

describe("the Python package", () => {
  it("holds the extension and the kernelspec and nothing else of ours", () => {
    execFileSync(venvProgram("python"), ["-m", "hatchling", "build", "-t", "wheel", "-d", folder], {
      cwd: root,
      stdio: "pipe",
    });
    const list =
      "import zipfile,glob,sys; print('\\n'.join(zipfile.ZipFile(glob.glob(sys.argv[1]+'/*.whl')[0]).namelist()))";
    const names = execFileSync(venvProgram("python"), ["-c", list, folder], { encoding: "utf8" }).trim().split("\n");
    const data = "attention_lab-0.1.0.data/data/share/jupyter";
    for (const expected of ["kernel.json", "launch.mjs", "logo-svg.svg", "logo-64x64.png"]) {
      expect(names).toContain(`${data}/kernels/attention-lab/${expected}`);
    }
    expect(names).toContain(`${data}/labextensions/attention-lab-extension/package.json`);
    expect(names).toContain(`${data}/labextensions/attention-lab-extension/install.json`);
    expect(names.some((name) => /remoteEntry\.\w+\.js$/.test(name))).toBe(true);
    expect(names.filter((name) => name.includes("node_modules"))).toEqual([]);
  }, 120_000);
});

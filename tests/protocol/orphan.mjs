// Starts a kernel and prints its process number; the test kills this process and looks whether the kernel goes too.
import { spawn } from "node:child_process";

const [node, program, file] = process.argv.slice(2);
const child = spawn(node, ["--no-force-async-hooks-checks", program, file], { stdio: "ignore", detached: true });
console.log(child.pid);
setTimeout(() => {}, 120_000);

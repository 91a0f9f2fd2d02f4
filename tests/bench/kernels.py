"""Attention Lab's kernel beside tslab and ipykernel, in one run, through jupyter_client: the rows of docs/benchmarks.md.

    .venv/bin/python tests/bench/kernels.py [--rounds 3] [--lines 100000] [attention-lab tslab python3]

Times are wall-clock medians over the rounds; every round starts a fresh kernel, and the kernels take turns.
A cell that holds "–" was not possible: the kernel does not answer, and the reason is printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]

CELLS = {
    "typescript": {
        "text": "const value{i}: number = {i}; value{i} * 2",
        "long": "\n".join(f"const long{i}: number[] = [1, 2, {i}].map((x) => x + {i});" for i in range(200)),
        "lines": "for (let i = 0; i < {n}; i++) console.log('line ' + i);",
        "loop": "let total = 0; for (let i = 0; i < 30000000; i++) {{ total += i % 7; }} total",
        "sleep": "await new Promise((done) => setTimeout(done, 3000));",
        "comm": "import {{ registerCommTarget }} from 'attention-lab'; registerCommTarget('echo', (comm) => comm.onMessage(({{ data, buffers }}) => comm.send(data, {{ buffers }})));",
        "model": "import {{ load }} from 'attention-lab'; const model = await load('all-MiniLM-L6-v2'); const texts = Array.from({{ length: 16 }}, () => 'word '.repeat(500)); (await model.run('warm')).tokens.length",
        "inference": "(await model.run(texts, {{ patterns: false }})).tokens.length",
    },
    "python": {
        "text": "value{i}: int = {i}; value{i} * 2",
        "long": "\n".join(f"long{i} = [x + {i} for x in [1, 2, {i}]]" for i in range(200)),
        "lines": "for i in range({n}): print('line', i)",
        "loop": "total = 0\nfor i in range(30000000): total += i % 7\ntotal",
        "sleep": "import asyncio; await asyncio.sleep(3)",
        "comm": "from ipykernel.comm import CommManager\ndef _echo(comm, msg):\n    comm.on_msg(lambda m: comm.send(m['content']['data'], buffers=m['buffers']))\nget_ipython().kernel.comm_manager.register_target('echo', _echo)",
    },
}


def write_specs(folder: Path) -> None:
    """A kernelspec for tslab as its installer writes it; ours and ipykernel's are installed in the environment."""
    spec = folder / "kernels" / "tslab"
    spec.mkdir(parents=True)
    tslab = ROOT / "node_modules" / "tslab" / "bin" / "tslab"
    argv = ["node", str(tslab), "kernel", "--config-path", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "tslab", "language": "typescript"}))


class Kernel:
    def __init__(self, name: str):
        self.manager = KernelManager(kernel_name=name)
        start = time.perf_counter()
        self.manager.start_kernel(cwd=str(ROOT), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.kernel_info()
        self.info = self.client.get_shell_msg(timeout=60)["content"]
        self.start_ms = (time.perf_counter() - start) * 1e3
        self.language = "python" if name == "python3" else "typescript"
        time.sleep(0.3)
        self.drain()

    def drain(self) -> None:
        while True:
            try:
                self.client.get_iopub_msg(timeout=0.2)
            except Empty:
                return

    def run(self, code: str, timeout: float = 120.0):
        """Milliseconds until reply and idle, the reply, and the iopub messages in between; None for a lost idle."""
        start = time.perf_counter()
        wanted = self.client.execute(code)
        reply = self.client.get_shell_msg(timeout=timeout)
        messages = []
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=5 if messages or reply else timeout)
            except Empty:
                return None, reply["content"], messages
            if message["parent_header"].get("msg_id") != wanted:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return (time.perf_counter() - start) * 1e3, reply["content"], messages
            messages.append(message)

    def memory_mb(self) -> float:
        pids = [self.manager.provisioner.pid]
        listing = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True).stdout.split("\n")[1:]
        pairs = [tuple(map(int, line.split())) for line in listing if line.strip()]
        for pid in pids:
            pids.extend(child for child, parent in pairs if parent == pid)
        resident = 0
        for pid in pids:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                resident += int(status.split("VmRSS:")[1].split()[0])
            except (OSError, IndexError):
                continue
        return resident / 1024

    def comm_echo(self, comm_id: str, size: int = 0, timeout: float = 30.0) -> float:
        content = {"comm_id": comm_id, "data": {"n": 1}}
        message = self.client.session.msg("comm_msg", content)
        buffers = [os.urandom(size)] if size else None
        start = time.perf_counter()
        self.client.session.send(self.client.shell_channel.socket, message, buffers=buffers)
        while True:
            answer = self.client.get_iopub_msg(timeout=timeout)
            if answer["msg_type"] == "comm_msg":
                elapsed = (time.perf_counter() - start) * 1e3
                if size and bytes(answer["buffers"][0]) != buffers[0]:
                    raise AssertionError("the buffer came back changed")
                return elapsed

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def measure(name: str, lines: int) -> dict:
    kernel = Kernel(name)
    cells = CELLS[kernel.language]
    row = {"start (ms)": kernel.start_ms, "memory at start (MB)": kernel.memory_mb()}
    try:
        row["first cell (ms)"] = kernel.run("1+1")[0]
        row["1+1, median of 50 (ms)"] = statistics.median(kernel.run("1+1")[0] for _ in range(50))
        row["new text, median of 50 (ms)"] = statistics.median(
            kernel.run(cells["text"].format(i=i))[0] for i in range(50)
        )
        row["200-line cell (ms)"] = kernel.run(cells["long"])[0]
        row["loop of 3e7 turns (ms)"] = kernel.run(cells["loop"].format())[0]
        row["memory after (MB)"] = kernel.memory_mb()
        elapsed, _, messages = kernel.run(cells["lines"].format(n=lines), timeout=300)
        text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
        row[f"{lines} lines: delivered"] = text.count("\n")
        row[f"{lines} lines (ms)"] = elapsed
        if elapsed is None:
            kernel.stop()
            kernel = Kernel(name)
        measure_comms(kernel, cells, row)
    finally:
        kernel.stop()
    return row


def measure_comms(kernel: Kernel, cells: dict, row: dict) -> None:
    reply = kernel.run(cells["comm"].format())[1]
    if reply["status"] != "ok" or name_of(kernel) == "tslab":
        print(f"  {name_of(kernel)}: no comms: {reply.get('evalue', 'not part of the kernel')}", file=sys.stderr)
        return
    session = kernel.client.session
    content = {"comm_id": "bench", "target_name": "echo", "data": {}}
    session.send(kernel.client.shell_channel.socket, session.msg("comm_open", content))
    kernel.drain()
    idle = [kernel.comm_echo("bench") for _ in range(50)]
    row["comm echo idle, p95 (ms)"] = sorted(idle)[47]
    row["256 MiB buffer, round trip (ms)"] = kernel.comm_echo("bench", 256 * 2**20, 120)
    kernel.drain()
    echo_during(kernel, cells["sleep"], row, "comm echo while a cell awaits, p95 (ms)")
    if name_of(kernel) == "attention-lab":
        status = kernel.run(cells["model"].format())[1]
        if status["status"] != "ok":
            sys.exit(f"no model to run: {status['evalue']}; run npm test, which fetches it")
        echo_during(kernel, cells["inference"].format(), row, "comm echo during inference, p95 (ms)")


def echo_during(kernel: Kernel, cell: str, row: dict, label: str) -> None:
    wanted = kernel.client.execute(cell)
    time.sleep(0.3)
    try:
        busy = [kernel.comm_echo("bench", timeout=5) for _ in range(20)]
    except Empty:
        print(f"  {name_of(kernel)}: {label}: no answer within 5 s", file=sys.stderr)
        return
    try:
        kernel.client.get_shell_msg(timeout=0)
        print(f"  {name_of(kernel)}: {label}: the cell ended before the answers came", file=sys.stderr)
    except Empty:
        row[label] = sorted(busy)[18]
        while kernel.client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != wanted:
            continue
    kernel.drain()


def name_of(kernel: Kernel) -> str:
    return kernel.manager.kernel_name


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kernels", nargs="*", default=["attention-lab", "tslab", "python3"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_specs(Path(folder))
        os.environ["JUPYTER_PATH"] = folder
        os.environ.setdefault("ATTENTION_LAB_MODELS", str(ROOT / ".cache" / "models"))
        known = KernelSpecManager().find_kernel_specs()
        missing = [name for name in options.kernels if name not in known]
        if missing:
            sys.exit(f"no kernelspec for {', '.join(missing)}; known: {', '.join(known)}; run npm run setup first")
        rows = {name: [] for name in options.kernels}
        for _ in range(options.rounds):
            for name in options.kernels:
                rows[name].append(measure(name, options.lines))
    print_table(rows)


def print_table(rows: dict) -> None:
    names = list(rows)
    first = names[0]
    labels = list(dict.fromkeys(label for taken in rows.values() for row in taken for label in row))
    print(f"| | {' | '.join(names)} | {' | '.join(f'{first} ÷ {name}' for name in names[1:])} |")
    print("|---" * (2 * len(names)) + "|")
    for label in labels:
        medians = {}
        for name in names:
            values = [row[label] for row in rows[name] if row.get(label) is not None]
            medians[name] = statistics.median(values) if values else None
        shown = ["–" if medians[name] is None else f"{medians[name]:.4g}" for name in names]
        ratios = [
            "–" if medians[first] is None or not medians[name] else f"{medians[first] / medians[name]:.2f}"
            for name in names[1:]
        ]
        print(f"| {label} | {' | '.join(shown)} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()

"""jupyter console, on a real terminal: what a person types, and what appears."""

import os
import pty
import re
import select
import subprocess
import sys
import time

kernel = os.environ["ATTENTION_LAB_KERNEL"]
seen = ""


def wait_for(pattern: str, seconds: float = 120) -> None:
    """Reads on until the pattern appears behind what was waited for before."""
    global seen
    end = time.monotonic() + seconds
    while not (found := re.search(pattern, seen)):
        if time.monotonic() > end:
            sys.exit(f"no {pattern!r} within {seconds} s; since the last match:\n{seen}")
        if select.select([terminal], [], [], 1)[0]:
            text = os.read(terminal, 1 << 16).decode(errors="replace")
            seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    seen = seen[found.end() :]


def type_line(line: str) -> None:
    os.write(terminal, (line + "\n").encode())


terminal, other_end = pty.openpty()
console = subprocess.Popen(
    [sys.executable, "-m", "jupyter_console", "--kernel", kernel, "--simple-prompt"],
    stdin=other_end,
    stdout=other_end,
    stderr=other_end,
    env={**os.environ, "TERM": "dumb"},
)
try:
    wait_for(r"In \[1\]:")
    type_line("const half: number = 21")
    wait_for(r"In \[2\]:")
    type_line("half * 2")
    wait_for(r"Out\[2\]: *42")
    wait_for(r"In \[3\]:")
    type_line('console.log("printed " + 6 * 7)')
    wait_for(r"\nprinted 42")
    wait_for(r"In \[4\]:")
    type_line('throw new Error("on " + "purpose")')
    wait_for(r"Error: on purpose")
    wait_for(r"In \[5\]:")
    type_line("half")
    wait_for(r"Out\[5\]: *21")
    wait_for(r"In \[6\]:")
finally:
    console.kill()

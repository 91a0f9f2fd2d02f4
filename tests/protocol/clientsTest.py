"""What Python clients need: nbclient runs notebooks, a manager interrupts and restarts the kernel."""

import os
import unittest

import nbformat
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

KERNEL = os.environ.get("ATTENTION_LAB_KERNEL", "attention-lab")


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def run(*sources, **options):
    made = notebook(*sources)
    NotebookClient(made, kernel_name=KERNEL, timeout=90, **options).execute()
    return [cell["outputs"] for cell in made.cells]


class Nbclient(unittest.TestCase):
    def test_outputs_reach_the_notebook(self):
        streams, result = run("for (let i = 0; i < 3000; i++) console.log(i)", "const x: number = 6; x * 7")
        self.assertEqual("".join(o["text"] for o in streams), "".join(f"{i}\n" for i in range(3000)))
        self.assertEqual(result[0]["data"]["text/plain"], "42")

    def test_an_error_raises_with_name_and_value(self):
        with self.assertRaises(CellExecutionError) as caught:
            run("throw new RangeError('too far')", "1")
        self.assertEqual(caught.exception.ename, "RangeError")
        self.assertEqual(caught.exception.evalue, "too far")

    def test_allow_errors_runs_every_later_cell(self):
        first, second, third = run("throw new Error('a')", "throw new Error('b')", "'reached'", allow_errors=True)
        self.assertEqual([first[0]["evalue"], second[0]["evalue"]], ["a", "b"])
        self.assertEqual(third[0]["data"]["text/plain"], "'reached'")

    def test_a_cell_over_its_time_is_interrupted_and_the_next_one_runs(self):
        made = notebook("while (true) {}", "'next'")
        limits = {"while (true) {}": 1, "'next'": 90}
        options = {"timeout_func": lambda cell: limits[cell["source"]], "interrupt_on_timeout": True}
        client = NotebookClient(made, kernel_name=KERNEL, allow_errors=True, **options)
        client.execute()
        self.assertEqual(made.cells[0]["outputs"][0]["ename"], "InterruptError")
        self.assertEqual(made.cells[1]["outputs"][0]["data"]["text/plain"], "'next'")


class Manager(unittest.TestCase):
    def setUp(self):
        self.manager, self.client = start_new_kernel(kernel_name=KERNEL)

    def tearDown(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def value(self, code):
        outputs = []
        reply = self.client.execute_interactive(code, timeout=90, output_hook=outputs.append)
        values = [m["content"]["data"]["text/plain"] for m in outputs if m["msg_type"] == "execute_result"]
        return reply["content"]["status"], values

    def test_restart_forgets_and_serves_on_the_same_ports(self):
        for now in (False, True):
            self.value("let remembered = 1")
            self.manager.restart_kernel(now=now)
            self.client.wait_for_ready(timeout=90)
            self.assertEqual(self.value("typeof remembered"), ("ok", ["'undefined'"]))

    def test_interrupt_kernel_stops_the_cell(self):
        self.client.execute("await new Promise(() => {})")
        while self.client.get_iopub_msg(timeout=90)["msg_type"] != "execute_input":
            pass
        self.manager.interrupt_kernel()
        reply = self.client.get_shell_msg(timeout=90)
        self.assertEqual(reply["content"]["ename"], "InterruptError")
        self.assertTrue(self.client.is_alive())

    def test_shutdown_ends_the_process(self):
        self.manager.shutdown_kernel()
        self.assertFalse(self.manager.is_alive())

    def test_input_through_the_blocking_client(self):
        code = "await globalThis[Symbol.for('attention-lab.kernel')].input('? ')"
        outputs = []
        self.client.execute_interactive(
            code,
            allow_stdin=True,
            timeout=90,
            output_hook=outputs.append,
            stdin_hook=lambda message: self.client.input("answer"),
        )
        values = [m["content"]["data"]["text/plain"] for m in outputs if m["msg_type"] == "execute_result"]
        self.assertEqual(values, ["'answer'"])


if __name__ == "__main__":
    unittest.main()

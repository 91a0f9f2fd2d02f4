"""The published jupyter_kernel_test, run against an installed kernelspec named in ATTENTION_LAB_KERNEL."""

import os
import unittest

import jupyter_kernel_test

KERNEL = os.environ.get("ATTENTION_LAB_KERNEL", "attention-lab")


class AttentionLabKernel(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [{"text": "consol", "matches": {"console"}}]
    complete_code_samples = ["1 + 1", "console.log('a')", "function f(x: number) {\n  return x * 2;\n}", "const a = `x\ny`"]
    incomplete_code_samples = ["function f() {", "console.log(", "const x = [1,", "`open"]
    invalid_code_samples = ["const = 3", "import 7", "let 5x = 1"]
    code_generate_error = "throw new Error('expected')"
    code_execute_result = [
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": "[1, 2, 3].map((n: number) => n * n)", "result": "[ 1, 4, 9 ]"},
        {"code": "'a' + 'b'", "result": "'ab'"},
    ]
    code_display_data = [
        {
            "code": "globalThis[Symbol.for('attention-lab.kernel')].display({ 'text/html': '<b>x</b>' }, { raw: true })",
            "mime": "text/html",
        },
    ]
    code_history_pattern = "1*2*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "parseInt"
    code_clear_output = "globalThis[Symbol.for('attention-lab.kernel')].clearOutput()"


class AttentionLabWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = KERNEL
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main()

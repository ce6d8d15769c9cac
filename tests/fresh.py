"""Fresh Python processes that have imported TensorFlow already, for the checks of exported models.

A check wants a process that knows nothing but TensorFlow, whose import takes four seconds. Here one
such process imports it, does nothing with it, and forks: each fork is as fresh as a new process.
"""

import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

PARENT = """
import json, os, sys, traceback
sys.modules["keras"] = None  # as the check itself does before it imports TensorFlow
import tensorflow
for line in iter(sys.stdin.readline, ""):
    job = json.loads(line)
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    status = 1
    try:
        sys.stdin, sys.stdout, sys.stderr = (
            open(os.path.join(job["folder"], name), mode)
            for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
        )
        os.dup2(sys.stderr.fileno(), 2)
        exec(job["code"], {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
"""


@functools.cache
def parent():
    """The process that forks; it ends with this one, when its standard input closes."""
    command = [sys.executable, "-I", "-c", PARENT]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def run(code, text):
    """Runs code with a text as standard input: in place of `zoo.export.run_isolated`."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / name for name in ("stdin", "stdout", "stderr")}
        files["stdin"].write_text(text)
        process = parent()
        process.stdin.write(json.dumps({"folder": folder, "code": code}) + "\n")
        process.stdin.flush()
        status = int(process.stdout.readline())
        output, errors = files["stdout"].read_text(), files["stderr"].read_text()
    return subprocess.CompletedProcess(["fork"], status, output, errors)

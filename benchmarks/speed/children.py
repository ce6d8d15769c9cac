"""Tasks in fresh processes: peak memory, number of compilations, a loaded export."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).resolve().parents[1] / "recurrent.py"


def in_fresh_process(task: str, job: dict[str, Any], flags: str = "") -> Any:
    """Runs a task of `commands.TASKS` in a separate process and returns its answer.

    Args:
        task: Its name.
        job: Its arguments, as JSON can hold them.
        flags: `XLA_FLAGS` of the process, added to those that are set.

    Raises:
        RuntimeError: The process failed; the message ends with its output.
    """
    environment = {**os.environ}
    if flags:
        environment["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    result = subprocess.run(
        [sys.executable, str(SCRIPT), "--child", task],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        env=environment,
    )
    if result.returncode:
        raise RuntimeError(f"the process for {task} failed: {result.stderr[-2000:]}")
    return json.loads(result.stdout.splitlines()[-1])

"""The progress line of an epoch."""

import sys
import time


class Progress:
    """One line that follows an epoch: redrawn on a terminal, every half minute elsewhere.

    Args:
        title: The beginning of the line, `epoch 3/10`.
        steps: Number of steps of the epoch.
        compiling: Whether the first step compiles the model, which takes far longer than a step.
    """

    def __init__(self, title: str, steps: int, compiling: bool = False) -> None:
        self.title, self.steps = title, steps
        self.shown = time.monotonic()
        self.start: float | None = None  # the end of the first step: until then no rate is known
        self.live = sys.stderr.isatty()
        if self.live and compiling:
            self._write(f"{title}  compiling ...")

    def update(self, step: int, text: str) -> None:
        """Shows step number `step`, if it is time to, with `text` and an estimate of the time left.

        There is no estimate before the second step.
        """
        now = time.monotonic()
        if self.start is None:
            self.start = now
        if now - self.shown < (0.2 if self.live else 30):
            return
        self.shown = now
        line = f"{self.title}  step {step}/{self.steps}  {text}"
        if step > 1:
            line += f"  {(now - self.start) / (step - 1) * (self.steps - step):.0f} s left"
        self._write(f"\r\x1b[K{line}" if self.live else f"{line}\n")

    def done(self) -> None:
        """Removes the line from a terminal."""
        if self.live:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

"""What a person sees while training runs."""

import sys
import time


class Progress:
    """One line that follows an epoch: redrawn on a terminal, every half minute elsewhere.

    Args:
        title: What stands in front (`epoch 3/10`).
        steps: Number of steps of the epoch.
    """

    def __init__(self, title: str, steps: int) -> None:
        self.title, self.steps = title, steps
        self.start = self.shown = time.monotonic()
        self.live = sys.stderr.isatty()

    def update(self, step: int, text: str) -> None:
        """Shows step number `step`, if it is time to, with the remaining seconds and `text`."""
        now = time.monotonic()
        if now - self.shown < (0.2 if self.live else 30):
            return
        self.shown = now
        left = (now - self.start) / step * (self.steps - step)
        line = f"{self.title}  step {step}/{self.steps}  {text}  {left:.0f} s left"
        self._write(f"\r\x1b[K{line}" if self.live else f"{line}\n")

    def done(self) -> None:
        """Takes the line away again, on a terminal."""
        if self.live:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

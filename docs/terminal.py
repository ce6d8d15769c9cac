"""Runs two commands and draws docs/terminal.svg, what a terminal shows: `python docs/terminal.py`.

It trains for about a minute. The picture has no reference to fonts or styles on other servers.
"""

import io
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

COMMANDS = (
    "rnn-zoo all sentiment",
    'rnn-zoo predict sentiment "slow at first, but I loved the ending"',
)
LONGEST = 116  # columns
FONTS = "Menlo, Consolas, DejaVu Sans Mono, monospace"
SCRIPT = "import sys\nfrom recipes.cli import main\nsys.exit(main())\n"


def output_of(command: str, folder: Path) -> str:
    """What a command prints, run in a folder that has the console script."""
    words = [sys.executable, *shlex.split(command)]
    done = subprocess.run(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    return done.stdout


def drawing(transcript: list[tuple[str, str]]) -> str:
    """The commands and their outputs as SVG."""
    console = Console(record=True, width=LONGEST, file=io.StringIO())
    for command, output in transcript:
        console.print(Text.assemble(("$ ", "green"), (command, "bold")))
        console.print(Text(output))
    svg = console.export_svg(title="rnn-zoo", theme=DIMMED_MONOKAI, unique_id="terminal")
    svg = svg.replace("Fira Code, monospace", FONTS)
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "rnn-zoo").write_text(SCRIPT, encoding="utf-8")
        lines = [(command, output_of(command, Path(place))) for command in COMMANDS]
    Path(__file__).with_suffix(".svg").write_text(drawing(lines), encoding="utf-8")

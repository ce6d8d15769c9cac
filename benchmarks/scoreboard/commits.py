"""The commit and the day that a new number names."""

import datetime
import subprocess
from pathlib import Path

from zoo.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
# what the scoreboard itself writes, and prose, change no number
WRITTEN = (":!benchmarks/results", ":!zoo/scores.json", ":!*.md")


def head(root: Path = ROOT) -> str:
    """The short name of the newest commit.

    Raises:
        InputError: The sources have changes that are not committed, so that no commit has the
            code that was run, or there is no git repository.
    """
    changed = _git(root, "status", "--porcelain", "--", ".", *WRITTEN).splitlines()
    if changed:
        raise InputError(
            f"{changed[0][3:]} has changes that are not committed, so no commit has the code of "
            "the run: commit first, or give --commit"
        )
    return _git(root, "rev-parse", "--short=7", "HEAD").strip()


def seconds_of(commit: str, root: Path = ROOT) -> float:
    """When a commit was made, in seconds since 1970."""
    return float(_git(root, "show", "-s", "--format=%ct", f"{commit}^{{commit}}"))


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise InputError(f"git cannot be run ({error.strerror}): install it") from error
    if result.returncode:
        reason = " ".join(result.stderr.split())[:200]
        raise InputError(f"{' '.join(['git', *words[:2]])} failed: {reason}")
    return result.stdout


def today() -> str:
    """The day, in UTC."""
    return day_of(datetime.datetime.now(datetime.timezone.utc).timestamp())


def day_of(seconds: float) -> str:
    """The day of seconds since 1970, in UTC.

    Example:
        >>> day_of(0)
        '1970-01-01'
    """
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")

"""Where data is: the value of `--data` -> the built-in corpus, tensorflow-datasets, or files."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from recipes.data.naming import is_hidden
from recipes.data.splits import SPLIT_OF, SPLITS
from zoo.errors import InputError

PREFIX = "tfds:"
ANY_NAME = "|".join(SPLIT_OF)  # a regular expression


class Builtin(NamedTuple):
    """The corpus that a recipe generates."""


class Tfds(NamedTuple):
    """A data set of tensorflow-datasets, `tfds:NAME[/CONFIG]`."""

    spec: str


class Files(NamedTuple):
    """A file or a folder of the user's.

    Attributes:
        path: The file or the folder.
        inside: The folder's files in the order of their names, hidden ones left out; None for a
            file.
    """

    path: Path
    inside: list[Path] | None

    def by_split(
        self, pattern: re.Pattern[str], split_of: Mapping[str, str] = SPLIT_OF, usual: str = ""
    ) -> dict[str, Path]:
        """The folder's file of each split.

        A lone file is `train`.

        Args:
            pattern: What a file's name in small letters must match; its first group is the name
                of a split.
            split_of: The names of splits, and the split that each means.
            usual: Where a split has files with this ending, others do not count.

        Raises:
            InputError: A split has two files.
        """
        if self.inside is None:
            return {"train": self.path}
        matches: dict[str, list[Path]] = {name: [] for name in SPLITS}
        for path in self.inside:
            match = pattern.fullmatch(path.name.lower())
            if match:
                matches[split_of[match[1]]].append(path)
        files = {}
        for name, paths in matches.items():
            with_usual = [each for each in paths if usual and without_gz(each).endswith(usual)]
            paths = with_usual or paths
            if len(paths) > 1:
                listed = " and ".join(each.name for each in paths)
                raise InputError(
                    f"{self.path} holds {listed}, expected one {name} file: take one away"
                )
            if paths:
                files[name] = paths[0]
        return files


def locate(data: str, kinds: str) -> Builtin | Tfds | Files:
    """Finds what `--data` names; `kinds` is what the error says that it may be.

    Raises:
        InputError: There is no such file or folder, or it may not be read.
    """
    if data == "builtin":
        return Builtin()
    if data.startswith(PREFIX):
        return Tfds(data)
    try:
        path = Path(data).expanduser()
        if data and path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.is_file())
            return Files(path, [each for each in inside if not is_hidden(each)])
        if data and path.exists():
            return Files(path, None)
        raise InputError(_no_such_data(data, path, kinds))
    except (OSError, RuntimeError) as error:  # a folder that may not be read; an unknown ~user
        raise InputError(f"--data must be {kinds}, got {data!r}, which fails: {error}") from error


def _no_such_data(data: str, path: Path, kinds: str) -> str:
    names = ["builtin", PREFIX + data.partition(":")[2]]
    siblings = [str(each) for each in path.parent.iterdir()] if path.parent.is_dir() else []
    matches = difflib.get_close_matches(data, names, n=1) or difflib.get_close_matches(
        str(path), siblings, n=1
    )
    near = f"; did you mean {matches[0]!r}?" if matches else ": check the spelling"
    place = "" if path.is_absolute() or not path.suffix else f" (in the folder {Path.cwd()})"
    return f"--data must be {kinds}, got {data!r}, which is none of them{place}{near}"


def without_gz(path: Path) -> str:
    """A file's name in small letters, without a final `.gz`."""
    return path.name.lower().removesuffix(".gz")

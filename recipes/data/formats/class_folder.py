"""A folder with a text file for each class, one text a line: `names/Czech.txt`, ..."""

import re
from pathlib import Path

from recipes.data.items import Example
from recipes.data.naming import clean, is_about, is_hidden
from zoo.errors import InputError
from zoo.system.lines import read_text, split_lines

ENDINGS = (".txt", ".txt.gz")


def class_files(folder: Path, any_ending: bool = False) -> dict[str, list[Path]]:
    """Finds the classes that a folder names, in alphabetical order, and the files of each.

    Hidden files (`._Czech.txt` from a macOS archive) and files about the data (`README.txt`,
    `LICENSE.txt`) name no class. Names that differ in their Unicode normal form alone name one
    class, so that it may have more than one file. With `any_ending` files with any ending or none
    count, and not `.txt` alone.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        stem = _stem(path.name, any_ending)
        if clean(stem) and not is_hidden(path) and not is_about(stem):
            found.setdefault(clean(stem), []).append(path)
    return dict(sorted(found.items()))


def _stem(name: str, any_ending: bool) -> str:
    """A file's name without its ending; `""` for another ending than `.txt`."""
    for ending in ENDINGS:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return re.sub(r"(?<=.)\.[^.]*$", "", re.sub(r"\.gz$", "", name)) if any_ending else ""


def read_class_folder(folder: Path, any_ending: bool = False) -> list[Example]:
    """Reads every file's lines as examples of its class, class by class; blank ones do not count.

    For `any_ending` see `class_files`.

    Raises:
        InputError: A file cannot be read or holds no text, or `CLASS.txt` has `CLASS.txt.gz` beside
            it.
    """
    files = class_files(folder, any_ending)
    used = {path for paths in files.values() for path in paths}
    others = sorted(each.name for each in folder.iterdir() if each.is_file() and each not in used)
    if others:
        shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
        print(f"files in {folder} that name no class: {shown}", flush=True)
    examples = []
    for label, paths in files.items():
        _check_distinct(folder, label, paths, any_ending)
        for path in paths:
            texts = [line.strip() for line in split_lines(read_text(path))]
            texts = [text for text in texts if text]
            if not texts:
                raise InputError(
                    f"{path}: the file is empty, expected a text of the class {label!r} on each "
                    f"line: put some in, or take the file away"
                )
            examples += [Example(text, label) for text in texts]
    return examples


def _check_distinct(folder: Path, label: str, paths: list[Path], any_ending: bool) -> None:
    """Refuses two files of a class, unless their names differ in the normal form alone."""
    if len({_stem(path.name, any_ending) for path in paths}) < len(paths):
        raise InputError(
            f"{folder} holds {' and '.join(path.name for path in paths)}, expected one file for "
            f"the class {label!r}: join them, or take one away"
        )

"""A folder with a text file for each class, one text a line: `names/Czech.txt`, ..."""

from pathlib import Path

from recipes.sources.table import Example
from recipes.sources.textfile import read_text, split_lines
from zoo.errors import InputError

ENDINGS = (".txt", ".txt.gz")


def class_files(folder: Path) -> dict[str, Path]:
    """The classes that a folder names, in alphabetical order, and their files."""
    found = {}
    for path in sorted(each for each in folder.iterdir() if each.is_file()):
        for ending in ENDINGS:
            if path.name.lower().endswith(ending) and len(path.name) > len(ending):
                found[path.name[: -len(ending)]] = path
    return found


def read_class_folder(folder: Path) -> list[Example]:
    """Reads every file's lines as examples of its class; blank lines do not count.

    Args:
        folder: Holds `CLASS.txt` for two classes or more.

    Returns:
        The examples, class by class.

    Raises:
        InputError: A file cannot be read or holds no text.
    """
    examples = []
    for label, path in class_files(folder).items():
        texts = [line.strip() for line in split_lines(read_text(path))]
        texts = [text for text in texts if text]
        if not texts:
            raise InputError(
                f"{path}: the file is empty, expected a text of the class {label!r} on each line: "
                f"put some in, or take the file away"
            )
        examples += [Example(text, label) for text in texts]
    return examples

"""CoNLL-U, the format of the Universal Dependencies -> sentences with parts of speech.

One word a line in ten columns between tabs (ID, FORM, LEMMA, UPOS, XPOS, ...), a blank line between
sentences, comments behind `#`. Multi-word tokens (`1-2`, which stand above their words) and empty
nodes (`8.1`, which nobody wrote) are no words and are skipped.

Source: universaldependencies.org/format.html
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from recipes.data.items import Sentence
from recipes.data.naming import clean
from zoo.errors import InputError, require_choice
from zoo.system.lines import read_text, split_lines

TAGS = {"upos": 3, "xpos": 4}  # name -> column
OTHERS = {**TAGS, "feats": 5, "deprel": 7}  # what may be learned beside
_WIDTH = 10
_NO_WORD = re.compile(r"[0-9]+[-.][0-9]+")


def read_conllu(
    path: str | Path,
    tag: str = "upos",
    others: Sequence[str] = (),
    counts: Counter[str] | None = None,
) -> list[Sentence]:
    """Reads the sentences of one file, at least one, in the file's order.

    Args:
        path: A text file in UTF-8; gzipped if its name ends in `.gz`.
        tag: `upos`, the 17 universal parts of speech, or `xpos`, those of the language.
        others: Columns to be read besides, of `OTHERS`.
        counts: Is given the number of comments, as "comments".

    Raises:
        InputError: The file cannot be read, holds no sentence, or a line is malformed: names the
            file and the line.
    """
    require_choice("the tag of CoNLL-U (--tags-feature)", tag, TAGS)
    for other in others:
        require_choice("another tag of CoNLL-U (--auxiliary)", other, OTHERS)
    path = Path(path)
    lines = list(enumerate(split_lines(read_text(path)), start=1))
    rows = [(number, line) for number, line in lines if not line.startswith("#")]
    if counts is not None:
        counts["comments"] += len(lines) - len(rows)
    sentences = []
    for is_sentence, group in groupby(rows, key=lambda row: bool(row[1].strip())):
        words = _words(path, list(group), tag, others) if is_sentence else []
        if words:
            sentences.append(Sentence.of(words))
    if not sentences:
        raise InputError(
            f"{path}: holds no sentence, expected words in {_WIDTH} columns between tabs: put some "
            f"in, or name another file"
        )
    return sentences


def _words(
    path: Path, rows: list[tuple[int, str]], tag: str, others: Sequence[str]
) -> list[tuple[str, ...]]:
    """Forms and tags of one sentence."""
    words: list[tuple[str, ...]] = []
    for number, line in rows:
        where = f"{path}:{number}"
        fields = _fields(where, line)
        if not _NO_WORD.fullmatch(fields[0]):
            _check_id(where, fields[0], len(words) + 1)
            further = [clean(fields[OTHERS[name]]) for name in others]
            words.append((*_word(where, fields, tag), *further))
    return words


def _fields(where: str, line: str) -> list[str]:
    fields = line.split("\t")
    if len(fields) != _WIDTH:
        shown = line if len(line) <= 60 else line[:57] + "..."
        raise InputError(
            f"{where}: {len(fields)} column{'s' * (len(fields) != 1)} ({shown!r}), expected "
            f"{_WIDTH} between tabs as in all CoNLL-U: mend the line, or name the file .conll if "
            f"it has columns of another kind"
        )
    return fields


def _check_id(where: str, found: str, expected: int) -> None:
    if found != str(expected):
        raise InputError(
            f"{where}: id {found!r}, expected '{expected}': number the words of a sentence from 1 "
            f"up, and put a blank line between sentences"
        )


def _word(where: str, fields: list[str], tag: str) -> tuple[str, str]:
    form, name = fields[1].strip(" "), clean(fields[TAGS[tag]])
    if not form:
        raise InputError(f"{where}: the form (column 2) is empty, expected the word: write it")
    if name in ("", "_"):
        raise InputError(
            f"{where}: the word {form!r} has no {tag} ({name!r}), expected one for every word: tag "
            f"it, or choose upos or xpos with --tags-feature"
        )
    return form, name

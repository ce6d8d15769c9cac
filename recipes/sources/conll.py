"""CoNLL columns: one token a line with its tags, a blank line between sentences -> sentences.

- *Separator*: tabs if a line has one between its columns, so that tokens may hold blanks; else any
  run of blanks. Blanks around a column and behind the last one do not count.
- *Skipped*: `-DOCSTART-` lines, which end a sentence; and comments, lines that begin with `# ` and
  have not the columns of the others. (A `#` with as many columns as the others is a token.)

Every line has as many columns as the first. Tags are taken as they stand, whatever their scheme.

Source: the shared tasks from CoNLL-2000 on; Tjong Kim Sang and De Meulder, arXiv:cs/0306050.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from recipes.sources.sentences import Sentence
from recipes.sources.textfile import read_text, split_lines
from zoo.errors import InputError

_BLANKS = " \t"  # and no others: a no-break space stands inside real tokens
_REMARK = "# "
_DOCUMENT = "-DOCSTART-"


class _Row(NamedTuple):
    """One line; `fields` is empty between sentences."""

    line: int
    text: str
    fields: list[str]


def read_conll(
    path: str | Path, token_column: int = 0, tag_column: int = -1, others: Sequence[int] = ()
) -> list[Sentence]:
    """Reads the sentences of one file, in the file's order.

    Args:
        path: A text file in UTF-8; gzipped if its name ends in `.gz`.
        token_column: The token's column, counted from 0, or from -1 backwards from the last.
        tag_column: The tag's column, counted likewise.
        others: Columns of further tags, counted likewise.

    Returns:
        Sentences, at least one.

    Raises:
        InputError: The file cannot be read or has no such columns, or a line is malformed: names
            the file and the line.
    """
    path = Path(path)
    rows = _rows(split_lines(read_text(path)))
    first = next((row for row in rows if row.fields and not row.text.startswith(_REMARK)), None)
    if first is None:
        raise InputError(
            f"{path}: holds no sentence, expected a token and its tag in each line: put some in, "
            f"or name another file"
        )
    columns = _columns(path, first, token_column, tag_column, others)
    width = len(first.fields)
    rows = [row for row in rows if len(row.fields) == width or not row.text.startswith(_REMARK)]
    sentences = []
    for is_sentence, group in groupby(rows, key=lambda row: bool(row.fields)):
        if is_sentence:
            sentences.append(Sentence.of(_word(path, row, first, columns) for row in group))
    return sentences


def _rows(lines: list[str]) -> list[_Row]:
    tabs = any("\t" in line.strip(_BLANKS) for line in lines if not line.startswith(_REMARK))
    return [_Row(number, line, _fields(line, tabs)) for number, line in enumerate(lines, start=1)]


def _fields(line: str, tabs: bool) -> list[str]:
    if line.startswith(_DOCUMENT) or not line.strip(_BLANKS):
        return []
    if tabs:
        return [field.strip(" ") for field in line.rstrip(_BLANKS).split("\t")]
    return [field for field in line.strip(_BLANKS).split(" ") if field]


def _columns(
    path: Path, first: _Row, token_column: int, tag_column: int, others: Sequence[int]
) -> list[int]:
    """All columns, counted from 0."""
    width = len(first.fields)
    if width == 1:
        raise InputError(
            f"{path}:{first.line}: 1 column ({_shown(first)}), expected 2 or more, a token and its "
            f"tag: put a tab or a blank between them"
        )
    asked = [("--token-column", token_column), ("--tag-column", tag_column)]
    for option, column in [*asked, *[("--auxiliary", other) for other in others]]:
        if not -width <= column < width:
            raise InputError(
                f"{path}:{first.line}: there is no column {column} among {width} columns "
                f"({_shown(first)}), expected 0 to {width - 1}, or -1 for the last: choose another "
                f"with {option}"
            )
    if token_column % width == tag_column % width:
        raise InputError(
            f"{path}: tokens and tags are both read from column {token_column % width} of {width}, "
            f"expected two columns: choose another with --token-column or --tag-column"
        )
    return [column % width for column in (token_column, tag_column, *others)]


def _word(path: Path, row: _Row, first: _Row, columns: Sequence[int]) -> tuple[str, ...]:
    """A line's token and tags."""
    width, expected = len(row.fields), len(first.fields)
    if width != expected:
        raise InputError(
            f"{path}:{row.line}: {width} column{'s' * (width != 1)} ({_shown(row)}), expected "
            f"{expected} as in line {first.line}: mend the line; where a token holds blanks, put "
            f"tabs between the columns of the whole file"
        )
    word = tuple(row.fields[column] for column in columns)
    if not all(word):
        missing = "tag" if word[0] else "token"
        raise InputError(
            f"{path}:{row.line}: the {missing} is empty ({_shown(row)}), expected {expected} "
            f"columns as in line {first.line}: add it, or leave the line out"
        )
    return word


def _shown(row: _Row) -> str:
    return repr(row.text if len(row.text) <= 60 else row.text[:57] + "...")

"""CoNLL columns: one token a line with its tags, a blank line between sentences -> sentences.

- *Separator*: tabs if a line has one between its columns, so that tokens may hold blanks; else any
  run of blanks. Blanks around a column and behind the last one do not count.
- *Skipped*: `-DOCSTART-` lines, which end a sentence; and comments.
- *Comments*: lines that begin with `#` and have another number of columns than the file. Between
  blanks a comment may have as many by chance: `# key = value` is one, and so are lines such as
  `# newdoc`, `#begin document` and `# key=value` if the tag column has no known tag there (`O`, or
  a tag of another line). `# https://...` is one in every file, under the same condition. All other
  lines with the file's number of columns are tokens, `#` and `#tag` included.

The first line that does not begin with `#` says how many columns the file has. Tags are read as
they are written, in Unicode's normal form C, whatever their scheme.

Source: the shared tasks from CoNLL-2000 on; Tjong Kim Sang and De Meulder, arXiv:cs/0306050.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from recipes.sources.labels import clean
from recipes.sources.sentences import Sentence
from recipes.sources.textfile import read_text, split_lines
from zoo.errors import InputError

_BLANKS = " \t"  # and no others: a no-break space stands inside real tokens
_MARK = "#"
_ASSIGNMENT = re.compile(r"# *[^\s=]+(?: +[^\s=]+)? +=(?: .*)?")  # `# sent_id = 7`
_DIRECTIVE = re.compile(r"# *(?:(?i:newdoc|newpar|begin|end)\b|[a-z][a-z0-9_.]*=).*")
_ADDRESS = re.compile(r"#\s*(?:https?://|www\.).*", re.IGNORECASE)
_DOCUMENT = "-DOCSTART-"


class _Row(NamedTuple):
    """One line; `fields` is empty between sentences."""

    line: int
    text: str
    fields: list[str]


def read_conll(
    path: str | Path,
    token_column: int = 0,
    tag_column: int = -1,
    others: Sequence[int] = (),
    counts: Counter[str] | None = None,
) -> list[Sentence]:
    """Reads the sentences of one file, in the file's order.

    Args:
        path: A text file in UTF-8; gzipped if its name ends in `.gz`.
        token_column: The token's column, counted from 0, or from -1 backwards from the last.
        tag_column: The tag's column, counted likewise.
        others: Columns of further tags, counted likewise.
        counts: Is given the numbers of lines that begin with `#`: "comments" and "tokens".

    Returns:
        Sentences, at least one.

    Raises:
        InputError: The file cannot be read or has no such columns, or a line is malformed: names
            the file and the line.
    """
    path = Path(path)
    rows = _rows(split_lines(read_text(path)))
    first = _first(path, rows)
    columns = _columns(path, first, token_column, tag_column, others)
    rows = _without_comments(rows, len(first.fields), columns[1], counts)
    sentences = []
    for is_sentence, group in groupby(rows, key=lambda row: bool(row.fields)):
        if is_sentence:
            sentences.append(Sentence.of(_word(path, row, first, columns) for row in group))
    return sentences


def _rows(lines: list[str]) -> list[_Row]:
    words = [line for line in lines if line.strip(_BLANKS) and not line.startswith(_DOCUMENT)]
    plain = [line for line in words if not _is_marked(line)] or words
    tabs = any("\t" in line.strip(_BLANKS) for line in plain)
    return [_Row(number, line, _fields(line, tabs)) for number, line in enumerate(lines, start=1)]


def _is_marked(line: str) -> bool:
    """Whether a line may be a comment."""
    return line.lstrip(" ").startswith(_MARK)


def _first(path: Path, rows: Sequence[_Row]) -> _Row:
    """The row that says how many columns the file has."""
    words = [row for row in rows if row.fields]
    for row in words:
        if not _is_marked(row.text):
            return row
    for row in words:  # every line begins with #: tokens that are hash tags
        hash_tag = not row.text.startswith("# ") and not _is_remark(row.text)
        if len(row.fields) > 1 and hash_tag:
            return row
    raise InputError(
        f"{path}: holds no sentence, expected a token and its tag in each line: put some in, "
        f"or name another file"
    )


def _without_comments(
    rows: Sequence[_Row], width: int, tag_column: int, counts: Counter[str] | None
) -> list[_Row]:
    """The rows that hold tokens or end a sentence."""
    tags = {"O"}
    for row in rows:
        if len(row.fields) == width and not _is_remark(row.text):
            tags.add(row.fields[tag_column])
    found = []
    for row in rows:
        marked = bool(row.fields) and _is_marked(row.text)
        comment = marked and (
            len(row.fields) != width
            or _is_remark(row.text)
            and (_is_assignment(row.text) or row.fields[tag_column] not in tags)
        )
        if not comment:
            found.append(row)
        if marked and counts is not None:
            counts["comments" if comment else "tokens"] += 1
    return found


def _is_remark(line: str) -> bool:
    """Whether a line may be a comment though it has as many columns as tokens have."""
    line = line.strip(_BLANKS)
    if "\t" in line:
        return _ADDRESS.fullmatch(line) is not None
    return any(pattern.fullmatch(line) for pattern in (_ASSIGNMENT, _DIRECTIVE, _ADDRESS))


def _is_assignment(line: str) -> bool:
    line = line.strip(_BLANKS)
    return "\t" not in line and _ASSIGNMENT.fullmatch(line) is not None


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
    token, *tags = (row.fields[column] for column in columns)
    word = (token, *map(clean, tags))
    if not all(word):
        missing = "tag" if word[0] else "token"
        raise InputError(
            f"{path}:{row.line}: the {missing} is empty ({_shown(row)}), expected {expected} "
            f"columns as in line {first.line}: add it, or leave the line out"
        )
    return word


def _shown(row: _Row) -> str:
    return repr(row.text if len(row.text) <= 60 else row.text[:57] + "...")

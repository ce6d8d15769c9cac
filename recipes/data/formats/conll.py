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

from recipes.data.columns import NUMBER, candidates, place_of
from recipes.data.items import Sentence
from recipes.data.naming import clean
from zoo.errors import InputError
from zoo.system.lines import read_text, split_lines

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
    token_column: str | int = 0,
    tag_column: str | int = -1,
    others: Sequence[str | int] = (),
    counts: Counter[str] | None = None,
    header: bool = False,
) -> list[Sentence]:
    """Reads the sentences of one file, at least one, in the file's order.

    Args:
        path: A text file in UTF-8; gzipped if its name ends in `.gz`.
        token_column: As in `TaggedColumns`.
        tag_column: Likewise.
        others: Columns of further tags.
        counts: Is given the numbers of lines that begin with `#`: "comments" and "tokens".
        header: Whether the first line names the columns, and is no token.

    Raises:
        InputError: The file cannot be read or has no such columns, or a line is malformed: names
            the file and the line.
    """
    path = Path(path)
    rows = _rows(split_lines(read_text(path)))
    names = None
    if header:
        place, names = _header(path, rows)
        rows = rows[place + 1 :]
    first = _first(path, rows)
    columns = _columns(path, first, names, [token_column, tag_column, *others])
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
    return _MARK in line and line.lstrip(" ").startswith(_MARK)


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
        remark = _is_marked(row.text) and _is_remark(row.text)
        if len(row.fields) == width and not remark:
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


def _header(path: Path, rows: Sequence[_Row]) -> tuple[int, list[str]]:
    """The place of the line that names the columns, and the names; `#` may be in front of them."""
    for place, row in enumerate(rows):
        if row.fields and not _is_remark(row.text):
            names = [row.fields[0].removeprefix(_MARK).strip(), *row.fields[1:]]
            return place, names if names[0] else names[1:]
    raise InputError(f"{path}: holds no header line, expected one because of --header: put it in")


def _columns(
    path: Path, first: _Row, names: Sequence[str] | None, options: Sequence[str | int]
) -> list[int]:
    """The columns of tokens, tags and further tags, all counted from 0."""
    width = len(first.fields)
    where = f"{path}:{first.line}"
    if width == 1:
        raise InputError(
            f"{where}: 1 column ({_shown(first)}), expected 2 or more, a token and its tag: put a "
            f"tab or a blank between them"
        )
    if names is not None and len(names) != width:
        raise InputError(
            f"{where}: {width} columns ({_shown(first)}), expected {len(names)} as in the header "
            f"line ({', '.join(names)}): mend the header, or leave --header out"
        )
    flags = ["--token-column", "--tag-column", *["--auxiliary"] * len(options[2:])]
    columns = []
    for flag, option in zip(flags, options, strict=True):
        numbers = [int(each) for each in candidates(option) if NUMBER.fullmatch(each)]
        fits = [number for number in numbers if -width <= number < width]
        if names is None and not fits:
            raise InputError(
                f"{where}: there is no column {option} among {width} columns ({_shown(first)}), "
                f"expected 0 to {width - 1}, or -1 for the last: choose another with {flag}, or "
                f"give --header if the first line names the columns"
            )
        role = "token" if flag == "--token-column" else "tag"
        columns.append(
            fits[0] % width if names is None else place_of(where, names, width, option, role, flag)
        )
    if columns[0] == columns[1]:
        raise InputError(
            f"{path}: tokens and tags are both read from column {columns[0]} of {width}, expected "
            f"two columns: choose another with --token-column or --tag-column"
        )
    return columns


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

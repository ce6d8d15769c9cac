"""The words that docs/glossary.md replaces are used nowhere: prose, messages, help, names."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GENERATED = ("recipes/corpora/",)  # their strings are sentences of data
EXEMPT = ("docs/glossary.md", "CHANGELOG.md")
PLACES = (
    *("*.md", "docs/**/*", "benchmarks/**/*", "recipes/**/*", "runtime/*"),
    *("runtime/rnn_zoo_runtime/**/*", "saved_models/*.md", "models/*", "zoo/**/*"),
)
NAMES = sorted(
    {
        path.relative_to(ROOT).as_posix()
        for place in PLACES
        for path in ROOT.glob(place)
        if path.suffix in (".md", ".py")
    }
)
PAGES = tuple(name for name in NAMES if re.fullmatch(r"recipes/\w+/README\.md", name))
FILES = [name for name in NAMES if name in PAGES or not name.startswith(EXEMPT)]


def columns() -> list[list[str]]:
    """The left column of each table of the glossary, as words and phrases."""
    tables = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("|---|---|\n")[1:]
    cells = [re.findall(r"^\| ([^|]+) \|", table, re.M) for table in tables]
    return [
        [word for cell in table for word in cell.split(", ") if word != "not"] for table in cells
    ]


PHRASES, IDENTIFIERS = columns()
CODE = re.compile(r"^```.*?^```$", re.M | re.S)
PROSE = re.compile(rf"\b({'|'.join(PHRASES)})\b".replace(" ", r"[\s#]+"), re.I)


def prose(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Texts with their first lines: a page without code, or a module's strings and comments."""
    if name.endswith(".md"):
        yield 1, CODE.sub(lambda block: "\n" * block[0].count("\n"), text)
        return
    tree = ast.parse(text)
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    docstrings = {
        id(node.body[0].value)  # type: ignore[attr-defined]
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (id(node) in docstrings or " " in node.value and not name.startswith(GENERATED))
        ):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def identifiers(text: str) -> Iterator[tuple[int, str]]:
    """The functions, classes, parameters and variables that a module defines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def faults(names: list[str]) -> list[str]:
    """`file:line: word` for each word of the glossary's left columns."""
    seen = []
    for name in names:
        text = (ROOT / name).read_text(encoding="utf-8")
        for first, passage in prose(name, text):
            for match in PROSE.finditer(passage):
                line = first + passage.count("\n", 0, match.start())
                seen.append(f"{name}:{line}: {' '.join(match[1].split())}")
        if name.endswith(".py"):
            hits = [hit for hit in identifiers(text) if hit[1].strip("_") in IDENTIFIERS]
            seen += [f"{name}:{line}: the name {word}" for line, word in hits]
    return sorted(set(seen))


def test_no_word_of_the_glossarys_left_column_is_used():
    assert not faults(FILES)


def test_lines_of_pages_have_at_most_100_columns_outside_of_tables():
    pages = [name for name in FILES if name.endswith(".md")]
    lines = [(name, line) for name in pages for line in (ROOT / name).read_text().splitlines()]
    assert not [(name, line) for name, line in lines if len(line) > 100 and line[0] != "|"]


def test_a_page_a_docstring_a_message_a_comment_and_a_name_are_all_read():
    assert {"told", "so many", "train has not"} <= set(PHRASES)
    assert {"told", "looks"} <= set(IDENTIFIERS)
    assert PROSE.search("words that train\nhas not") and not PROSE.search("it has not been run")
    code = '"""Told."""\n\ndef f(told):  # so many\n    raise ValueError("a stretch")\n'
    words = [match[1] for _, text in prose("a.py", code) for match in PROSE.finditer(text)]
    assert words == ["Told", "a stretch"[2:], "so many"]
    assert [word for _, word in identifiers(code)] == ["f", "told"]


if __name__ == "__main__":
    print("\n".join(faults([name for name in NAMES if not name.startswith(EXEMPT)])))

"""How Sphinx builds the site: `make docs` writes it into docs/_build.

The source directory is the repository, not `docs`, so that the pages of the recipes and of the
benchmarks belong to the site and a relative link is the same on the site and on GitHub.
"""

import inspect
import os
import re
import sys
from pathlib import Path
from typing import Any

from sphinx.util.inspect import stringify_signature

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from zoo.version import VERSION  # noqa: E402

project = "rnn-zoo"
author = "The rnn-zoo developers"
copyright = author
version = release = VERSION
root_doc = "docs/index"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = [
    "docs/*.md",
    "docs/**/*.md",
    "recipes/*/README.md",
    "runtime/README.md",
    "models/*.md",
    "models/rnn_zoo_models/*/card.md",
    "benchmarks/results/*.md",
    "saved_models/README.md",
    "notebooks/README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = ["docs/_build", "build", "runs", ".*", "**/.*"]
suppress_warnings = ["ref.python"]  # a type's short name that two modules have
templates_path = ["_templates"]
highlight_language = "text"  # of blocks without a language: output, and equations in docstrings

myst_heading_anchors = 4  # `page.md#a-heading`, as on GitHub

default_role = "py:obj"  # `name` in a docstring: code, and a link where the name is documented
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # a method that a class describes has no text of its own
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
maximum_signature_line_length = 80

html_theme = "furo"
html_title = f"rnn-zoo {VERSION}"
html_additional_pages = {"index": "redirect.html"}  # the site's address -> docs/index.html
html_copy_source = False

SECTIONS = ("Args", "Attributes", "Example", "Examples", "Raises", "Returns", "Yields", "Warns")
VALUES = ("attribute", "data", "property")
HIDDEN = "\x01"  # a colon
CODE = re.compile(r"(`[^`]*`)")
MARKUP = re.compile(r"(?<!\\)([*|]|(?<=\w)_(?!\w))")  # what reST would take for emphasis or a link


def escaped(lines: list[str]) -> list[str]:
    """Returns prose with reST's special characters escaped, except inside of backticks."""
    parts = CODE.split("\n".join(lines))
    parts[::2] = [MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    return "".join(parts).split("\n")


def to_rest(lines: list[str]) -> list[str]:
    """Returns a Google docstring with its indented equations as literal blocks.

    An equation is an indented block after an empty line, outside of the sections (`Args:`, ...).
    """
    output: list[str] = []
    prose: list[str] = []
    in_section = literal = False
    for place, line in enumerate(lines):
        indented = line[:1] == " "
        if line and not indented:
            in_section = line.rstrip().endswith(":") and line.rstrip()[:-1] in SECTIONS
        starts = indented and not in_section and not literal and place and not lines[place - 1]
        ends = bool(line) and (in_section or not indented) and literal
        doctest = line.lstrip().startswith((">>>", "..."))
        if starts:
            output += [*escaped(prose), "::", "", line]
            prose, literal = [], True
        elif literal and not ends:
            output.append(line)
        elif doctest:
            output += [*escaped(prose), line] if prose else [line]
            prose = []
        else:
            literal = False
            prose.append(line)
    return output + (escaped(prose) if prose else [])


def with_all_pages(text: str) -> str:
    """Returns a page in which a toctree's entry with a `*` is replaced by the pages that match it.

    A page that is listed above the entry is not repeated. Sphinx' own `:glob:` warns where nothing
    is left to match.
    """
    lines: list[str] = []
    for line in text.splitlines():
        if re.fullmatch(r"[\w./*]+", line) and "*" in line:
            found = sorted((ROOT / "docs").glob(f"{line}.md"))
            entries = [os.path.relpath(path.with_suffix(""), ROOT / "docs") for path in found]
            lines += [entry for entry in entries if entry not in lines]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def read_source(app: Any, docname: str, source: list[str]) -> None:
    """Sphinx' hook: changes a page's text in place, before it is parsed."""
    if docname == root_doc:
        source[0] = with_all_pages(source[0])


def process_docstring(
    app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]
) -> None:
    """Sphinx' hook: changes a docstring's lines in place, before Napoleon reads them."""
    lines[:] = to_rest(lines)
    if what in VALUES and lines:  # Napoleon takes what precedes a colon for a type
        lines[0] = lines[0].replace(":", HIDDEN)


def restore_colons(
    app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]
) -> None:
    """Sphinx' hook after Napoleon."""
    lines[:] = [line.replace(HIDDEN, ":") for line in lines]


def process_signature(
    app: Any, what: str, name: str, item: Any, options: Any, signature: str | None, returns: Any
) -> tuple[str, Any] | None:
    """Sphinx' hook: a Keras layer's arguments are those of `__init__`."""
    if what == "class" and signature == "(*args, **kwargs)":
        arguments = list(inspect.signature(item.__init__).parameters.values())[1:]
        found = inspect.Signature(arguments)
        return stringify_signature(found, unqualified_typehints=True), returns
    if signature and "<factory>" in signature:  # which is no Python
        return signature.replace("<factory>", "..."), returns
    return None


def setup(app: Any) -> None:
    """Connects the hooks."""
    app.connect("source-read", read_source)
    app.connect("autodoc-process-docstring", process_docstring, priority=400)
    app.connect("autodoc-process-docstring", restore_colons, priority=600)
    app.connect("autodoc-process-signature", process_signature)

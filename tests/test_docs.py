"""The pages: their Python blocks are run, their data blocks parse, their links lead somewhere."""

import configparser
import json
import random
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import pytest
import yaml

import recipes.registry
import zoo.registry
from tests.sweeps import swept

ROOT = Path(__file__).resolve().parents[1]
LINKS = runpy.run_path(str(ROOT / "docs" / "links.py"))
PAGES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in LINKS["pages"]()}
OF_THEIR_OWN = ("docs/own_recipe.md",)  # tests/recipes/test_own_recipe.py runs it by its commands


def blocks(text: str, language: str) -> list[str]:
    """The blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def test_every_relative_link_and_anchor_of_the_pages_leads_somewhere():
    assert len(PAGES) > 40
    assert not list(LINKS["broken_in_pages"]())


def test_broken_links_of_a_site_are_found(tmp_path: Path):
    (tmp_path / "a.html").write_text('<a href="b.html#here">b</a><a href="https://x.org/">x</a>')
    (tmp_path / "b.html").write_text('<p id="here"></p><img src="no.png"><a href="a.html#no">a</a>')
    assert list(LINKS["broken_in_site"](tmp_path)) == ["b.html: no.png", "b.html: a.html#no"]


def test_every_page_of_the_docs_is_in_the_contents_of_the_site_once():
    with_all_pages = runpy.run_path(str(ROOT / "docs" / "conf.py"))["with_all_pages"]
    index = with_all_pages(PAGES["docs/index.md"])
    listed = [line for tree in blocks(index, "{toctree}") for line in tree.split()]
    entries = [(ROOT / "docs" / entry).resolve() for entry in listed if not entry.startswith(":")]
    assert len(entries) == len(set(entries))
    in_docs = {ROOT / page for page in PAGES if page.startswith(("docs/", "recipes/"))}
    assert in_docs - {ROOT / "docs/index.md"} <= {path.with_suffix(".md") for path in entries}


def test_an_equation_of_a_docstring_becomes_a_literal_block_and_an_argument_does_not():
    to_rest = runpy.run_path(str(ROOT / "docs" / "conf.py"))["to_rest"]
    text = (
        "A cell of |x| and `a * b`.\n\n    h_ = f(x)\n\n    y = |h|\n\nArgs:\n    x: A *vector*.\n"
    )
    expected = (
        "A cell of \\|x\\| and `a * b`.\n\n::\n\n    h_ = f(x)\n\n    y = |h|\n\n"
        "Args:\n    x: A \\*vector\\*.\n"
    )
    assert "\n".join(to_rest(text.split("\n"))) == expected


def exported(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An untrained classifier in the folder of the run's export."""
    words = zoo.text.Vectorizer.learn(["slow, but I loved it", "a waste of time"])
    sizes = {"vocabulary_size": len(words.vocabulary), "num_classes": 2, "units": 2}
    model = zoo.build("many_to_one", **sizes)
    labels = ["negative", "positive"]
    zoo.pipelines.Classifier(model, words, labels).export("saved_models/sentiment")
    return {}


CONTEXT: dict[str, Callable[[pytest.MonkeyPatch], dict[str, Any]]] = {
    "docs/serving.md": exported,
    "saved_models/README.md": exported,
}  # what a page's blocks need, which its commands or its reader have
SWEPT = ("docs/crf.md", "docs/start.md", "saved_models/README.md")  # they take seconds
EAGERLY = ("docs/tuning.md",)  # to trace its graphs takes longer than its 24 steps


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An empty folder; names that a page registers are free again afterwards."""
    monkeypatch.chdir(tmp_path)
    for owner in (zoo.registry, recipes.registry):
        for name in ("_ARCHITECTURES", "_CELLS", "_RECIPES"):
            if hasattr(owner, name):
                monkeypatch.setattr(owner, name, dict(getattr(owner, name)))
    keras.utils.set_random_seed(0)
    random.seed(0)
    yield monkeypatch


def promises(code: str, of_loops: bool = True) -> list[str]:
    """The output that a block's comments promise.

    These are comments after `print(...)` on one line and, for the prints of a loop, the lines of
    comments at the end of the block.
    """
    lines = re.findall(r"^ *print\(.*\)  # (.*)", code, re.M)
    last = re.search(r"(?:^# .*\n)+\Z", code, re.M)
    return lines + [line[2:] for line in last[0].splitlines()] if last and of_loops else lines


@pytest.mark.parametrize(
    "page",
    swept(
        [
            page
            for page, text in PAGES.items()
            if blocks(text, "python") and page not in OF_THEIR_OWN
        ],
        lambda page: page not in SWEPT,
    ),
)
def test_the_python_blocks_of_a_page_run_in_order_and_print_what_their_comments_promise(
    page: str,
    reader: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
):
    if page in EAGERLY:
        request.getfixturevalue("eagerly")
    names = {"__name__": "page", **(CONTEXT[page](reader) if page in CONTEXT else {})}
    capsys.readouterr()
    for code in blocks(PAGES[page], "python"):
        exec(compile(code, page, "exec"), names)
        printed = iter(capsys.readouterr().out.splitlines())
        for promised in promises(code, of_loops=page not in CONTEXT):
            assert promised in printed, f"{page}: {promised}"  # in this order


@pytest.mark.parametrize("page", PAGES)
def test_the_data_blocks_of_a_page_parse(page: str):
    text = PAGES[page]
    assert all(json.loads(block) is not None for block in blocks(text, "json"))
    assert all(yaml.safe_load(block) is not None for block in blocks(text, "ya?ml"))
    for block in blocks(text, "ini"):
        configparser.ConfigParser().read_string(block)


def test_promises_are_the_comments_after_a_print_and_at_the_end_of_a_block():
    code = "# a\nprint(1)  # 1\nfor n in (2, 3):\n    print(n)\n# 2\n# 3\n"
    assert promises(code) == ["1", "2", "3"]
    assert promises(code, of_loops=False) == promises("print(1)  # 1\n") == ["1"]


def test_every_page_with_a_context_has_python():
    assert all(blocks(PAGES[page], "python") for page in (*CONTEXT, *EAGERLY, *OF_THEIR_OWN))


def test_the_citation_and_the_forms_for_issues_have_what_they_need():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0" and citation["authors"][0]["name"]
    for name in ("bug", "feature"):
        path = ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml"
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= set(form)
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert len({field["id"] for field in fields}) == len(fields)
        assert all(field["attributes"]["label"] for field in fields)

"""Labels of plots: any string is drawn as itself, quietly, in a font that has its letters."""

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager, rc_context, rcParams
from matplotlib.figure import Figure

from zoo import plots
from zoo.plots import drawing, plot_label, save

HOSTILE = {
    "$$": r"\$\$",
    "$x^2$": r"\$x^2\$",
    "cost $5": r"cost \$5",
    r"\$": r"\\$",
    r"\frac{a}{": r"\frac{a}{",
    "a_b^{": "a_b^{",
    "_hidden": "_hidden",
    "100%": "100%",
    "": "(empty)",
    " \t\n": "(empty)",
    "\u200b\ufeff": "(empty)",
    "two\nlines\r\nhere": "two lines here",
    "\x00\x07": "\ufffd\ufffd",
    "\ud800": "\ufffd",
    "中文": "中文",
    "مرحبا": "مرحبا",
    "👩\u200d👧": "👩👧",
    "a" * 21: "a" * 19 + "…",
    "$" * 400: r"\$" * 19 + "…",
    "a" * 20: "a" * 20,
}
TEXTS = sorted(HOSTILE)


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_label_is_its_text_made_safe(text):
    assert plot_label(text) == HOSTILE[text]


def drawn(texts, path):
    """Draws texts as labels of ticks, of axes and of a legend, a title and a note."""
    labels = [plot_label(text) for text in texts]
    with drawing(labels):
        figure = Figure(figsize=(6, 9), layout="constrained")
        axes = figure.add_subplot()
        axes.set_xticks(range(len(labels)), labels, rotation=90)
        axes.set_yticks(range(len(labels)), labels)
        for place, label in enumerate(labels):
            axes.text(place, place, label)
        axes.set_title(labels[0])
        axes.set_xlabel(labels[-1])
        save(figure, path)
    return axes


@pytest.mark.parametrize("settings", [{}, {"text.usetex": True}], ids=["default", "LaTeX"])
def test_every_label_is_drawn_without_a_warning(settings, tmp_path):
    with rc_context(settings):
        axes = drawn(TEXTS, tmp_path / "all.png")
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    assert not any(text.get_usetex() for text in axes.texts)
    assert [path.name for path in tmp_path.iterdir()] == ["all.png"]


@pytest.fixture
def font(tmp_path, monkeypatch):
    """A font that has 中 and nothing else, installed for the length of a test."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "middle"])
    builder.setupCharacterMap({ord("中"): "middle"})
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    pen.lineTo((100, 700))
    pen.lineTo((900, 700))
    pen.closePath()
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "middle": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "middle": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    names = {"familyName": "Middle Only", "styleName": "Regular", "psName": "MiddleOnly-Regular"}
    builder.setupNameTable(names)
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    path = tmp_path / "middle.ttf"
    builder.save(path)
    known = list(font_manager.fontManager.ttflist)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", known)
    font_manager.fontManager.addfont(path)
    plots._fonts_with.cache_clear()
    yield path
    plots._fonts_with.cache_clear()


def test_an_installed_font_that_has_the_letters_is_used(font, tmp_path):
    before = list(rcParams["font.family"])
    with drawing(["中", "plain"]):
        assert rcParams["font.family"] == [*before, "Middle Only"]
    with drawing(["plain", "é"]):
        assert rcParams["font.family"] == before
    assert rcParams["font.family"] == before
    found = font_manager.fontManager._find_fonts_by_props(
        font_manager.FontProperties(family=[*before, "Middle Only"])
    )
    assert str(font) in map(str, found)
    drawn(["中", "a"], tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 0


def test_a_font_that_cannot_be_read_is_passed_over(font, tmp_path):
    font.write_bytes(b"no font")
    plots._code_points.cache_clear()
    with drawing(["中"]):
        assert "Middle Only" not in rcParams["font.family"]
    plots._code_points.cache_clear()

"""Running text: line ends, limits and exact cuts, so that neighbours stay neighbours."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.data.splits import Splits, hash_fraction
from recipes.data.texts import UNITS, as_text, complete, documents, first
from zoo.errors import InputError

LINES = [f"line {number:03}\n" for number in range(200)]  # 9 characters each


def _cut(
    texts: list[str], validation: float, test: float, unit: str, seed: int | None = None
) -> tuple[list[str], list[str], list[str]]:
    whole = complete({"train": texts}, validation, test, unit, seed)
    return whole.train, whole.validation, whole.test


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("a\n", ["a"]),
        ("\n\n a \n\n", ["", "", " a ", ""]),
        ("a\r\r\n\n\rb", ["a", "", "", "", "b"]),
        ("", [""]),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f", ["a\x0bb\x0cc\x1cd\x85e\u2028f"]),
    ],
)
def test_lines_end_at_either_line_end_and_empty_ones_count(raw: str, lines: list[str]) -> None:
    assert documents([as_text(raw, "line")], "line") == lines
    assert documents([as_text(raw, "line")] * 2, "line") == lines * 2


def test_files_keep_their_line_ends_in_one_kind() -> None:
    assert as_text("a\r\n\r\nb\rc\n\n", "file") == "a\n\nb\nc\n\n"
    assert as_text("no end", "file") == "no end"
    assert documents(["a\nb", "\n"], "file") == ["a\nb", "\n"]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\r\n")), min_size=1, max_size=9))
def test_lines_survive_joining_with_any_line_end(lines: list[str]) -> None:
    for end in ("\n", "\r\n", "\r"):
        assert documents([as_text(end.join(lines) + end, "line")], "line") == lines


@pytest.mark.parametrize(
    ("limit", "unit", "expected"),
    [
        (0, "line", ["ab\ncd\n", "\n", "efg\n"]),
        (99, "line", ["ab\ncd\n", "\n", "efg\n"]),
        (10, "line", ["ab\ncd\n", "\n"]),
        (7, "line", ["ab\ncd\n", "\n"]),
        (6, "line", ["ab\ncd\n"]),
        (5, "line", ["ab\n"]),
        (2, "line", []),
        (10, "file", ["ab\ncd\n", "\n", "efg"]),
        (5, "file", ["ab\ncd"]),
        (1, "file", ["a"]),
    ],
)
def test_a_limit_counts_line_ends_and_keeps_lines_whole(
    limit: int, unit: str, expected: list[str]
) -> None:
    assert first(["ab\ncd\n", "", "\n", "efg\n"], limit, unit) == expected


@pytest.mark.parametrize("limit", [4, 5, 6])
@pytest.mark.parametrize("unit", UNITS)
def test_no_text_is_asked_for_beyond_the_limit(limit: int, unit: str) -> None:
    def stream() -> Iterator[str]:
        yield "ab\n"
        yield "cd\n"
        raise AssertionError("read too far")

    expected = {4: "ab\nc", 5: "ab\ncd", 6: "ab\ncd\n"}[limit]
    whole = {4: "ab\n", 5: "ab\n", 6: "ab\ncd\n"}[limit]
    assert "".join(first(stream(), limit, unit)) == (expected if unit == "file" else whole)


@pytest.mark.parametrize("unit", UNITS)
def test_one_text_is_cut_at_line_ends_into_contiguous_parts(unit: str) -> None:
    parts = _cut(["".join(LINES)], 0.1, 0.2, unit)
    assert parts == (["".join(LINES[:140])], ["".join(LINES[140:160])], ["".join(LINES[160:])])


@pytest.mark.parametrize(("fraction", "lines"), [(0.0975, 20), (0.0974, 19), (0.0001, 1)])
def test_a_line_falls_on_its_nearer_side(fraction: float, lines: int) -> None:
    """0.0975 of 1800 characters are 175.5, hence 176: 19.6 lines; of 0.0974, 175: 19.4 lines."""
    _, _, test = _cut(["".join(LINES)], 0.1, fraction, "line")
    assert test == ["".join(LINES[200 - lines :])]


def test_a_text_without_line_ends_is_cut_at_the_exact_place() -> None:
    text = "".join(chr(200 + place % 50) for place in range(1000))
    assert _cut([text], 0.05, 0.025, "file") == ([text[:925]], [text[925:975]], [text[975:]])


@pytest.mark.parametrize(
    ("end", "place"),
    [(29_001, 29_001), (28_999, 30_000), (31_000, 31_000), (31_001, 30_000), (40_000, 30_000)],
)
def test_a_file_is_cut_at_a_line_end_within_a_thousand_characters(end: int, place: int) -> None:
    text = "x" * (end - 1) + "\n" + "y" * (40_000 - end)
    parts = complete({"train": [text], "validation": ["v"]}, 9, 0.25, "file")
    assert parts == Splits([text[:place]], ["v"], [text[place:]])


@pytest.mark.parametrize(("end", "place"), [(850, 850), (849, 900), (950, 950), (951, 900)])
def test_a_short_file_is_not_cut_far_from_its_share(end: int, place: int) -> None:
    text = "x" * (end - 1) + "\n" + "y" * (1000 - end)
    parts = complete({"train": [text], "validation": ["v"]}, 9, 0.1, "file")
    assert [parts.train, parts.test] == [[text[:place]], [text[place:]]]


def test_a_few_texts_are_cut_as_one() -> None:
    texts = ["".join(LINES[start : start + 50]) for start in (0, 50, 100, 150)]
    train, validation, test = _cut(texts, 0.05, 0.3, "line", seed=3)
    assert train == [*texts[:2], "".join(LINES[100:130])]
    assert validation == ["".join(LINES[130:140])]
    assert test == ["".join(LINES[140:150]), texts[3]]


@pytest.mark.parametrize("unit", UNITS)
def test_many_texts_stay_whole_and_in_order(unit: str) -> None:
    texts = ["x" * (1 + number % 7) + "\n" for number in range(100)]
    assert _cut(texts, 0.1, 0.2, unit) == (texts[:70], texts[70:80], texts[80:])
    assert _cut(texts[:10], 0.001, 0.04, unit) == (texts[:8], texts[8:9], texts[9:10])
    assert _cut(texts[:9], 0.1, 0.2, unit)[0] != texts[:7]  # cut by characters


def test_a_seed_draws_whole_texts_by_their_hash() -> None:
    texts = [f"text {number}\n" for number in range(100)]
    train, validation, test = _cut(texts, 0.1, 0.2, "file", seed=3)

    def chosen(among: list[str], salt: str, size: int) -> list[str]:
        drawn = sorted(among, key=lambda text: hash_fraction(text, 3, salt))[:size]
        return [text for text in among if text in drawn]

    assert test == chosen(texts, "test", 20) != texts[80:]
    rest = [text for text in texts if text not in test]
    assert validation == chosen(rest, "validation", 10)
    assert train == [text for text in rest if text not in validation]
    assert _cut(texts, 0.1, 0.2, "file", seed=4)[2] != test
    doubled = _cut(texts * 2, 0.1, 0.2, "file", seed=3)
    assert sum(map(len, doubled)) == 200
    assert not set(doubled[0]) & {*doubled[1], *doubled[2]}


def test_given_parts_stay_and_their_fractions_do_not_matter() -> None:
    parts = {"train": ["a"], "validation": ["b\nc"], "test": [""]}
    assert complete(parts, 9.0, -1.0, "line").parts() == parts
    text = ["".join(LINES)]
    found = complete({"train": text, "test": ["t\n"]}, 0.25, 9.0, "line")
    assert [found.validation, found.test] == [["".join(LINES[150:])], ["t\n"]]


@pytest.mark.parametrize(
    ("validation", "test", "problem"),
    [
        (0.1, 0, "test_fraction must be a number between 0 and 1, got 0"),
        (1.5, 0.1, "validation_fraction must be a number between 0 and 1, got 1.5"),
        (0.5, 0.5, "leave nothing to train on"),
    ],
)
def test_wrong_fractions_are_refused(validation: float, test: float, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        _cut(["".join(LINES)], validation, test, "line")


@settings(deadline=None)
@given(
    st.lists(st.text("ab\n", max_size=40), max_size=12),
    st.sampled_from(UNITS),
    st.floats(0.01, 0.49),
    st.floats(0.01, 0.49),
)
def test_no_character_is_lost_or_moved(
    raw: list[str], unit: str, validation: float, test: float
) -> None:
    texts = first((as_text(each, unit) for each in raw), 0, unit)
    train, middle, last = _cut(texts, validation, test, unit)
    assert "".join([*train, *middle, *last]) == "".join(texts)
    if unit == "line":
        assert all(text.endswith("\n") for text in [*train, *middle, *last])

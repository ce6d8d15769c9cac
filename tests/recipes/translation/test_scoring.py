"""The metrics of the `translation` recipe: beside sacrebleu itself, and counted by hand."""

import math
import os

import pytest
import sacrebleu

from recipes.translation.bleu import by_length, scores, signatures
from recipes.translation.evaluation import write_translations

REFERENCES = [
    "A dog runs across the wet grass.",
    "Two men are playing chess in the park.",
    "Ein Mädchen, das lächelt, sitzt auf einer Bank.",
    "The Cat sat on the Mat.",
]
WRITTEN = [
    "A dog runs across the wet grass.",
    "Two men play chess in a park.",
    "Ein Mädchen sitzt lächelnd auf einer Bank.",
    "the cat sat on the mat.",
]


def test_the_scores_are_those_of_sacrebleu():
    found = scores(WRITTEN, REFERENCES)
    expected = {
        "bleu": sacrebleu.corpus_bleu(WRITTEN, [REFERENCES]).score,
        "bleu_lowercase": sacrebleu.corpus_bleu(WRITTEN, [REFERENCES], lowercase=True).score,
        "chrf": sacrebleu.corpus_chrf(WRITTEN, [REFERENCES]).score,
        "exact_match": 1 / 4,
    }
    assert found == pytest.approx(expected, abs=1e-9)
    assert 0 < found["bleu"] < found["bleu_lowercase"] < 100
    assert list(found) == list(expected)


def test_a_score_counted_by_hand():
    """6 tokens beside 6: 5, 3, 2 and 1 of 6, 5, 4 and 3 n-grams are right."""
    found = scores(["the cat sat on a mat"], ["the cat sat on the mat"])
    expected = 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    assert found["bleu"] == pytest.approx(expected)
    short = scores(["the cat sat on"], ["the cat sat on the mat"])
    assert short["bleu"] == pytest.approx(100 * math.exp(1 - 6 / 4))  # brevity alone


def test_what_differs_in_case_alone_is_whole_without_case():
    found = scores([text.upper() for text in REFERENCES], REFERENCES)
    assert found["bleu_lowercase"] == pytest.approx(100)
    assert found["bleu"] < 20 and found["chrf"] < 100
    assert found["exact_match"] == 0


def test_what_is_right_is_whole_and_what_is_empty_is_nothing():
    whole = {"bleu": 100, "bleu_lowercase": 100, "chrf": 100, "exact_match": 1}
    assert scores(REFERENCES, REFERENCES) == pytest.approx(whole)
    assert scores([""] * 4, REFERENCES) == dict.fromkeys(whole, 0)


def test_the_order_of_the_pairs_counts():
    assert scores(WRITTEN[::-1], REFERENCES)["exact_match"] == 0
    with pytest.raises(ValueError):
        scores(WRITTEN[1:], REFERENCES)


def test_the_signatures_tell_how_it_was_counted():
    found = signatures()
    assert list(found) == ["bleu", "bleu_lowercase", "chrf"]
    assert found["bleu"].startswith("nrefs:1|case:mixed|") and "tok:13a" in found["bleu"]
    assert found["bleu_lowercase"].startswith("nrefs:1|case:lc|")
    assert found["chrf"].startswith("nrefs:1|case:mixed|") and "nc:6" in found["chrf"]
    for signature in found.values():
        assert signature.endswith(f"version:{sacrebleu.__version__}")


def test_sources_of_like_lengths_are_counted_together():
    counts = (19, 1, 8, 9, 11, 12, 14, 15, 18, 40)
    sources = [" ".join(["w"] * count) for count in counts]
    references = [f"here stands the sentence number {count}" for count in counts]
    written = list(references)
    written[0] = "nothing of the kind"  # 19 words
    written[3] = references[3].upper()  # 9 words: case does not count
    found = by_length(sources, written, references)
    rows = ["up to 8", "up to 11", "up to 14", "up to 18", "above 18"]
    assert list(found) == rows
    assert {name: row["pairs"] for name, row in found.items()} == dict.fromkeys(rows, 2)
    assert [found[name]["bleu"] for name in rows[:4]] == [100.0] * 4
    own = sacrebleu.corpus_bleu([written[0], written[9]], [[references[0], references[9]]])
    assert found["above 18"]["bleu"] == pytest.approx(own.score, abs=0.005)
    assert own.score < 80


def test_lengths_that_no_source_has_have_no_row():
    table = by_length(["a " * 12], ["so it is here"], ["so it is here"])
    assert table == {"up to 14": {"pairs": 1, "bleu": 100.0}}
    table = by_length(["a " * 12], ["so it is here"], ["so it is here"], edges=(4, 11))
    assert table == {"above 11": {"pairs": 1, "bleu": 100.0}}


def test_translations_are_written_for_reading(tmp_path):
    path = tmp_path / "test.tsv"
    sources = ["Guten Tag", "two\tcolumns", "two\nlines\r\nor\u2028three"]
    write_translations(path, sources, ["Good day", " b ", "Ä"], ["good  day", "", "c\td"])
    assert path.read_bytes().decode() == (
        "source\treference\ttranslation\n"
        "Guten Tag\tGood day\tgood day\n"
        "two columns\tb\t\n"
        "two lines or three\tÄ\tc d\n"
    )
    assert os.listdir(tmp_path) == ["test.tsv"]


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "test.tsv"
    write_translations(path, ["old"], ["old"], ["old"])
    old, seen = path.read_text(), []
    with pytest.raises(ValueError):
        write_translations(path, ["a", "b"], ["a"], ["a"])
    assert path.read_text() == old
    replace = os.replace

    def watched(part, target):
        seen.append((path.read_text(), part.read_text().splitlines()[1]))
        replace(part, target)

    monkeypatch.setattr(os, "replace", watched)
    write_translations(path, ["new"], ["new"], ["new"])
    assert seen == [(old, "new\tnew\tnew")]
    assert path.read_text().splitlines()[1] == "new\tnew\tnew"

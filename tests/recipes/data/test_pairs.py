"""`--data` of the translation recipe: each source gives pairs, each wrong one a sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recipes.data.formats.pair_files import read_pairs
from recipes.data.items import Pair
from recipes.data.pairs import PairOptions, load
from recipes.data.splits import Splits, hash_fraction
from tests.recipes.data.corpora import write
from zoo.errors import InputError

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
MULTI30K, TATOEBA = SHARED / "multi30k", SHARED / "tatoeba_anki" / "fra.txt.gz"
BUILTIN = Splits([Pair("a", "b"), Pair("c", "")], [Pair("d", "e")], [Pair("f", "g")])
WORDS = [f"Wort {number:03}" for number in range(300)]
ROWS = [Pair(word, f"word {number}.{way}") for number, word in enumerate(WORDS) for way in "ab"]


def pairs_of(
    data: str | Path = "builtin",
    builtin: Callable[[], Splits[Pair]] = lambda: BUILTIN,
    **changes: Any,
) -> Splits[Pair]:
    fractions: dict[str, Any] = {"validation_fraction": 0.1, "test_fraction": 0.2}
    options = {"split_seed": 5, "download": False} | fractions | changes
    return load(PairOptions(data=str(data), **options), builtin)


def refusal(data: str | Path = "builtin", **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        pairs_of(data, **changes)
    message = str(caught.value)
    assert "\n" not in message
    return message


def table(rows: list[Pair]) -> str:
    return "".join(f"{pair.source}\t{pair.target}\tCC-BY 2.0 (France)\n" for pair in rows)


def folder_of(path: Path, **texts: str) -> Path:
    """A folder of files; `train_de` is the text of train.de."""
    for name, text in texts.items():
        write(path / name.replace("_", "."), text)
    return path


def test_builtin_is_what_the_recipe_makes_without_its_blank_pairs() -> None:
    assert pairs_of() == Splits([Pair("a", "b")], [Pair("d", "e")], [Pair("f", "g")], left_out=1)


def test_a_source_stands_on_one_side_of_a_cut_with_all_its_translations(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.txt.gz", table(ROWS))
    found = pairs_of(path)
    parts = [found.train, found.validation, found.test]
    assert sorted(sum(parts, []), key=ROWS.index) == ROWS and found.left_out == 0
    expected = [row for row in ROWS if hash_fraction(row.source, 5, salt="test") < 0.2]
    assert found.test == expected
    sources = [{pair.source for pair in part} for part in parts]
    assert sum(map(len, sources)) == len(set.union(*sources)) == 300
    assert 18 < len(sources[1]) < 42 and 45 < len(sources[2]) < 75
    assert pairs_of(path) == found != pairs_of(path, split_seed=6)


def test_columns_are_numbers_and_turn_the_direction(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.tsv", 'one\teins\t"1\n\n two \tzwei\t2\r\n\tdrei\t3\n')

    def read(source: str = "", target: str = "") -> list[tuple[str, str]]:
        return [(p.source, p.target) for p in read_pairs(path, source, target)]

    assert read() == read("0", "1") == [("one", "eins"), ("two", "zwei"), ("", "drei")]
    assert read("1", "0") == [("eins", "one"), ("zwei", "two"), ("drei", "")]
    assert read("1") == read(target="0") == read("1", "0")
    assert read("1", "2") == [("eins", '"1'), ("zwei", "2"), ("drei", "3")]
    assert read("2") == [('"1', "eins"), ("2", "zwei"), ("3", "drei")]


def test_a_line_without_the_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.tsv", "one\teins\n\ntwo zwei\n")
    assert refusal(path) == (
        f"{path}:3: number of columns 1, expected at least 2 with tabs between them: put source "
        f"and target into each line, or choose other columns with --source and --target"
    )
    assert f"{path}:1: number of columns 2, expected at least 4" in refusal(path, target="3")


@pytest.mark.parametrize(
    ("source", "target", "problem"),
    [
        ("en", "1", "source must be the number of a column, counted from 0, in a file of pairs"),
        ("0", "-1", "target must be the number of a column, counted from 0, in a file of pairs"),
        ("0", "²", "target must be the number of a column"),
        ("1", "1", "source and target are both column 1, expected two columns"),
    ],
)
def test_what_is_no_choice_of_columns_is_refused(
    tmp_path: Path, source: str, target: str, problem: str
) -> None:
    path = write(tmp_path / "pairs.tsv", table(ROWS))
    assert refusal(path, source=source, target=target).startswith(problem)


def test_two_files_are_read_line_by_line_and_blank_sides_are_counted(tmp_path: Path) -> None:
    sources = [*WORDS, "", "allein", "\u2028", "a\x0cb"]
    targets = [*map(str.upper, WORDS), "alone", " ", "x", "c\u2028d"]
    files = {
        "source_file": str(write(tmp_path / "a.de.gz", "\r\n".join(sources))),
        "target_file": str(write(tmp_path / "a.en", "\n".join(targets) + "\n")),
    }
    found = pairs_of(**files)
    every = found.train + found.validation + found.test
    expected = [*[Pair(word, word.upper()) for word in WORDS], Pair("a\x0cb", "c\u2028d")]
    assert set(every) == set(expected) and len(every) == 301 and found.left_out == 3


def test_aligned_files_of_other_lengths_tell_both_counts(tmp_path: Path) -> None:
    source, target = write(tmp_path / "a.de", "1\n2\n3\n"), write(tmp_path / "a.en", "1\n2")
    files = {"source_file": str(source), "target_file": str(target)}
    assert refusal(**files) == (
        f"{source} has 3 lines and {target} has 2, expected as many in both, each line the "
        f"translation of the other's: align them"
    )
    message = refusal(source_file=str(source))
    assert message.startswith(f"--source-file is '{source}' while there is no --target-file")
    assert refusal(target_file="b").startswith("--target-file is 'b' while there is no --source-f")
    assert refusal("x.tsv", **files).startswith("--data is 'x.tsv' while --source-file or")
    assert refusal(source_file="no", target_file="no").startswith("no: there is no such file")


@pytest.mark.parametrize("ending", ["", ".gz", ".txt", ".txt.gz"])
@pytest.mark.parametrize("validation", ["validation", "valid", "val", "dev"])
@pytest.mark.parametrize("test", ["test", "test_2016_flickr"])
def test_a_folder_of_aligned_files(tmp_path: Path, ending: str, validation: str, test: str) -> None:
    for language, text in {"de": "Haus\nBaum\n", "en": "house\ntree\n", "pt-br": "x\ny\nz"}.items():
        for name in ("train", validation, test):
            write(tmp_path / f"{name}.{language}{ending}", f"{name}\n{text}")
    write(tmp_path / "README.md", "about")
    rows = [Pair("Haus", "house"), Pair("Baum", "tree")]
    found = pairs_of(tmp_path, source="de", target="en")
    names = ("train", validation, test)
    assert found == Splits(*([Pair(name, name), *rows] for name in names))
    turned = pairs_of(tmp_path, source="en", target="de")
    assert turned.test == [Pair(test, test), Pair("house", "Haus"), Pair("tree", "Baum")]


def test_what_a_folder_lacks_is_cut_from_train(tmp_path: Path) -> None:
    text = "\n".join(WORDS)
    folder = folder_of(tmp_path, train_de=text, train_en=text, dev_de="a", dev_en="b", test_fr="c")
    found = pairs_of(folder, source="en", target="de")
    assert found.validation == [Pair("b", "a")]
    assert 45 < len(found.test) < 75 and len(found.train) + len(found.test) == 300


def test_a_folder_of_tables(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for name in ("train.tsv", "dev.tsv.gz", "test.tsv"):
        write(folder / name, f"{name}\t1\tx\n\t\tx\n")
    parts = [[Pair(name, "1")] for name in ("train.tsv", "dev.tsv.gz", "test.tsv")]
    assert pairs_of(folder) == Splits(*parts, left_out=3)
    assert pairs_of(folder, source="2", target="1").train == [Pair("x", "1")]
    write(folder / "train.de", "a")
    assert refusal(folder) == (
        f"{folder} holds dev.tsv.gz and train.de, expected tables or aligned files: take one kind "
        f"away"
    )


def test_languages_that_are_not_chosen_are_the_only_ones_or_asked_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, train_de="a\n" * 3, train_en="b\n" * 3)
    folder_of(folder, val_de="c", val_en="d", test_de="e", test_en="f")
    assert pairs_of(folder, source="en").test == [Pair("f", "e")]
    assert pairs_of(folder, target="en").test == [Pair("e", "f")]
    message = refusal(folder)
    assert message == (
        f"{folder}: no source and no target language given, expected one of de, en: choose with "
        f"--source and --target"
    )
    folder_of(folder, train_pt="g")
    assert "no target language given, expected one of de, en, pt" in refusal(folder, source="de")
    message = refusal(folder, source="de", target="eng")
    assert message.endswith(
        "there is no language 'eng', expected one of 'de', 'en', 'pt' (did you mean 'en'?): choose "
        "the target's with --target"
    )
    assert "source and target are both 'de'" in refusal(folder, source="de", target="de")


def test_a_folder_of_which_a_side_or_a_choice_is_missing_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, train_de="a\n" * 3, train_en="b\n" * 3)
    ways = {"source": "de", "target": "en"}
    write(folder / "test_2016.de", "a")
    assert refusal(folder, **ways) == (
        f"{folder} holds test_2016.de and no test file in 'en', expected both: bring "
        f"test_2016.en, or take the one away"
    )
    write(folder / "test_2017.en", "b")
    assert (
        "holds test_2016.de and test_2017.en, expected names that differ in the language alone"
        in (refusal(folder, **ways))
    )
    for name in ("test_2016.en", "test_2017.de"):
        write(folder / name, "c")
    assert refusal(folder, **ways) == (
        f"{folder} holds test_2016.de and test_2017.de, expected one test file in 'de': take the "
        f"others away, or give a folder with links to those that you want"
    )
    other = folder_of(tmp_path / "other", val_de="a", val_en="b")
    assert refusal(other, **ways).startswith(f"{other} holds no train file, expected two such as")


def test_a_limit_takes_pairs_by_a_hash_and_leaves_validation_and_test(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.tsv", table(ROWS))
    whole, some, fewer = (pairs_of(path, limit=limit) for limit in (0, 100, 30))
    assert len(some.train) == 100 and len(fewer.train) == 30
    assert set(fewer.train) < set(some.train) < set(whole.train)
    assert some.train == [pair for pair in whole.train if pair in set(some.train)]
    assert some.train[-1] in whole.train[-30:] and some.train != whole.train[:100]
    assert some.test == whole.test and some.validation == whole.validation
    assert pairs_of(path, limit=100) == some
    assert pairs_of(path, limit=10_000) == whole
    many = Splits(ROWS, ROWS[:5], ROWS[:3])
    assert len(pairs_of(builtin=lambda: many, limit=7).train) == 7
    message = "limit must be a number of pairs, got -1: try 10000, or 0 for all"
    assert refusal(path, limit=-1) == message


def test_too_little_data_tells_how_much_there_was(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.tsv", "\ta\nb\t\n")
    assert refusal(path) == (
        "too few pairs: 0 in train, 0 in validation, 0 in test (2 with a blank side are left out), "
        "expected at least 1 in each split: bring more, or choose other fractions"
    )
    assert refusal(path, test_fraction=0).startswith("test_fraction must be a number between 0")


def test_data_that_is_nowhere_names_the_kinds_and_the_nearest(tmp_path: Path) -> None:
    message = refusal("bultin")
    assert message.startswith("--data must be 'builtin', 'tfds:NAME[/CONFIG]', or a path: a file")
    assert message.endswith("got 'bultin', which is none of them; did you mean 'builtin'?")
    path = write(tmp_path / "pairs.tsv", "x")
    assert refusal(tmp_path / "pair.tsv").endswith(f"; did you mean {str(path)!r}?")
    assert refusal("").endswith("got '', which is none of them: check the spelling")
    assert "which fails: " in refusal("~nobody_of_that_name/x.tsv")


@pytest.mark.skipif(not MULTI30K.is_dir(), reason=f"no Multi30k in {MULTI30K}")
def test_multi30k_has_its_published_sizes() -> None:
    found = pairs_of(MULTI30K, source="de", target="en")
    assert [len(part) for part in (found.train, found.validation, found.test)] == [
        29000,
        1014,
        1000,
    ]
    assert found.left_out == 0
    assert found.train[0].source.startswith("Zwei junge weiße Männer")
    assert found.train[0].target.startswith("Two young, White males")


@pytest.mark.skipif(not TATOEBA.is_file(), reason=f"no Tatoeba pairs in {TATOEBA}")
def test_tatoeba_is_cut_by_its_distinct_sources() -> None:
    found = pairs_of(TATOEBA, validation_fraction=0.05, test_fraction=0.05, split_seed=0)
    parts = [found.train, found.validation, found.test]
    assert sum(map(len, parts)) == 142_787 and found.left_out == 0
    sources = [{pair.source for pair in part} for part in parts]
    assert sum(map(len, sources)) == len(set.union(*sources)) == 98_659
    assert 4_600 < len(sources[2]) < 5_300


FORMS = {
    "tsv": "id\tEnglish\tGerman\n" + "".join(f"{n}\tword {n}\tWort {n}\n" for n in range(30)),
    "csv": "id,English,German\n" + "".join(f'{n},"word {n}",Wort {n}\n' for n in range(30)),
    "jsonl": "".join(f'{{"English": "word {n}", "German": "Wort {n}"}}\n' for n in range(30)),
}


@pytest.mark.parametrize("format", FORMS)
@pytest.mark.parametrize("ending", ["", ".data", ".gz", None])
def test_pairs_of_a_given_format_are_read_by_the_names_of_their_columns(
    tmp_path: Path, format: str, ending: str | None
) -> None:
    path = write(tmp_path / f"pairs{f'.{format}' if ending is None else ending}", FORMS[format])
    given = "" if ending is None else format
    found = pairs_of(path, source="de,German", target="English", format=given, header=True)
    pairs = sorted(found.train + found.validation + found.test, key=lambda p: int(p.source[5:]))
    assert pairs == [Pair(f"Wort {n}", f"word {n}") for n in range(30)]


@pytest.mark.parametrize("format", ["tsv", "csv"])
def test_pairs_have_columns_by_number_with_and_without_a_header_line(
    tmp_path: Path, format: str
) -> None:
    path = write(tmp_path / f"pairs.{format}", FORMS[format])
    named = read_pairs(path, "1", "-1", header=True)
    assert named[0] == Pair("word 0", "Wort 0")
    body = FORMS[format].partition("\n")[2]
    assert read_pairs(write(tmp_path / "body", body), "1", "2", format) == named
    two = "source,x,target\na,b,c\n" if format == "csv" else "source\tx\ttarget\na\tb\tc\n"
    assert read_pairs(write(tmp_path / "two", two), format=format, header=True) == [Pair("a", "c")]


def test_a_folder_of_pairs_of_a_given_format_may_have_any_endings(tmp_path: Path) -> None:
    for part in ("train.pairs", "dev", "test_2016.csv"):
        write(tmp_path / part, FORMS["csv"].replace("English", part[:2]))
    options = {"format": "csv", "header": True, "target": "German"}
    found = pairs_of(tmp_path, source="tr,de,te", **options)
    assert [len(part) for part in (found.train, found.validation, found.test)] == [30, 30, 30]
    assert found.test[0] == Pair("word 0", "Wort 0")


def test_wrong_columns_and_formats_of_pairs_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "pairs.tsv", FORMS["tsv"])
    message = refusal(path, source="German", target="English")
    assert message.endswith("or --header if the first line names them")
    message = refusal(path, source="French", target="German", header=True)
    assert message.startswith(f"{path}:1: there is no column 'French', expected one of 'id'")
    assert "--source choose" in message
    message = refusal(path, source="German", target="2", header=True)
    assert "source and target are both read from column 2" in message
    assert "format must be one of tsv, csv, jsonl" in refusal(path, format="txt")
    path = write(tmp_path / "pairs.jsonl", FORMS["jsonl"])
    assert "there is no key 'source'" in refusal(path, target="German")


def test_what_an_archive_leaves_in_a_folder_is_no_file_of_pairs(tmp_path: Path) -> None:
    folder_of(tmp_path, train_de="eins\nzwei\ndrei", train_en="one\ntwo\nthree")
    folder_of(tmp_path, dev_de="vier", dev_en="four", test_de="sechs", test_en="six")
    for name in ("._train.de", "._train.en", ".train.de", "._train.tsv"):
        (tmp_path / name).write_bytes(b"\0\xff")
    assert len(pairs_of(tmp_path, source="de", target="en").train) == 3


def test_a_csv_of_pairs_may_have_semicolons(tmp_path: Path) -> None:
    content = "Deutsch;English\nja, gern;yes, please\nnein;no\n"
    path = write(tmp_path / "pairs.csv", content)
    expected = [Pair("ja, gern", "yes, please"), Pair("nein", "no")]
    assert read_pairs(path, "Deutsch", "English", header=True) == expected
    assert read_pairs(path, header=True) == expected
    assert read_pairs(path)[1:] == expected

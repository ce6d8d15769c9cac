"""`--data` of the taggers: files, folders and tensorflow-datasets; cuts by hash; refusals."""

import gzip
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipes.data import splits as splitting
from recipes.data.items import Sentence
from recipes.data.splits import Splits, hash_fraction
from recipes.data.tagged import TaggedColumns, check_tags, load
from recipes.data.tfds import source
from recipes.data.tfds.tagged import TAGS, load_tfds_tagging
from zoo.errors import InputError

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "tfds"
EWT = "tfds:universal_dependencies/en_ewt"
needs_ewt = pytest.mark.skipif(
    not (SHARED / "universal_dependencies" / "en_ewt").is_dir(),
    reason=f"no prepared en_ewt in {SHARED}",
)


complete = partial(splitting.complete, key=lambda sentence: sentence.text)


def _many(count: int, start: int = 0) -> list[Sentence]:
    return [Sentence(("word", str(i)), ("O", f"B-{i % 2}")) for i in range(start, start + count)]


BUILTIN = Splits(_many(4), _many(2), _many(2))


def _load(
    data: str | Path,
    builtin: Callable[[], Splits[Sentence]] = lambda: BUILTIN,
    usual_tags: Sequence[str] = TAGS,
    others: Sequence[str] = (),
    **changes: Any,
) -> Splits[Sentence]:
    fractions: dict[str, Any] = {"validation_fraction": 0.2, "test_fraction": 0.3}
    options = {"split_seed": 5, "download": False, "auxiliary": ",".join(others)} | fractions
    return load(TaggedColumns(data=str(data), **(options | changes)), builtin, usual_tags)


def _refusal(data: str | Path, **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        _load(data, **changes)
    message = str(caught.value)
    assert "\n" not in message
    return message


def _write(path: Path, sentences: list[Sentence]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = []
    for sentence in sentences:
        rows = enumerate(zip(sentence.tokens, sentence.tags, strict=True), start=1)
        if ".conllu" in path.name:
            blocks.append([f"{i}\t{t}\t_\t{tag}\tX{tag}" + "\t_" * 5 for i, (t, tag) in rows])
        else:
            blocks.append([f"{token}\t{tag}" for _, (token, tag) in rows])
    path.write_text("\n\n".join("\n".join(block) for block in blocks) + "\n")
    return path


def test_what_is_missing_is_cut_off_by_the_hash_of_the_tokens() -> None:
    train = _many(1000)
    splits = complete({"train": train}, 0.2, 0.3, seed=5)

    def place(sentence: Sentence, salt: str) -> float:
        return hash_fraction(" ".join(sentence.tokens), 5, salt)

    test = [each for each in train if place(each, "test") < 0.3]
    rest = [each for each in train if each not in test]
    validation = [each for each in rest if place(each, "validation") < 0.2 / 0.7]
    assert splits.test == test
    assert splits.validation == validation
    assert splits.train == [each for each in rest if each not in validation]
    assert len(splits.validation) == pytest.approx(200, abs=40)


def test_the_same_words_are_always_on_the_same_side() -> None:
    doubled = [
        Sentence(tokens, tags)
        for i in range(300)
        for tokens, tags in [
            (("new", f"york{i}"), ("B", "I")),
            (("new", f"york{i}"), ("O", "O")),
            ((f"new york{i}",), ("O",)),
        ]
    ]
    splits = complete({"train": doubled}, 0.3, 0.3, seed=1)
    for part in (splits.train, splits.validation, splits.test):
        assert part
        assert set(Counter(" ".join(each.tokens) for each in part).values()) == {3}
    found = splits.train + splits.validation + splits.test
    assert Counter(found) == Counter(doubled)


def test_given_parts_stay_as_they_are() -> None:
    train, given = _many(100), _many(3, 900)
    splits = complete({"train": train, "validation": given}, 9.0, 0.3, seed=5)
    assert splits.validation == given
    assert splits.test == [e for e in train if hash_fraction(" ".join(e.tokens), 5, "test") < 0.3]
    parts = {"train": train, "validation": given, "test": given}
    assert complete(parts, 0.0, 0.0, seed=5) == Splits(train, given, given)
    with pytest.raises(InputError, match="test_fraction must be a number between 0 and 1, got 9"):
        complete({"train": train, "validation": given}, 0.1, 9.0, seed=5)


def test_a_sentence_has_as_many_tags_as_tokens_and_at_least_one() -> None:
    with pytest.raises(InputError, match="2 tokens and 1 tags, expected .*: 'rain falls'"):
        Sentence(("rain", "falls"), ("O",))
    with pytest.raises(InputError, match="0 tokens and 0 tags"):
        Sentence((), ())


@pytest.mark.parametrize(
    ("sizes", "counted"),
    [
        ((1, 2, 3), "1 in train, 2 in validation, 3 in test"),
        ((4, 0, 2), "4 in train, 0 in validation, 2 in test"),
        ((4, 2, 0), "4 in train, 2 in validation, 0 in test"),
    ],
)
def test_too_few_sentences_are_counted(sizes: tuple[int, int, int], counted: str) -> None:
    with pytest.raises(InputError) as caught:
        check_tags(Splits(*map(_many, sizes)))
    assert str(caught.value).startswith(f"too few sentences: {counted}, expected")
    assert "2 in train" in str(caught.value).partition("expected")[2]


def test_one_tag_is_too_few_and_two_are_enough() -> None:
    plain = [Sentence(("a", "b"), ("O", "O"))] * 3
    with pytest.raises(InputError, match="one tag only: every token in train is tagged 'O', exp"):
        check_tags(Splits(plain, _many(1), _many(1)))
    check_tags(Splits(_many(2), plain, [Sentence(("a",), ("never-in-train",))]))


def test_builtin_is_taken_whole_and_checked() -> None:
    assert _load("builtin") == BUILTIN
    empty = Splits(_many(4), [], _many(1))
    assert "4 in train, 0 in validation, 1 in test" in _refusal("builtin", builtin=lambda: empty)


@pytest.mark.parametrize("name", ["a.conll", "b.txt", "c.tsv", "d.iob", "e.BIO", "eng.train", "f"])
def test_one_file_is_cut_in_three(tmp_path: Path, name: str) -> None:
    expected = complete({"train": _many(100)}, 0.2, 0.3, seed=5)
    assert _load(_write(tmp_path / name, _many(100))) == expected


def test_columns_are_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("".join(f"B-{i} x w{i}\n\n" for i in range(50)))
    splits = _load(path, token_column=2, tag_column=0)
    assert Sentence(("w7",), ("B-7",)) in splits.train + splits.validation + splits.test
    assert "there is no column 5 among 3 columns" in _refusal(path, tag_column=5)


def test_conllu_is_known_by_its_name_and_gives_either_tag(tmp_path: Path) -> None:
    path = _write(tmp_path / "en.conllu", _many(100)).rename(tmp_path / "en.CONLLU")
    expected = complete({"train": _many(100)}, 0.2, 0.3, seed=5)
    assert _load(path) == _load(path, tags_feature="upos") == expected
    tags = {tag for each in _load(path, tags_feature="xpos").train for tag in each.tags}
    assert tags == {"XO", "XB-0", "XB-1"}
    assert "must be one of upos, xpos; got 'ner'" in _refusal(path, tags_feature="ner")


@pytest.mark.parametrize(
    "names",
    [
        ("eng.train", "eng.testa", "eng.testb"),
        ("train.conll", "valid.conll", "test.conll"),
        ("train.txt", "dev.txt", "test.txt"),
        ("train", "dev", "test"),
        ("Train.tsv", "VAL.tsv", "Test.tsv"),
        ("en_ewt-ud-train.conllu", "en_ewt-ud-dev.conllu", "en_ewt-ud-test.conllu"),
        ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"),
        ("NER-de-train.iob", "NER-de-validation.bio", "NER-de-test.tsv"),
    ],
)
def test_the_files_of_a_folder_are_known_by_their_names(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    parts = (_many(5), _many(2, 50), _many(3, 90))
    for name, sentences in zip(names, parts, strict=True):
        _write(tmp_path / name, sentences)
    assert _load(tmp_path) == Splits(*parts)


def test_other_files_are_left_alone_and_what_is_missing_is_cut(tmp_path: Path) -> None:
    _write(tmp_path / "train.conll", _many(100))
    for name in ("README.md", "test.py", "train.conll.bak", "latest.txt", "restrain", "test.csv"):
        (tmp_path / name).write_text("nothing to read")
    (tmp_path / "dev.conll").mkdir()
    assert _load(tmp_path) == complete({"train": _many(100)}, 0.2, 0.3, seed=5)


def test_plain_text_beside_a_treebank_does_not_count(tmp_path: Path) -> None:
    for part, sentences in (("train", _many(9)), ("dev", _many(2)), ("test", _many(2))):
        _write(tmp_path / f"x-ud-{part}.conllu", sentences)
        (tmp_path / f"x-ud-{part}.txt").write_text("Just the text.")
    assert _load(tmp_path) == Splits(_many(9), _many(2), _many(2))


@pytest.mark.parametrize(
    ("files", "part"),
    [
        (("a.train", "train.conll"), "train"),
        (("a-train.conllu", "b-train.conllu"), "train"),
        (("dev.txt", "eng.testa"), "validation"),
        (("eng.testb", "test.conll"), "test"),
    ],
)
def test_two_files_for_one_part_are_refused(
    tmp_path: Path, files: tuple[str, str], part: str
) -> None:
    for file in {"train.conll", *files} if part != "train" else files:
        _write(tmp_path / file, _many(3))
    assert _refusal(tmp_path) == (
        f"{tmp_path} holds {files[0]} and {files[1]}, expected one {part} file: take one away"
    )


def test_a_folder_without_train_says_what_was_expected(tmp_path: Path) -> None:
    _write(tmp_path / "test.conll", _many(3))
    message = _refusal(tmp_path)
    assert message.startswith(f"{tmp_path} holds no train file, expected one such as train.conll, ")


def test_an_error_in_a_folder_names_the_file_and_the_line(tmp_path: Path) -> None:
    _write(tmp_path / "train.conll", _many(9))
    (tmp_path / "dev.conll").write_text("rain\tO\nfalls\n")
    assert _refusal(tmp_path).startswith(f"{tmp_path / 'dev.conll'}:2: 1 column ('falls'), expec")


@pytest.mark.parametrize(
    ("data", "near"),
    [
        ("bultin", "; did you mean 'builtin'?"),
        ("tfsd:conll2003", "; did you mean 'tfds:conll2003'?"),
        ("", ": check the spelling"),
        ("no/such/folder/x.conll", f" (in the folder {Path.cwd()}): check the spelling"),
    ],
)
def test_data_that_is_nowhere_names_the_kinds_and_the_nearest(data: str, near: str) -> None:
    message = _refusal(data)
    assert message.startswith("--data must be 'builtin', 'tfds:NAME[/CONFIG]', or a path: a file")
    assert message.endswith(f"got {data!r}, which is none of them{near}")


def test_a_misspelt_path_is_answered_with_its_neighbour(tmp_path: Path) -> None:
    path = _write(tmp_path / "train.conll", _many(3))
    assert _refusal(tmp_path / "trian.conll").endswith(f"; did you mean {str(path)!r}?")
    assert "which fails: " in _refusal("~nobody_of_that_name/x.conll")


tfds = pytest.importorskip("tensorflow_datasets")


class TinyTags(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc, name-defined]
    """Five sentences with every kind of feature that counts here; needs no download."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Any:
        sequence, text = tfds.features.Sequence, tfds.features.Text()
        features = {
            "words": sequence(text),
            "ner": sequence(tfds.features.ClassLabel(names=["O", "B-LOC", "_"])),
            "upos": sequence(tfds.features.ClassLabel(names=["NOUN", "VERB", "_"])),
            "xpos": sequence(text),
            "number": sequence(tfds.features.Scalar(np.int32)),
            "late": sequence(tfds.features.ClassLabel(names=["O"])),
            "picture": sequence(tfds.features.Tensor(shape=(2,), dtype=np.int32)),
            "pairs": sequence({"a": text}),
            "id": text,
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager: Any) -> Any:
        return {
            "train": self._rows(
                ("in Bern", [0, 1], [1, 0], "IN NNP"),
                ("can't ca n't", [2, 0, 0], [2, 1, 1], "None MD RB"),
                ("grüße ohne", [0, -1], [0, 1], "NN "),
                (" x", [1, 0], [0, 1], "NN VB"),
            ),
            "dev": self._rows(("can't", [0], [2], "_")),
            "extra": self._rows(("so", [0], [0], "UH")),
        }

    def _generate_examples(self) -> Any:
        raise NotImplementedError

    def _rows(self, *rows: tuple[str, list[int], list[int], str]) -> Iterator[Any]:
        for key, (words, ner, upos, xpos) in enumerate(rows):
            row = {"words": words.split(" "), "ner": ner, "upos": upos, "xpos": xpos.split(" ")}
            rest = {"number": [len(ner)] * len(ner), "late": [-1 if len(ner) > 1 else 0] * len(ner)}
            yield key, {**row, **rest, "picture": [], "pairs": [], "id": str(key)}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the tiny tags."""
    folder = tmp_path_factory.mktemp("tfds")
    TinyTags(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture
def tags(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The spec of a data set that is prepared; the network may not be asked for."""

    def asked(addresses: list[str]) -> bool:
        raise AssertionError(addresses)

    monkeypatch.setattr(source, "reachable", asked)
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    return "tfds:tiny_tags"


def _pairs(sentences: list[Sentence]) -> set[tuple[str, str]]:
    return {(" ".join(each.tokens), " ".join(each.tags)) for each in sentences}


def test_usual_features_are_found_and_classes_become_names(tags: str) -> None:
    found = load_tfds_tagging(tags)
    assert list(found) == ["train", "dev", "extra"]
    # The row with the class -1 is left out, and so is the empty token with its tag.
    expected = {("in Bern", "O B-LOC"), ("can't ca n't", "_ O O"), ("x", "O")}
    assert _pairs(found["train"]) == expected
    assert len(found["train"]) == 3


def test_rows_of_universal_dependencies_that_are_no_words_are_left_out(tags: str) -> None:
    found = load_tfds_tagging(tags, tags_feature="upos")
    assert list(found) == ["train", "extra"]  # nothing is left of dev
    assert _pairs(found["train"]) == {
        ("in Bern", "VERB NOUN"),
        ("ca n't", "VERB VERB"),
        ("grüße ohne", "NOUN VERB"),
        ("x", "VERB"),
    }
    found = load_tfds_tagging(tags, usual_tags=("pos", "xpos", "upos"))
    expected = {("in Bern", "IN NNP"), ("ca n't", "MD RB"), ("x", "VB")}
    assert list(found) == ["train", "extra"]
    assert _pairs(found["train"]) == expected


def test_further_features_are_read_besides(tags: str) -> None:
    found = load_tfds_tagging(tags, tags_feature="upos", others=["xpos", "number"])
    others = {" ".join(each.tokens): each.others for each in found["train"]}
    assert others["in Bern"] == (("IN", "NNP"), ("2", "2"))
    assert len(others["ca n't"][0]) == 2, "what is no word is left out of all of them"
    with pytest.raises(InputError, match="auxiliary' feature with --auxiliary"):
        load_tfds_tagging(tags, others=["xposs"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("builtin", "of which the built-in corpus has none"),
        ("a.conll", "must give numbers of columns, such as 1,2, got 'xpos'"),
    ],
)
def test_further_tags_that_are_not_there_are_refused(data: str, said: str, tmp_path: Path) -> None:
    _write(tmp_path / "a.conll", _many(9))
    data = data if data == "builtin" else str(tmp_path / data)
    assert said in _refusal(data, others=["xpos"])


def test_options_win_and_only_the_splits_asked_for_are_read(tags: str) -> None:
    found = load_tfds_tagging(tags, "xpos", "number", splits={"extra", "test"})
    assert found == {"extra": [Sentence(("UH",), ("1",))]}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"tokens_feature": "wods"},
            "there is no feature 'wods', expected one of 'words', 'ner', ",
        ),
        ({"tags_feature": "nre"}, "there is no feature 'nre', expected one of 'words', 'ner', "),
        ({"usual_tags": ("pos", "tag")}, "no feature is called pos or tag, expected one that hol"),
        ({"tokens_feature": "ner"}, "feature 'ner' is Sequence(ClassLabel("),
        ({"tokens_feature": "id"}, "feature 'id' is Text("),
        ({"tags_feature": "picture"}, "feature 'picture' is Sequence("),
        ({"tags_feature": "pairs"}, "feature 'pairs' is Sequence("),
        ({"tags_feature": "words"}, "tokens and tags are both read from 'words', expected two"),
    ],
)
def test_a_feature_that_will_not_do_lists_what_there_is(
    tags: str, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_tfds_tagging(tags, **options)
    message = str(caught.value)
    assert message.startswith(f"{tags}: {problem}")
    assert all(name in message for name in ("id", "ner", "number", "upos", "words", "xpos"))
    assert ("--tokens-feature" if "tokens_feature" in options else "--tags-feature") in message
    assert "\n" not in message


def test_a_malformed_name_and_one_that_is_not_prepared_are_sentences(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert _refusal("tfds:a/b/c").startswith("expected tfds:NAME or tfds:NAME/CONFIG, got 'tfds:a")
    message = _refusal("tfds:conll2003")  # its usual features are found first
    assert message.startswith(f"tfds:conll2003 is not prepared in {tmp_path} and may not be down")
    assert _refusal("tfds:wikiann/en").startswith("tfds:wikiann/en is not prepared in")
    assert "no feature is called upos" in _refusal("tfds:wikiann/en", usual_tags=("upos",))


def test_damaged_records_are_a_sentence(tags: str, prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared, tmp_path / "damaged")
    (record,) = (tmp_path / "damaged").rglob("*-train.tfrecord*")
    record.write_bytes(record.read_bytes()[:-5])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(tmp_path / "damaged"))
        message = _refusal(tags)
    assert message.startswith(f"{tags}: split 'train' in {record.parent} cannot be read (")


def test_tfds_splits_are_called_by_our_names_and_completed(tags: str) -> None:
    found = load_tfds_tagging(tags)
    expected = complete({"train": found["train"], "validation": found["dev"]}, 0.0, 0.5, seed=5)
    assert [len(expected.train), len(expected.test)] == [2, 1]
    assert _load(tags, test_fraction=0.5) == expected
    assert _pairs(expected.validation) == {("can't", "O")}


def test_tfds_without_train_is_refused(tags: str) -> None:
    message = _refusal(tags, tags_feature="late")
    assert message.startswith(f"{tags}: no tagged sentences in a split called 'train', found dev: ")


@needs_ewt
def test_ewt_has_its_published_size_and_reads_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(SHARED))
    start = time.monotonic()
    splits = _load(EWT)
    assert time.monotonic() - start < 30  # 4 seconds on two idle cores
    sizes = [len(part) for part in (splits.train, splits.validation, splits.test)]
    assert sizes == [12_544, 2_001, 2_077]
    counts = Counter(tag for each in splits.train for tag in each.tags)
    assert len(counts) == 17
    assert "_" not in counts
    # 25,094 words, and two empty nodes that have a tag of their own.
    assert sum(len(each.tokens) for each in splits.test) == 25_096


@needs_ewt
def test_both_tags_of_ewt_leave_out_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(SHARED))
    found = [load_tfds_tagging(EWT, "", tag, splits={"test"})["test"] for tag in ("upos", "xpos")]
    upos, xpos = ([each.tokens for each in sentences] for sentences in found)
    assert upos == xpos
    counts = Counter(tag for each in found[1] for tag in each.tags)
    assert not {"_", "None"} & counts.keys()


@pytest.mark.parametrize("ending", ["", ".data", ".conllu", ".data.gz"])
def test_a_folder_of_columns_of_a_given_format_may_have_any_endings(
    tmp_path: Path, ending: str
) -> None:
    text = "word\tner\n" + "".join(f"w{n}\t{'OX'[n % 2]}\n\n" for n in range(8))
    for part in ("eng.train", "eng_dev", "test"):
        data = text.encode()
        (tmp_path / f"{part}{ending}").write_bytes(
            gzip.compress(data) if ending.endswith("gz") else data
        )
        (tmp_path / f"._{part}{ending}").write_bytes(b"\0\xff")
    options = {"token_column": "word", "tag_column": "ner", "header": True, "format": "conll"}
    splits = _load(tmp_path, **options)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [8, 8, 8]
    assert splits.test[1] == Sentence(("w1",), ("X",))


def test_conll_u_of_another_ending_is_read_by_its_format(tmp_path: Path) -> None:
    rest = "_\t_\t_\t_\t_\n\n"
    text = "".join(f"1\tw{n}\tw\t{('NOUN', 'VERB')[n % 2]}\tX\t{rest}" for n in range(40))
    path = tmp_path / "treebank.txt"
    path.write_text(f"# newdoc\n{text}", encoding="utf-8")
    splits = _load(path, format="conllu")
    assert {tag for sentence in splits.train for tag in sentence.tags} == {"NOUN", "VERB"}
    message = _refusal(path, format="csv")
    assert message.startswith("format must be one of conll, conllu; got 'csv'")

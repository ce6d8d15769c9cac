"""Running text from tensorflow-datasets: in order, as a stream, and no further than asked for."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from recipes.data.running_text import RunningText, load
from recipes.data.splits import Splits
from recipes.data.tfds import source
from recipes.data.tfds.texts import load_tfds_corpus
from tests.recipes.data.corpora import running
from zoo.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")

SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "tfds"
needs_shared = pytest.mark.skipif(
    not (SHARED / "tiny_shakespeare").is_dir(), reason=f"no prepared tiny_shakespeare in {SHARED}"
)
TEXTS = [f"grüße {number:02}" for number in range(40)]
ALL = {"train": 0, "validation": 0, "test": 0}


class TinyCorpus(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc, name-defined]
    """Forty lines to train on, of which some are two or none; needs no download."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name=name, version="1.0.0", description=name)
        for name in ("lines", "shuffled", "whole", "test_only")
    ]

    def _info(self) -> Any:
        features = {"text": tfds.features.Text(), "stars": tfds.features.Scalar(np.int32)}
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            disable_shuffling=self.builder_config.name != "shuffled",
        )

    def _split_generators(self, manager: Any) -> Any:
        last = self._rows(["", "t\r\nu", "v"])
        if self.builder_config.name == "test_only":
            return {"test": last}
        if self.builder_config.name == "whole":
            return {"train": self._rows(["\n".join(TEXTS)])}
        return {"train": self._rows(TEXTS), "test": last}

    def _generate_examples(self) -> Any:
        raise NotImplementedError

    def _rows(self, texts: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        for key, text in enumerate(texts):
            yield key, {"text": text, "stars": key}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the tiny corpus, its lines in two files."""
    folder = tmp_path_factory.mktemp("tfds")
    config = tfds.download.DownloadConfig(num_shards=2)
    for name in ("lines", "shuffled"):
        TinyCorpus(config=name, data_dir=folder).download_and_prepare(download_config=config)
    for name in ("whole", "test_only"):
        TinyCorpus(config=name, data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(autouse=True)
def folder(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder is set, and the network may not be asked for."""

    def asked(addresses: list[str]) -> bool:
        raise AssertionError(addresses)

    monkeypatch.setattr(source, "reachable", asked)
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    return prepared


def _load(data: str, **changes: Any) -> Splits[str]:
    fractions: dict[str, Any] = {"validation_fraction": 0.1, "test_fraction": 0.2}
    options = {"unit": "line", "split_seed": 5, "download": False} | fractions | changes
    return load(RunningText(data=data, **options), lambda: Splits([], [], []))


def _refusal(data: str, **changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        _load(data, **changes)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("seed", [5, 6])
@pytest.mark.parametrize("unit", ["line", "file"])
def test_records_stay_in_order_and_validation_is_their_end(seed: int, unit: str) -> None:
    corpus = _load("tfds:tiny_corpus/lines", split_seed=seed, unit=unit)
    assert corpus.train == TEXTS[:36]
    assert corpus.validation == TEXTS[36:]
    assert corpus.test == (["", "t", "u", "v"] if unit == "line" else ["t\nu", "v"])


def test_one_file_is_read_after_the_other(prepared: Path) -> None:
    files = sorted((prepared / "tiny_corpus" / "shuffled").rglob("*-train.tfrecord*"))
    assert len(files) == 2
    records = tf.data.TFRecordDataset([str(file) for file in files]).as_numpy_iterator()
    features = [tf.train.Example.FromString(record).features.feature for record in records]
    expected = [feature["text"].bytes_list.value[0].decode() for feature in features]
    corpus = _load("tfds:tiny_corpus/shuffled")
    assert corpus.train + corpus.validation == expected
    assert sorted(expected) == TEXTS != expected


def test_one_long_record_is_cut_by_contiguous_tails() -> None:
    corpus = _load("tfds:tiny_corpus/whole")
    assert corpus == running(TEXTS[:28], TEXTS[28:32], TEXTS[32:])
    corpus = _load("tfds:tiny_corpus/whole", unit="file")
    assert "".join(corpus.train + corpus.validation + corpus.test) == "\n".join(TEXTS)
    assert corpus.train[0].endswith("grüße 27\n")
    assert corpus.test[0].startswith("grüße 32\n")


def test_the_limit_counts_before_the_cut_and_a_tenth_of_it_in_given_parts() -> None:
    corpus = _load("tfds:tiny_corpus/lines", limit=107)  # 11 lines of 9 characters and 8 more
    assert corpus == running(TEXTS[:10], TEXTS[10:11], ["", "t", "u", "v"])
    corpus = _load("tfds:tiny_corpus/lines", limit=40)
    assert corpus == running(TEXTS[:3], TEXTS[3:4], ["", "t"])  # 3 of 4; the next line has 2
    corpus = _load("tfds:tiny_corpus/lines", limit=107, unit="file")
    assert corpus == running(TEXTS[:13], ["grü"], ["t\nu", "v"])


class _Stream:
    """Stands in for a split of tensorflow-datasets; fails if more is read than is allowed."""

    def __init__(self, text: str, allowed: int) -> None:
        self.text = text.encode()
        self.left = allowed

    def batch(self, size: int) -> Iterator[dict[str, Any]]:
        while True:
            self.left -= size
            if self.left < 0:
                raise AssertionError("read beyond the limit")
            yield {"text": [self.text] * size}


def test_no_record_is_read_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of lm1b, which has train and test, and more text than one wants in memory."""
    streams = {"train": _Stream("a" * 9, allowed=10), "test": _Stream("b" * 4, allowed=2)}
    info = SimpleNamespace(features=TinyCorpus(config="lines").info.features, splits=list(streams))
    builder = SimpleNamespace(
        info=info,
        data_path="nowhere",
        is_prepared=lambda: True,
        as_dataset=lambda split, **options: streams[split],
    )
    monkeypatch.setattr(source, "_builder", lambda *names: builder)
    monkeypatch.setattr(tfds, "as_numpy", lambda data: data)
    assert _load("tfds:lm1b", limit=100) == running(["a" * 9] * 9, ["a" * 9], ["b" * 4] * 2)
    streams["train"].left = 10
    message = _refusal("tfds:lm1b", limit=101)
    assert message.startswith("tfds:lm1b: split 'train' in nowhere cannot be read (read beyond")


def test_only_the_splits_asked_for_are_read() -> None:
    limits = {"test": 1, "dev": 0}
    found = load_tfds_corpus("tfds:tiny_corpus", "text", unit="line", limits=limits, download=False)
    assert found == {"test": ["\n"]}


def test_reading_neither_warns_nor_prints(capfd: pytest.CaptureFixture[str], caplog: Any) -> None:
    _load("tfds:tiny_corpus/lines", limit=50)
    assert not caplog.records
    assert capfd.readouterr().out == ""


def test_a_misspelt_feature_lists_what_there_is() -> None:
    assert _refusal("tfds:tiny_corpus", text_column="txt") == (
        "tfds:tiny_corpus: there is no feature 'txt', expected one of 'text', 'stars' (did you "
        "mean 'text'?): choose the text's with --text-column"
    )
    message = _refusal("tfds:tiny_corpus", text_column="stars")
    assert "feature 'stars' is Scalar, expected a string for each text" in message


def test_what_is_malformed_unknown_or_not_prepared_is_a_sentence() -> None:
    assert _refusal("tfds:a/b/c").startswith("expected tfds:NAME or tfds:NAME/CONFIG, got 'tfds:a")
    assert "(did you mean 'tiny_shakespeare'?)" in _refusal("tfds:tiny_shakespear")
    assert _refusal("tfds:lm1b").startswith("tfds:lm1b is not prepared in ")
    message = _refusal("tfds:tiny_corpus/test_only")
    assert message == (
        "tfds:tiny_corpus/test_only: there is no split called 'train', found test: choose another "
        "data set"
    )


def test_damaged_records_are_a_sentence(prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared, tmp_path / "damaged")
    record = sorted((tmp_path / "damaged").rglob("*lines*/**/*-train.tfrecord*"))[0]
    record.write_bytes(record.read_bytes()[:-5])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(tmp_path / "damaged"))
        message = _refusal("tfds:tiny_corpus/lines")
    assert message.startswith(
        f"tfds:tiny_corpus/lines: split 'train' in {record.parent} cannot be read ("
    )


@needs_shared
def test_tiny_shakespeare_has_its_published_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(SHARED))
    corpus = _load("tfds:tiny_shakespeare", unit="file")
    parts = [corpus.train, corpus.validation, corpus.test]
    assert [[len(text) for text in part] for part in parts] == [[1_003_854], [55_770], [55_770]]
    assert corpus.train[0].startswith("First Citizen:\nBefore we proceed any further, hear me")
    assert len(set("".join(corpus.train + corpus.validation + corpus.test))) == 65

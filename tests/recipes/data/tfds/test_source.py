"""tensorflow-datasets: what is prepared is read as it is and without a network."""

import logging
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipes.data.items import Example
from recipes.data.tfds import source
from recipes.data.tfds.texts import load_tfds
from zoo.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")

SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "tfds"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no prepared data in {SHARED}")


class TinyReviews(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc, name-defined]
    """Six reviews with every kind of feature that counts here; needs no download."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="films", version="1.0.0", description="Films."),
        tfds.core.BuilderConfig(name="books", version="1.0.0", description="Books."),
    ]

    def _info(self) -> Any:
        features = tfds.features.FeaturesDict(
            {
                "text": tfds.features.Text(),
                "label": tfds.features.ClassLabel(names=["neg", "pos"]),
                "stars": tfds.features.Scalar(np.int32),
                "mood": tfds.features.Text(),
                "tokens": tfds.features.Sequence(tfds.features.Text()),
            }
        )
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, manager: Any) -> Any:
        return {
            "train": self._rows([("bad", 0, 1), ("", 1, 5), ("grüße", 1, 4)]),
            "dev": self._rows([("so-so", -1, 3), ("fine", 1, 4)]),
            "unsupervised": self._rows([("who knows", -1, 3)]),
        }

    def _generate_examples(self) -> Any:
        raise NotImplementedError

    def _rows(self, rows: list[tuple[str, int, int]]) -> Iterator[tuple[int, dict[str, Any]]]:
        for key, (text, label, stars) in enumerate(rows):
            mood = f" {'happy' if stars > 3 else ''} "
            row = {"text": text, "label": label, "stars": stars, "mood": mood, "tokens": [text]}
            yield key, row


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the films of the tiny reviews."""
    folder = tmp_path_factory.mktemp("tfds")
    TinyReviews(config="films", data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """No network and an empty data folder; returns the addresses that were asked for."""
    asked: list[list[str]] = []

    def unreachable(addresses: list[str]) -> bool:
        asked.append(addresses)
        return False

    monkeypatch.setattr(source, "reachable", unreachable)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
    return asked


def _refusal(spec: str, **options: Any) -> str:
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        load_tfds(spec, **options)
    assert time.monotonic() - start < 60  # alone, tensorflow-datasets tries for 200
    message = str(caught.value)
    assert "\n" not in message
    return message


def _counts(examples: list[Example]) -> Counter[tuple[str, str]]:
    return Counter((example.text, example.label) for example in examples)


@pytest.fixture
def films(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The spec of a data set that is prepared."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    return "tfds:tiny_reviews/films"


def test_labels_become_names_and_unlabelled_examples_are_left_out(films: str) -> None:
    found = load_tfds(films)
    assert list(found) == ["train", "dev"]
    assert _counts(found["train"]) == {("bad", "neg"): 1, ("", "pos"): 1, ("grüße", "pos"): 1}
    assert found["dev"] == [Example("fine", "pos")]


def test_numbers_are_labels_and_do_not_mark_missing_ones(films: str) -> None:
    found = load_tfds(films, label_key="stars", download=False)
    assert _counts(found["train"]) == {("bad", "1"): 1, ("", "5"): 1, ("grüße", "4"): 1}
    assert found["unsupervised"] == [Example("who knows", "3")]


def test_strings_are_labels_and_blank_ones_mean_none(films: str) -> None:
    found = load_tfds(films, label_key="mood")
    assert _counts(found["train"]) == {("", "happy"): 1, ("grüße", "happy"): 1}
    assert list(found) == ["train", "dev"]


def test_only_the_splits_asked_for_are_read(films: str) -> None:
    assert list(load_tfds(films, splits={"dev", "validation"})) == ["dev"]


def test_the_first_configuration_is_the_default(films: str) -> None:
    assert load_tfds("tfds:tiny_reviews") == load_tfds(films)


def test_reading_neither_warns_nor_prints_nor_asks_for_a_network(
    films: str, offline: list[list[str]], capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    load_tfds(films)
    assert not caplog.records
    assert capfd.readouterr().out == ""
    assert offline == []


def test_log_levels_are_put_back(films: str) -> None:
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        load_tfds(films, splits=[])
        assert logger.level == logging.INFO
    finally:
        logger.setLevel(level)


def test_what_is_not_prepared_is_downloaded_and_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(source, "reachable", lambda addresses: True)
    assert len(load_tfds("tfds:tiny_reviews/books")["train"]) == 3
    assert (tmp_path / "empty" / "tiny_reviews" / "books").is_dir()
    assert "Downloading and preparing" not in capfd.readouterr().out


def test_files_that_the_user_must_bring_need_no_network(
    monkeypatch: pytest.MonkeyPatch, offline: list[list[str]]
) -> None:
    monkeypatch.setattr(TinyReviews, "MANUAL_DOWNLOAD_INSTRUCTIONS", "Ask the author for a file.")
    assert len(load_tfds("tfds:tiny_reviews")["train"]) == 3
    assert offline == []


def test_files_that_the_user_did_not_bring_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TinyReviews, "MANUAL_DOWNLOAD_INSTRUCTIONS", "Ask the author for a file.")
    monkeypatch.setattr(
        TinyReviews, "_split_generators", lambda self, manager: {"train": manager.manual_dir}
    )
    message = _refusal("tfds:tiny_reviews")
    assert "failed (Manual directory " in message
    assert "Ask the author" in message


def test_a_damaged_data_set_is_a_sentence(films: str, prepared: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "empty"
    shutil.copytree(prepared, damaged)
    (record,) = damaged.rglob("*-train.tfrecord*")
    record.write_bytes(record.read_bytes()[:-5])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFDS_DATA_DIR", str(damaged))
        message = _refusal(films)
        assert message.startswith(f"{films}: split 'train' in {record.parent} cannot be read (")
        assert message.endswith("delete that folder and prepare it again")
        (record.parent / "dataset_info.json").write_text("{")
        message = _refusal(films)
        assert message.startswith(f"tfds:tiny_reviews cannot be opened in {damaged} (")
        assert message.endswith("delete its folder there and prepare it again")


def test_importing_the_module_does_not_import_the_package() -> None:
    code = "import sys, recipes.data.labelled; sys.exit('tensorflow_datasets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_shared
@pytest.mark.sweep
def test_imdb_has_its_published_size_and_balance(
    monkeypatch: pytest.MonkeyPatch, offline: list[list[str]]
) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(SHARED))
    found = load_tfds("tfds:imdb_reviews", download=False)
    assert list(found) == ["train", "test"]
    for examples in found.values():
        assert Counter(example.label for example in examples) == {"neg": 12_500, "pos": 12_500}
    texts = [{example.text for example in examples} for examples in found.values()]
    assert len(texts[0] & texts[1]) == 123  # as the data's README says
    assert offline == []

"""Labelled texts are read whatever the kind of the label and the number of files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipes.data.items import Example
from recipes.data.tfds import source
from recipes.data.tfds.texts import load_tfds

tfds = pytest.importorskip("tensorflow_datasets")

TEXTS = [f"grüße {number}\n" for number in range(7)] + [""]


class TinyRecords(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc, name-defined]
    """Eight rows whose features are stored in all ways that a single value can be."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Any:
        scalar = tfds.features.Scalar
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["neg", "pos"]),
            "stars": scalar(np.int32),
            "packed": tfds.features.Tensor(shape=(), dtype=np.int64, encoding="zlib"),
            "useful": scalar(np.bool_),
            "perhaps": tfds.features.Text(optional=True),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager: Any) -> Any:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for key, text in enumerate(TEXTS):
            row = {"text": text, "label": key % 3 - 1, "stars": key - 1, "packed": 10 * key}
            yield key, {**row, "useful": key > 4, "perhaps": text if key % 2 else None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder with the prepared rows, in two files."""
    folder = tmp_path_factory.mktemp("records")
    made = TinyRecords(data_dir=folder)
    made.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=2))
    assert len(made.info.splits["train"].filepaths) == 2
    return folder


@pytest.mark.parametrize(
    ("key", "labels"),
    [
        ("label", [None, "neg", "pos", None, "neg", "pos", None, "neg"]),
        ("stars", ["-1", "0", "1", "2", "3", "4", "5", "6"]),
        ("packed", ["0", "10", "20", "30", "40", "50", "60", "70"]),
        ("useful", ["false"] * 5 + ["true"] * 3),
        ("perhaps", [text.strip() if number % 2 else None for number, text in enumerate(TEXTS)]),
    ],
)
@pytest.mark.parametrize("size", [3, 1000])
def test_every_kind_of_value_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, key: str, labels: list[str | None], size: int
) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder))
    monkeypatch.setattr(source, "BATCH", size)
    rows = zip(TEXTS, labels, strict=True)
    expected = [Example(text, label) for text, label in rows if label]
    found = load_tfds("tfds:tiny_records", "text", key, download=False)["train"]
    assert sorted(found, key=repr) == sorted(expected, key=repr)

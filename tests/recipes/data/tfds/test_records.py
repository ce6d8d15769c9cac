"""Both ways to read a split give the same, whatever the features and the number of files."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recipes.data.tfds import records
from recipes.data.tfds.records import read_batches

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
def builder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The prepared rows, in two files."""
    made = TinyRecords(data_dir=tmp_path_factory.mktemp("records"))
    config = tfds.download.DownloadConfig(num_shards=2)
    made.download_and_prepare(download_config=config)
    assert len(made.info.splits["train"].filepaths) == 2
    return made


def _rows(builder: Any, *keys: str) -> dict[bytes, Any]:
    rows: dict[bytes, Any] = {}
    for batch in read_batches(tfds, builder, "train", ("text", keys[0])):
        assert set(batch) == {"text", keys[0]}
        rows.update(zip(batch["text"], batch[keys[0]], strict=True))
    return rows


def _expected(values: list[Any]) -> dict[bytes, Any]:
    return {text.encode(): value for text, value in zip(TEXTS, values, strict=True)}


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("label", [-1, 0, 1, -1, 0, 1, -1, 0]),
        ("stars", [-1, 0, 1, 2, 3, 4, 5, 6]),
        ("packed", [0, 10, 20, 30, 40, 50, 60, 70]),
        ("useful", [False] * 5 + [True] * 3),
    ],
)
@pytest.mark.parametrize("size", [3, 1000])
def test_every_kind_of_value_is_read(
    builder: Any, monkeypatch: pytest.MonkeyPatch, key: str, values: list[Any], size: int
) -> None:
    monkeypatch.setattr(records, "_BATCH", size)
    assert _rows(builder, key) == _expected(values)


def test_missing_optional_strings_are_empty(builder: Any) -> None:
    odd = [text.encode() if number % 2 else b"" for number, text in enumerate(TEXTS)]
    assert _rows(builder, "perhaps") == _expected(odd)


def test_classes_are_parsed_at_once_and_the_rest_by_the_package(
    builder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_by_one(self: Any, **options: Any) -> None:
        raise NotImplementedError

    monkeypatch.setattr(TinyRecords, "as_dataset", one_by_one)
    assert len(_rows(builder, "label")) == len(TEXTS)
    with pytest.raises(NotImplementedError):
        _rows(builder, "stars")


def test_other_file_formats_are_left_to_the_package(builder: Any) -> None:
    asked = []

    def as_dataset(**options: Any) -> Any:
        asked.append(options["split"])
        return builder.as_dataset(**options)

    info = SimpleNamespace(features=builder.info.features, file_format=tfds.core.FileFormat.PARQUET)
    parquet = SimpleNamespace(info=info, as_dataset=as_dataset)
    assert _rows(parquet, "label") == _rows(builder, "label")
    assert asked == ["train"]

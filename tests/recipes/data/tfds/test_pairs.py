"""Pairs from tensorflow-datasets: every layout that data sets have, and what is none."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from recipes.data.items import Pair
from recipes.data.pairs import PairOptions, load
from recipes.data.splits import Splits
from recipes.data.tfds import source as tfds_source
from recipes.data.tfds.pairs import load_tfds_pairs
from zoo.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")


class TinyPairs(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc, name-defined]
    """Three records in each layout that data sets have; needs no download."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name=name, version="1.0.0", description=name)
        for name in ("supervised", "two", "three", "nested", "texts", "varying", "neither")
    ]

    def _info(self) -> Any:
        name, features = self.builder_config.name, tfds.features
        pair = features.Translation(["pt", "en"])
        layouts: dict[str, Any] = {
            "supervised": pair,
            "two": pair,
            "three": features.Translation(["pt", "en", "de"]),
            "nested": features.FeaturesDict({"talk": features.Text(), "lines": pair}),
            "texts": features.FeaturesDict({"long": features.Text(), "short": features.Text()}),
            "neither": features.FeaturesDict({"text": features.Text()}),
            "varying": features.FeaturesDict(
                {"lines": features.TranslationVariableLanguages(["de", "en", "pt"])}
            ),
        }
        keys = {"supervised": ("pt", "en"), "texts": ("long", "short")}.get(name)
        return tfds.core.DatasetInfo(
            builder=self, features=layouts[name], supervised_keys=keys, disable_shuffling=True
        )

    def _split_generators(self, manager: Any) -> Any:
        return {split: self._rows(split) for split in ("train", "validation", "test")}

    def _generate_examples(self) -> Any:
        raise NotImplementedError

    def _rows(self, split: str) -> Any:
        name = self.builder_config.name
        for key, word in enumerate(("um", "dois", "")):
            pair = {"pt": word, "en": f"{split} {key} é"}
            layouts: dict[str, Any] = {
                "three": {**pair, "de": "drei"},
                "nested": {"talk": "t", "lines": pair},
                "texts": {"long": pair["en"], "short": word},
                "neither": {"text": word},
                "varying": {
                    "lines": {"pt": ["um", "uns"], "en": pair["en"]} if key else {"de": "eins"}
                },
            }
            yield key, layouts.get(name, pair)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tfds")
    for config in TinyPairs.builder_configs:
        TinyPairs(config=config, data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(autouse=True)
def offline(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder is set, and the network may not be asked for."""

    def asked(addresses: list[str]) -> bool:
        raise AssertionError(addresses)

    monkeypatch.setattr(tfds_source, "reachable", asked)
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    return prepared


def refusal(spec: str, source: str = "", target: str = "") -> str:
    with pytest.raises(InputError) as caught:
        load_tfds_pairs(spec, source, target, download=False)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("config", "source", "target", "expected"),
    [
        ("supervised", "", "", ["um|test 0 é", "dois|test 1 é", "|test 2 é"]),
        ("supervised", "en", "pt", ["test 0 é|um", "test 1 é|dois", "test 2 é|"]),
        ("supervised", "en", "", ["test 0 é|um", "test 1 é|dois", "test 2 é|"]),
        ("two", "", "", ["um|test 0 é", "dois|test 1 é", "|test 2 é"]),
        ("three", "de", "pt", ["drei|um", "drei|dois", "drei|"]),
        ("nested", "pt", "en", ["um|test 0 é", "dois|test 1 é", "|test 2 é"]),
        ("nested", "", "", ["um|test 0 é", "dois|test 1 é", "|test 2 é"]),
        ("texts", "", "", ["test 0 é|um", "test 1 é|dois", "test 2 é|"]),
        ("varying", "pt", "en", ["um|test 1 é", "um|test 2 é"]),
        ("varying", "de", "pt", []),
    ],
)
def test_every_layout_gives_its_pairs(
    config: str, source: str, target: str, expected: list[str]
) -> None:
    found = load_tfds_pairs(f"tfds:tiny_pairs/{config}", source, target, download=False)
    assert list(found) == ["train", "validation", "test"]
    assert [f"{pair.source}|{pair.target}" for pair in found["test"]] == expected


def test_only_the_splits_asked_for_are_read() -> None:
    found = load_tfds_pairs("tfds:tiny_pairs/two", "pt", "en", False, splits=["test", "dev"])
    assert found == {
        "test": [Pair("um", "test 0 é"), Pair("dois", "test 1 é"), Pair("", "test 2 é")]
    }


def test_the_option_gives_the_three_splits_without_blank_pairs() -> None:
    options = PairOptions(data="tfds:tiny_pairs/supervised", download=False)
    found = load(options, lambda: Splits([], [], []))
    parts = [
        [Pair("um", f"{split} 0 é"), Pair("dois", f"{split} 1 é")]
        for split in ("train", "validation", "test")
    ]
    assert found == Splits(*parts, left_out=3)


def test_what_cannot_be_had_is_a_sentence() -> None:
    assert refusal("tfds:tiny_pairs/supervised", target="fr") == (
        "tfds:tiny_pairs/supervised: there is no language 'fr', expected one of 'pt', 'en': choose "
        "the target's with --target"
    )
    assert "no source and no target language given, expected one of pt, en, de: choose with " in (
        refusal("tfds:tiny_pairs/three")
    )
    assert refusal("tfds:tiny_pairs/neither") == (
        "tfds:tiny_pairs/neither: no feature holds translations, expected texts in two languages, "
        "there are text: choose another data set"
    )
    assert refusal("tfds:a/b/c").startswith("expected tfds:NAME or tfds:NAME/CONFIG, got 'tfds:a")
    assert refusal("tfds:opus/medical").startswith("tfds:opus/medical is not prepared in ")


def test_damaged_records_are_a_sentence(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(prepared, tmp_path / "damaged")
    record = next((tmp_path / "damaged").rglob("*two/**/*-train.tfrecord*"))
    record.write_bytes(record.read_bytes()[:-5])
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "damaged"))
    assert refusal("tfds:tiny_pairs/two").startswith(
        f"tfds:tiny_pairs/two: split 'train' in {record.parent} cannot be read ("
    )

"""tensorflow-datasets: what is unknown or not prepared fails in seconds and in one sentence."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from recipes.data.tfds import source
from recipes.data.tfds.texts import load_tfds
from zoo.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")


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


@pytest.mark.parametrize("spec", ["tfds:", "tfds:a/b/c", "tfds:imdb reviews", "tfds:a/", "imdb"])
def test_a_malformed_name_shows_the_form(spec: str) -> None:
    message = _refusal(spec)
    assert message.startswith(f"expected tfds:NAME or tfds:NAME/CONFIG, got {spec!r}")
    assert "tfds:imdb_reviews" in message


def test_an_unknown_data_set_is_answered_with_the_nearest() -> None:
    message = _refusal("tfds:imdb_review")
    assert message.startswith("tfds:imdb_review: there is no data set 'imdb_review', expected one")
    assert "(did you mean 'imdb_reviews'?)" in message
    assert "tensorflow.org/datasets/catalog" in message
    assert len(message) < 300  # there are more than a thousand


def test_an_unknown_configuration_is_answered_with_the_nearest() -> None:
    message = _refusal("tfds:imdb_reviews/plain")
    assert message == (
        "tfds:imdb_reviews/plain: there is no configuration 'plain', expected one of 'plain_text' "
        "(did you mean 'plain_text'?): choose one, or leave it out for the first"
    )
    message = _refusal("tfds:ag_news_subset/plain")
    assert message.endswith("there is no configuration 'plain', expected none at all: leave it out")


def test_a_misspelt_key_names_the_features_before_anything_is_downloaded(
    offline: list[list[str]],
) -> None:
    message = _refusal("tfds:imdb_reviews", label_key="lable")
    assert message == (
        "tfds:imdb_reviews: there is no feature 'lable', expected one of 'text', 'label' (did you "
        "mean 'label'?): choose the label's with --label-column"
    )
    assert "choose the text's with --text-column" in _refusal("tfds:ag_news_subset")
    assert offline == []


def test_a_sequence_is_no_text() -> None:
    spec = "tfds:universal_dependencies/en_ewt"
    message = _refusal(spec, text_key="tokens", label_key="idx")
    assert message.startswith(f"{spec}: feature 'tokens' is Sequence, expected a string for each ")


def test_what_is_not_prepared_says_where_it_looked(
    tmp_path: Path, offline: list[list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    message = _refusal("tfds:glue/sst2", text_key="sentence", download=False)
    assert message.startswith(f"tfds:glue/sst2 is not prepared in {tmp_path / 'empty'} and may not")
    assert f"tfds.load('glue/sst2', data_dir='{tmp_path / 'empty'}')" in message
    assert "or set TFDS_DATA_DIR" in message
    assert offline == []
    assert not caplog.records  # tensorflow-datasets would warn that there is no dataset_info.json


def test_without_the_variable_the_home_folder_is_searched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TFDS_DATA_DIR")
    message = _refusal("tfds:imdb_reviews", download=False)
    assert f"not prepared in {tmp_path / 'tensorflow_datasets'} and" in message
    monkeypatch.setenv("TFDS_DATA_DIR", "")  # as if it were not set
    assert _refusal("tfds:imdb_reviews", download=False) == message


def test_without_a_network_a_download_is_not_even_tried(
    monkeypatch: pytest.MonkeyPatch, offline: list[list[str]]
) -> None:
    message = _refusal("tfds:imdb_reviews")
    assert message.startswith("tfds:imdb_reviews is not prepared in ")
    assert "there is no network to download it: prepare it on a connected machine" in message
    assert offline == [["http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"]]
    monkeypatch.setattr(tfds.core.DatasetBuilder, "url_infos", None)
    _refusal("tfds:imdb_reviews")
    assert offline[1] == ["https://storage.googleapis.com"]


def test_a_download_that_fails_is_a_sentence_with_its_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(builder: Any) -> None:
        raise ConnectionResetError("the server\n went " + "far " * 200)

    monkeypatch.setattr(source, "reachable", lambda addresses: True)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(InputError, match="downloading it failed .the server went far") as caught:
        load_tfds("tfds:imdb_reviews")
    assert isinstance(caught.value.__cause__, ConnectionResetError)
    assert "try again" in str(caught.value)
    assert "far " * 100 not in str(caught.value)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    message = _refusal("tfds:imdb_reviews")
    assert message.startswith("data from tfds: needs the package tensorflow-datasets")
    assert message.endswith("install it with `pip install 'rnn-zoo[tfds]'`")

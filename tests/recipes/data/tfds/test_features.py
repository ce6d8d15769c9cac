"""Which features can be a text or a label, and how a value becomes a class's name."""

from typing import Any

import numpy as np
import pytest

from recipes.data.tfds.features import check_features, read_label
from zoo.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")

TEXT = tfds.features.Text()
CLASS = tfds.features.ClassLabel(names=["neg", "pos"])


def _check(text: Any = TEXT, label: Any = CLASS) -> None:
    check_features(tfds, "tfds:some", {"review": text, "mark": label}, "review", "mark")


@pytest.mark.parametrize("text", [TEXT, tfds.features.Tensor(shape=(), dtype=np.object_)])
@pytest.mark.parametrize(
    "label",
    [CLASS, TEXT, tfds.features.Scalar(np.int32), tfds.features.Scalar(np.uint8)]
    + [tfds.features.Scalar(np.bool_)],
)
def test_strings_are_texts_and_classes_numbers_and_strings_are_labels(
    text: Any, label: Any
) -> None:
    _check(text, label)


@pytest.mark.parametrize(
    "text",
    [
        CLASS,
        tfds.features.Scalar(np.float32),
        tfds.features.Sequence(TEXT),
        tfds.features.Tensor(shape=(3,), dtype=np.object_),
        tfds.features.Image(),
        tfds.features.Dataset(TEXT),
        tfds.features.Translation(["de", "en"]),
    ],
)
def test_other_features_are_no_text(text: Any) -> None:
    with pytest.raises(InputError) as caught:
        _check(text=text)
    kind = type(text).__name__
    assert str(caught.value) == (
        f"tfds:some: feature 'review' is {kind}, expected a string for each text: choose another "
        f"with --text-column, there are review, mark"
    )


@pytest.mark.parametrize(
    "label",
    [
        tfds.features.Scalar(np.float32),
        tfds.features.Sequence(CLASS),
        tfds.features.Tensor(shape=(2,), dtype=np.int64),
        tfds.features.FeaturesDict({"a": CLASS}),
    ],
)
def test_other_features_are_no_label(label: Any) -> None:
    with pytest.raises(InputError, match="'mark' is .*, expected a class .* --label-column"):
        _check(label=label)


def test_a_class_has_its_name_and_minus_one_has_none() -> None:
    name = read_label(tfds, CLASS)
    assert [name(np.int64(value)) for value in (0, 1, -1)] == ["neg", "pos", ""]


def test_a_class_without_a_name_is_its_number() -> None:
    name = read_label(tfds, tfds.features.ClassLabel(num_classes=11))
    assert [name(np.int64(value)) for value in (0, 10, -1)] == ["0", "10", ""]


def test_numbers_are_written_out_the_negative_too() -> None:
    name = read_label(tfds, tfds.features.Scalar(np.int32))
    assert [name(np.int32(value)) for value in (5, -1)] == ["5", "-1"]


def test_truth_values_are_written_as_in_json() -> None:
    name = read_label(tfds, tfds.features.Scalar(np.bool_))
    assert [name(np.bool_(value)) for value in (True, False)] == ["true", "false"]


def test_strings_are_decoded_and_stripped() -> None:
    name = read_label(tfds, TEXT)
    assert [name(value) for value in ("grüße ".encode(), b" ", b"\xff")] == ["grüße", "", "\ufffd"]

"""`search` over models of numbers: statistics, padding and losses that fit their outputs."""

import numpy as np
import pytest

import zoo.tuning
from zoo.errors import InputError
from zoo.losses import KnownSquaredError

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(2, 6, 24).astype("int32")
VALUES = RNG.normal(100, 20, (24, 5, 2)).astype("float32")
INPUTS = {"values": VALUES, "lengths": LENGTHS}
FORMS = {
    "label": ("many_to_one", {"num_classes": 2}, (VALUES[:, 0, 0] > 100).astype("int32")),
    "number": ("many_to_one", {"num_outputs": 1}, VALUES[:, 0, :1] * 3),
    "tags": ("many_to_many", {"num_tags": 2}, (VALUES[..., 0] > 100).astype("int32")),
    "numbers": ("many_to_many", {"num_outputs": 2}, VALUES + 1),
    "forecast": ("forecaster", {"horizon": 2}, VALUES[:, :2]),
    "labels": ("ctc", {"num_labels": 2}, RNG.integers(1, 3, (24, 2))),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_model_of_numbers_is_searched_on_arrays(form, tmp_path, capsys, eagerly):
    name, options, targets = FORMS[form]
    objective = "accuracy" if form in ("label", "tags") else "loss"
    split = INPUTS, targets
    found = zoo.tuning.search(
        name,
        (split, split),
        directory=tmp_path,
        objective=objective,
        epochs=1,
        input_dim=2,
        units=[2, 3],
        **options,
    )
    assert found.options["units"] in (2, 3)
    assert capsys.readouterr().out.count("of 2  units") == 2


@pytest.mark.sweep
def test_padding_counts_for_nothing_in_a_regression_of_each_step(tmp_path, eagerly):
    scores = []
    for number, fill in enumerate((0.0, 1e6)):
        targets = VALUES + 1
        targets[np.arange(5)[None] >= LENGTHS[:, None]] = fill
        zoo.tuning.search(
            "many_to_many",
            ((INPUTS, targets), (INPUTS, targets)),
            directory=tmp_path / str(number),
            objective="loss",
            epochs=1,
            input_dim=2,
            num_outputs=2,
            units=[2, 3],
        )
        text = (tmp_path / str(number) / "trials.csv").read_text()
        scores.append([line.split(",")[:4] for line in text.splitlines()])
    assert scores[0] == scores[1]


@pytest.mark.parametrize("form", ["number", "forecast", "labels"])
def test_an_accuracy_of_what_has_no_classes_is_refused(form, tmp_path, eagerly):
    name, options, targets = FORMS[form]
    split = INPUTS, targets
    with pytest.raises(InputError, match="predicts no class, so there is no objective 'accuracy'"):
        zoo.tuning.search(
            name, (split, split), directory=tmp_path, epochs=1, input_dim=2, units=[2, 3], **options
        )


def test_the_squared_error_is_that_of_the_known_targets():
    targets = np.array([[1.0, np.nan], [4.0, 2.0]])
    outputs = np.array([[2.0, 7.0], [4.0, 5.0]], "float32")
    assert float(KnownSquaredError()(targets, outputs)) == pytest.approx((1 + 0 + 9) / 3)
    weighted = KnownSquaredError()(targets, outputs, np.array([2.0, 1.0]))
    assert float(weighted) == pytest.approx((2 + 0 + 9) / 3)
    total = KnownSquaredError(reduction="sum")(targets, outputs)
    assert float(total) == pytest.approx(10)
    with pytest.raises(InputError, match="must have the sizes"):
        KnownSquaredError()(targets, outputs[:, :1])

"""`zoo.tuning.search`: networks without weights to learn, of which the right score is known."""

import keras
import numpy as np
import pytest

import zoo
import zoo.tuning
from tests.sweeps import swept
from tests.zoo.tuning import toy
from zoo.errors import InputError
from zoo.layers import CRF, CRFLoss
from zoo.losses import TokenCrossentropy
from zoo.masking import padding_mask
from zoo.registry import registered
from zoo.tuning.arrays import _read
from zoo.tuning.space import Axis
from zoo.tuning.storage import Records
from zoo.tuning.study import Study
from zoo.tuning.trials import conduct

pytestmark = [
    pytest.mark.usefixtures("eagerly"),
    pytest.mark.filterwarnings("ignore:Even though the .tf.config.*tf.data functions"),
]
TOKENS = 5
NATS = np.log(1 + 4 * np.exp(-9.0))  # the loss of a token that is right with 9 nats to spare


def echo(*, sharpness: float = 9.0, head: str = "softmax", name: str = "echo") -> keras.Model:
    """Tags each token with its own id: the perfect tagger."""
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    return keras.Model(ids, _tagged(ids, sharpness, head), name=name)


def echo_target(*, sharpness: float = 9.0, name: str = "echo_target") -> keras.Model:
    """The same of a decoder's target."""
    sides = {n: keras.Input((None,), dtype="int32", name=n) for n in ("source_ids", "target_ids")}
    logits = _tagged(sides["target_ids"], sharpness, "softmax")
    return keras.Model(sides, logits + 0 * keras.ops.sum(sides["source_ids"]), name=name)


def _tagged(ids, sharpness, head):
    table = keras.initializers.Identity(gain=sharpness)
    logits = keras.layers.Embedding(TOKENS, TOKENS, embeddings_initializer=table)(ids)
    if head == "softmax":
        return logits
    return CRF(TOKENS, transitions_initializer="zeros")(logits, mask=padding_mask(ids))


def one_label(*, sharpness: float = 1.0, layers: tuple[int, ...] = (1,), name: str = "one"):
    """Class 0 for a negative feature, 1 for a positive one; sharper is surer."""
    values = keras.Input((1,), name="features")
    table = keras.initializers.Constant(np.array([[-sharpness / 2, sharpness / 2]]))
    logits = keras.layers.Dense(2, use_bias=False, kernel_initializer=table)(values)
    return keras.Model(values, logits, name=name)


@pytest.fixture(autouse=True)
def networks():
    with (
        registered("echo", echo, "many_to_many"),
        registered("echo_next", echo, "language_model"),
        registered("echo_class", echo, "one_to_many"),
        registered("echo_target", echo_target, "encoder_decoder"),
        registered("one_label", one_label, "one_to_one"),
    ):
        yield


def padded(label):
    ids = np.array([[1, 2, 3, 0, 0, 0], [4, 1, 0, 0, 0, 0], [2, 3, 4, 1, 2, 0]])
    return ids, np.where(ids > 0, ids, label)


def signed():
    values = np.array([[-1.0], [1.0], [1.0], [-1.0]], np.float32)
    return values, np.array([0, 1, 1, 1])


def found(name, data, directory, **options):
    still = {"epochs": 1, "learning_rate": 1e-9, "directory": directory}
    return zoo.tuning.search(name, (data, data), **{**still, **options})


@pytest.mark.parametrize(
    ("name", "label"),
    swept(
        [("echo", -1), ("echo", 3), ("echo_next", 0), ("echo_class", -1), ("echo_target", 0)],
        lambda name, label: (name, label) in [("echo", 3), ("echo_class", -1), ("echo_target", 0)],
    ),
)
def test_padding_counts_for_nothing_in_the_default_objective(tmp_path, name, label):
    ids, labels = padded(label)
    inputs = {"source_ids": ids, "target_ids": ids} if name == "echo_target" else ids
    best = found(name, (inputs, labels), tmp_path, sharpness=[9.0, 8.0], trials=1)
    assert best.findings.points[0].score == 1.0
    (row,) = Records(tmp_path).rows()
    assert row["validation_loss"] == pytest.approx(NATS, rel=1e-3)


def test_a_crf_is_searched_by_the_accuracy_of_its_best_paths(tmp_path):
    best = found("echo", padded(-1), tmp_path, head=("softmax", "crf"))
    assert not best.findings.failures
    assert [point.score for point in best.findings.points] == [1.0, 1.0]


def test_a_registered_tagger_with_a_crf_is_searched(tmp_path):
    best = found(
        "bilstm_crf",
        padded(-1),
        tmp_path,
        trials=1,
        units=np.array([2, 3]),
        embedding_dim=np.int64(2),
        vocabulary_size=TOKENS,
        num_tags=TOKENS,
    )
    assert not best.findings.failures
    assert 0 <= best.findings.points[0].score <= 1
    assert best.options["units"] == 2


@pytest.mark.parametrize(
    "loss",
    swept(
        [
            "sparse_categorical_crossentropy",
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            TokenCrossentropy(label_smoothing=0.1),
            lambda y_true, y_pred: keras.ops.sparse_categorical_crossentropy(
                y_true, y_pred, from_logits=True
            ),
        ],
        lambda loss: isinstance(loss, (str, TokenCrossentropy)),
    ),
)
def test_padding_counts_for_nothing_with_a_loss_of_ones_own(tmp_path, loss):
    best = found("echo", padded(3), tmp_path, sharpness=[9.0, 8.0], trials=1, loss=loss)
    assert best.findings.points[0].score == 1.0


def test_a_cross_entropy_by_name_is_minimised_and_is_that_of_logits(tmp_path):
    best = found(
        "one_label", signed(), tmp_path, sharpness=[0.0, 1.0, 9.0],
        objective="sparse_categorical_crossentropy",
    )  # fmt: skip
    expected = [np.log(2), np.mean(np.log1p(np.exp([-1, -1, -1, 1]))), np.log1p(np.exp(9)) / 4]
    scores = [point.score for point in best.findings.points]
    assert scores == pytest.approx(expected, rel=1e-3)
    assert best.options["sharpness"] == 1.0
    assert best.findings.study.direction == "min"


def test_the_metric_of_ones_own_is_followed_in_its_direction(tmp_path):
    def size(y_true, y_pred):
        return keras.ops.abs(y_pred[:, 0])

    best = found(
        "one_label", signed(), tmp_path, sharpness=[1.0, 4.0], objective=size, direction="min"
    )
    assert best.options["sharpness"] == 1.0
    assert [point.score for point in best.findings.points] == [0.5, 2.0]


def test_metric_and_loss_objects_are_objectives(tmp_path):
    metric = keras.metrics.SparseTopKCategoricalAccuracy(k=1, name="top")
    given = [(signed(), "one_label", {}, metric, 0.75)]
    given += [
        (padded(-1), "echo", {"head": head}, loss, NATS)
        for head, loss in (("softmax", TokenCrossentropy()), ("crf", CRFLoss()))
    ]
    for place, (data, name, options, objective, score) in enumerate(given):
        directory = tmp_path / str(place)
        options = {**options, "sharpness": [9.0, 8.0], "trials": 1, "objective": objective}
        best = found(name, data, directory, **options)
        assert best.findings.points[0].score == pytest.approx(score, rel=1e-3)


def test_a_metric_that_needs_logits_is_refused_for_a_crf(tmp_path):
    with pytest.raises(InputError, match="gives the CRF's chain: take 'accuracy', 'loss'"):
        found(
            "echo", padded(-1), tmp_path, sharpness=[1.0, 2.0], head="crf",
            objective="sparse_categorical_crossentropy",
        )  # fmt: skip


def test_a_trial_that_diverges_is_not_recommended(tmp_path):
    best = found("one_label", signed(), tmp_path, sharpness=[1e39, 1.0])
    assert best.options["sharpness"] == 1.0
    assert "1 of 2 settings failed" in best.sentence
    assert "trial 1: training has diverged" in best.sentence


def test_the_same_call_goes_on_with_its_study_whatever_types_its_options_have(tmp_path):
    options = {
        "sharpness": (np.float64(1.0), 2.0),
        "layers": (1, 2),
        "seeds": np.int64(1),
        "seed": np.int32(3),
        "epochs": np.int64(1),
        "trials": 5.0,
        "fractions": np.array([1.0]),
        "batch_size": np.int16(2),
        "patience": np.int64(1),
        "minutes": np.float32(0),
    }
    first = found("one_label", signed(), tmp_path, **options)
    lines = (tmp_path / "journal.jsonl").read_text()
    again = found("one_label", signed(), str(tmp_path), **options)
    assert first.options == again.options
    assert first.options["layers"] == [1, 2]
    assert (tmp_path / "journal.jsonl").read_text() == lines
    assert Study.load(tmp_path) == again.findings.study


@pytest.mark.parametrize(
    ("name", "option", "value", "values"),
    [
        ("many_to_many", "units", [4, 8], (4, 8)),
        ("many_to_many", "units", (4, np.int64(8)), (4, 8)),
        ("many_to_many", "units", range(1, 4), (1, 2, 3)),
        ("many_to_many", "units", np.arange(4, 9, 4), (4, 8)),
        ("many_to_many", "units", np.geomspace(4, 16, 3), (4, 8, 16)),
        ("many_to_many", "units", {8, 4}, (4, 8)),
        ("many_to_many", "units", map(int, "48"), (4, 8)),
        ("many_to_many", "units", "4:16:log", (4, 8, 16)),
        ("many_to_many", "dropout", [0, 0.5], (0.0, 0.5)),
        ("many_to_many", "bidirectional", np.array([False, True]), (False, True)),
        ("many_to_many", "bidirectional", [0, 1], (False, True)),
        ("many_to_many", "cell", ("gru", "lstm"), ("gru", "lstm")),
        ("many_to_many", "cell", np.array(["gru", "lstm"]), ("gru", "lstm")),
        ("many_to_many", "character_widths", [(2,), (2, 3)], ([2], [2, 3])),
        ("many_to_many", "character_widths", np.array([[2, 3], [3, 4]]), ([2, 3], [3, 4])),
        ("many_to_many", "cell_options", [None, {"unit_forget_bias": False}],
         (None, {"unit_forget_bias": False})),
        ("many_to_many", "learned_size", [None, 50], (None, 50)),
        ("many_to_many", "learning_rate", np.array([1e-3, 1e-2]), (1e-3, 1e-2)),
        ("many_to_many", "batch_size", (16, 32), (16, 32)),
    ],
)  # fmt: skip
def test_several_values_come_as_any_sequence(name, option, value, values):
    axis = _read(name, option, value)
    assert isinstance(axis, Axis)
    assert axis.values == values
    assert [type(one) for one in axis.values] == [type(one) for one in values]


@pytest.mark.parametrize(
    ("option", "given", "value"),
    [
        ("units", np.int64(4), 4),
        ("units", np.array(4), 4),
        ("units", [4], 4),
        ("units", 4.0, 4),
        ("bidirectional", np.bool_(True), True),
        ("cell", np.str_("gru"), "gru"),
        ("character_widths", (2, 3), [2, 3]),
        ("character_widths", np.array([2, 3]), [2, 3]),
        ("character_widths", range(2, 4), [2, 3]),
        ("cell_options", {"unit_forget_bias": np.bool_(False)}, {"unit_forget_bias": False}),
        ("auxiliary", {"xpos": np.int64(3)}, {"xpos": 3}),
        ("allowed", (np.ones((2, 2), bool), np.ones(2, bool), np.ones(2, bool)),
         [[[True] * 2] * 2, [True] * 2, [True] * 2]),
    ],
)  # fmt: skip
def test_one_value_stays_one_value(option, given, value):
    found = _read("many_to_many", option, given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("option", "given", "told"),
    [
        ("units", [4.5, 8], "units must be a whole number, got 4.5"),
        ("units", [], "units has no value"),
        ("units", object(), "units must be a number, a string"),
        ("character_widths", "2,3", "character_widths must be a list"),
        ("learning_rate", float("nan"), "learning_rate must be a number, got nan"),
        ("unit", 3, "did you mean 'units'"),
    ],
)
def test_what_fits_no_option_is_refused_in_a_sentence(option, given, told):
    with pytest.raises(InputError, match=told):
        _read("many_to_many", option, given)


@pytest.mark.parametrize(
    "data",
    [
        (signed(),),
        [signed()[0], signed()],
        ("train", "validation"),
        ((1, 2), (3, 4)),
        signed() + signed(),
    ],
)
def test_data_that_is_not_two_splits_is_refused_in_a_sentence(tmp_path, data):
    with pytest.raises(InputError, match="data must be"):
        zoo.tuning.search("one_label", data, directory=tmp_path, sharpness=[1.0, 2.0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("algorithm", ["grid", "random"])
def test_values_that_are_lists_dicts_and_none_are_searched_and_reported(tmp_path, algorithm):
    values = ([2], [2, 3], None, {"a": 1}, True, 1, "x")
    axes = (Axis("width", values), Axis("num_layers", (1, 2)), Axis("residual", (True, False)))
    study = Study("toy", axes, {}, "accuracy", algorithm=algorithm, trials=50)
    seen = []

    def measure(run):
        seen.append(run.values)
        better = run.values["width"] == [2, 3] and run.values["num_layers"] == 1
        return {"accuracy": 0.9 if better else 0.1, "parameters": 3}

    conduct(study, measure, tmp_path)
    conduct(study, measure, tmp_path)  # the journal is played back
    assert Study.load(tmp_path) == study
    assert {repr(one["width"]) for one in seen} == {repr(value) for value in values}
    sentence = zoo.tuning.arrays.report(study, tmp_path, "", {})
    assert "Take width [2, 3], num_layers 1" in sentence
    assert toy.scores(tmp_path)

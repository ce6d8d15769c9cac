"""Functions -> a SavedModel that answers as they do, or no SavedModel."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from zoo import export
from zoo.errors import InputError
from zoo.export import ExportError, check, newest, publish, versions

# what a transport may lose: NUL at the end, bytes that are no UTF-8, the last digits, -inf
TEXTS = [b"", b"a\0b\0", b"\xff\xfe", "👍🏽".encode()]
SCALES = np.array([0.0, 1e-40, 0.1, 3e38], "float32")
NUMBERS = np.array([[-(2**31), 2**31 - 1], [0, 7]], "int32")
PROBES = {
    "serving_default": {"text": TEXTS, "scale": SCALES},
    "count": {"numbers": NUMBERS},
}


def functions_of(weight):
    """Two signatures with strings, floats and ints, and the variable that they read."""
    variable = tf.Variable(weight, dtype=tf.float32)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([None], tf.float32, name="scale"),
        ],
        autograph=False,
    )
    def measure(text, scale):
        return {"again": text, "scaled": scale, "log": tf.math.log(scale) + variable}

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32, name="numbers")], autograph=False
    )
    def count(numbers):
        return {"numbers": numbers, "sum": tf.reduce_sum(tf.cast(numbers, tf.float32)) * variable}

    return {"serving_default": measure, "count": count}, [variable]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one version in it, really checked in a fresh process."""
    directory = tmp_path_factory.mktemp("saved_models") / "measure"
    assert publish(*functions_of(2.0), PROBES, directory) == directory / "1"
    return directory


@pytest.fixture
def unchecked(monkeypatch):
    """Saves the seconds of a fresh process where the test is about something else."""
    monkeypatch.setattr(export, "check", lambda *_: None)


def as_tensors(inputs):
    return {name: tf.constant(given) for name, given in inputs.items()}


def constant(**answer):
    """A function that has the same answer for every text, and what to ask it."""
    tensors = {name: tf.constant(value) for name, value in answer.items()}
    return {"serving_default": lambda text: tensors}, {"serving_default": {"text": [b"x"]}}


def quick(monkeypatch, foreign="[]", **answer):
    """Has a process of a fraction of a second, without TensorFlow, answer in `CHECKER`'s way."""
    packed = {name: export._packed(tf.constant(value)) for name, value in answer.items()}
    answers = json.dumps({"serving_default": packed})
    code = (
        "import json, os, sys; sys.stdin.read(); "
        f"json.dump({{'answers': {answers}, 'foreign': {foreign}}}, sys.stdout)"
    )
    monkeypatch.setattr(export, "CHECKER", code)


def test_a_version_alone_is_left_behind_and_others_may_read_it(folder):
    assert [path.name for path in folder.iterdir()] == ["1"]
    assert (folder / "1" / "saved_model.pb").is_file()
    assert (folder / "1").stat().st_mode & 0o777 == 0o755


def test_the_signatures_are_those_given(folder):
    served = tf.saved_model.load(str(folder / "1"))
    assert sorted(served.signatures) == ["count", "serving_default"]
    outputs = served.signatures["count"](numbers=tf.constant([[1, 2]]))
    assert {name: tensor.numpy().tolist() for name, tensor in outputs.items()} == {
        "numbers": [[1, 2]],
        "sum": 6.0,
    }


def test_nothing_is_lost_on_the_way_to_the_fresh_process_and_back(folder):
    tensors = {signature: as_tensors(inputs) for signature, inputs in PROBES.items()}
    served = export._ask_fresh_process(folder / "1", tensors)
    found = {
        name: export._unpacked(packed).numpy()
        for answers in served["answers"].values()
        for name, packed in answers.items()
    }
    assert served["foreign"] == []
    assert found["again"].tolist() == TEXTS
    np.testing.assert_array_equal(found["scaled"].view("int32"), SCALES.view("int32"))
    np.testing.assert_array_equal(found["numbers"], NUMBERS)
    assert found["numbers"].dtype == np.int32
    assert found["log"][0] == -np.inf
    np.testing.assert_allclose(found["log"][2:], np.log(SCALES[2:]) + 2, rtol=1e-6)


def test_the_next_version_is_one_more_and_stray_names_do_not_count(tmp_path, unchecked):
    for stray in (".part-x", "notes", "v7"):
        (tmp_path / stray).mkdir()
    (tmp_path / "README.md").write_text("exported by the recipe")
    assert publish(*functions_of(2.0), PROBES, tmp_path) == tmp_path / "1"
    assert publish(*functions_of(2.0), PROBES, tmp_path) == tmp_path / "2"
    (tmp_path / "2").rename(tmp_path / "10")
    assert publish(*functions_of(2.0), PROBES, tmp_path) == tmp_path / "11"
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {".part-x", "notes", "v7", "README.md", "1", "10", "11"}
    assert versions(tmp_path) == [1, 10, 11]
    assert newest(tmp_path) == tmp_path / "11"


def test_a_number_that_another_export_took_meanwhile_is_left_to_it(
    tmp_path, unchecked, monkeypatch
):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("of another")
    monkeypatch.setattr(export, "versions", lambda directory: [])
    assert publish(*functions_of(2.0), PROBES, tmp_path) == tmp_path / "2"
    assert (tmp_path / "1" / "saved_model.pb").read_text() == "of another"


def test_what_does_not_load_is_not_published(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "CHECKER", "raise OSError('no such op: Foo')")
    with pytest.raises(ExportError, match="does not load: OSError: no such op: Foo"):
        publish(*functions_of(2.0), PROBES, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_failure_while_writing_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(export, "_write", fail)
    with pytest.raises(OSError, match="disk full"):
        publish(*functions_of(2.0), PROBES, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("probes", [{}, {"count": PROBES["count"]}, {**PROBES, "other": {}}])
def test_each_signature_needs_probes_of_its_own(tmp_path, probes):
    with pytest.raises(InputError, match="each signature needs its probes"):
        publish(*functions_of(2.0), probes, tmp_path)
    assert list(tmp_path.iterdir()) == []


SERVED = {"label": [b"so", b"\xff\0"], "count": [3, -1], "score": [0.5, -np.inf], "sum": [-4000.0]}


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        ({}, True),
        ({"score": [0.500009, -np.inf]}, True),
        ({"score": [0.50003, -np.inf]}, False),
        ({"score": [0.5, -1e30]}, False),
        ({"score": [0.5, np.inf]}, False),
        ({"score": [np.nan, -np.inf]}, False),
        ({"score": [0.5]}, False),
        ({"score": [[0.5, -np.inf]]}, False),
        ({"sum": [-4000.03]}, True),
        ({"sum": [-4000.1]}, False),
        ({"count": [3, -2]}, False),
        ({"count": [3.0, -1.0]}, False),
        ({"label": [b"so", b"\xff"]}, False),
        ({"more": [1.0]}, False),
    ],
)
def test_answers_are_compared_closely(tmp_path, monkeypatch, other, fits):
    quick(monkeypatch, **SERVED)
    if fits:
        check(tmp_path, *constant(**{**SERVED, **other}))
    else:
        with pytest.raises(ExportError, match="answers differently from the one in memory"):
            check(tmp_path, *constant(**{**SERVED, **other}))


def test_an_answer_that_is_nan_on_both_sides_is_refused(tmp_path, monkeypatch):
    quick(monkeypatch, score=[np.nan])
    with pytest.raises(ExportError, match="answers differently"):
        check(tmp_path, *constant(score=[np.nan]))


def test_an_output_that_is_not_served_is_missed(tmp_path, monkeypatch):
    quick(monkeypatch, score=[0.5])
    with pytest.raises(ExportError, match=r"answers differently .*\(serving_default\)"):
        check(tmp_path, *constant(score=[0.5], label=[b"so"]))


@pytest.mark.parametrize("odd", ["serving_default", "count"])
def test_every_signature_is_compared(tmp_path, monkeypatch, odd):
    functions, _ = functions_of(2.0)
    answers = {
        signature: {
            name: export._packed(tensor)
            for name, tensor in functions[signature](**as_tensors(inputs)).items()
        }
        for signature, inputs in PROBES.items()
    }
    served = json.dumps({"answers": answers, "foreign": []})
    monkeypatch.setattr(export, "CHECKER", f"import sys; sys.stdin.read(); print({served!r})")
    check(tmp_path, functions, PROBES)
    with pytest.raises(ExportError, match=rf"answers differently .*\({odd}\)"):
        check(tmp_path, {**functions, odd: functions_of(2.1)[0][odd]}, PROBES)


def test_a_model_that_needs_this_project_is_refused(tmp_path, monkeypatch):
    quick(monkeypatch, foreign=["zoo.text"], **SERVED)
    with pytest.raises(ExportError, match="imports zoo.text"):
        check(tmp_path, *constant(**SERVED))


def test_the_real_checker_looks_for_this_project_among_the_imports():
    assert '("zoo", "recipes")' in export.CHECKER and "sys.modules" in export.CHECKER


def test_the_fresh_process_sees_neither_the_folder_nor_the_path_of_this_one(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "there"))
    near = f"[p for p in [os.getcwd(), *sys.path] if p == '' or p.startswith({str(tmp_path)!r})]"
    quick(monkeypatch, foreign=near, **SERVED)
    check(tmp_path, *constant(**SERVED))
    assert os.getcwd() == str(tmp_path / "here")


def test_a_folder_without_a_version_has_none_and_says_how_to_make_one(tmp_path):
    (tmp_path / "notes").mkdir()
    for directory in (tmp_path, tmp_path / "nowhere"):
        assert versions(directory) == []
        with pytest.raises(InputError, match="run the recipe's export first") as caught:
            newest(directory)
        assert str(directory) in str(caught.value)


def test_versions_are_ordered_as_numbers(tmp_path):
    for name in ("9", "10", "2"):
        (tmp_path / name).mkdir()
    assert versions(tmp_path) == [2, 9, 10]
    assert newest(tmp_path) == tmp_path / "10"

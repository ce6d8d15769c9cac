"""The folder of a saved pipeline: what is in it, float16, damage, other forms."""

import json

import h5py
import keras
import numpy as np
import pytest

import zoo
from tests.references.weights import assign_random
from zoo.errors import DamagedFile
from zoo.pipelines import Classifier, load
from zoo.system import checksums, durable, weights_file
from zoo.text import SPECIAL, Vectorizer, Vocabulary

WORDS = [f"w{number}" for number in range(300)]
TEXTS = ["w1 w20 w299", "w7", "w250 w251 w3 unknown"]


def classifier(model=None):
    vectorizer = Vectorizer(Vocabulary([*SPECIAL, *WORDS]), max_length=9)
    sizes = {"vocabulary_size": len(vectorizer.vocabulary), "num_classes": 2}
    options = {"cell": "gru", "units": 3, "embedding_dim": 5}
    model = model or assign_random(zoo.build("many_to_one", **sizes, **options))
    return Classifier(model, vectorizer, ["no", "yes"])


@pytest.fixture(scope="module")
def made():
    return classifier()


@pytest.fixture
def folder(made, tmp_path):
    return made.save(
        tmp_path / "mine",
        recipe="sentiment",
        about={"task": "sentiment"},
        metrics={"test": {"accuracy": 0.5}},
        card="# mine\n",
    )


def rewritten(folder, **changes):
    """Changes entries of the configuration, and its checksum with it."""
    path = folder / "config.json"
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps(content))
    durable.record(folder, ["config.json"])


def test_the_folder_has_plain_files_with_a_checksum_each(made, folder):
    names = {path.name for path in folder.iterdir()}
    expected = {"config.json", "model.weights.h5", "vectorizer.txt", "metrics.json", "card.md"}
    assert names == expected | {"SHA256SUMS"} and set(checksums.recorded(folder)) == expected
    content = json.loads((folder / "config.json").read_text())
    assert content["format"] == 1 and content["pipeline"] == "Classifier"
    assert content["model"]["name"] == "many_to_one" and content["recipe"] == "sentiment"
    known = {"cell": "gru", "units": 3, "vocabulary_size": 304, "input_dim": None}
    assert {key: content["model"]["options"][key] for key in known} == known
    assert content["versions"]["keras"] == keras.__version__
    assert json.loads((folder / "metrics.json").read_text()) == {"test": {"accuracy": 0.5}}
    assert (folder / "card.md").read_text() == "# mine\n"


def test_large_arrays_are_float16_on_disk_and_float32_in_memory(made, folder):
    with h5py.File(folder / "model.weights.h5") as file:
        kinds = []
        file.visititems(lambda _, each: kinds.append(each) if hasattr(each, "dtype") else None)
        assert {(each.size >= 1024, each.dtype.name) for each in kinds} == {
            (True, "float16"),
            (False, "float32"),
        }
    again = load(folder)
    for one, other in zip(again.model.weights, made.model.weights, strict=True):
        small = np.size(other) < 1024
        rounded = np.asarray(other).astype("float32" if small else "float16").astype("float32")
        np.testing.assert_array_equal(one, rounded, err_msg=one.path)
        assert one.dtype == "float32"
    found, expected = again.classify(TEXTS), made.classify(TEXTS)
    assert list(found["label"]) == list(expected["label"])
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-3)
    assert not np.array_equal(found["probabilities"], expected["probabilities"])


def test_numbers_beyond_float16_stay_float32():
    array = np.full(2000, 1e6, np.float32)
    np.testing.assert_array_equal(weights_file._rounded(array), array)
    assert weights_file._rounded(array / 100).dtype == np.float16


def test_large_arrays_are_compressed_without_loss_unless_that_would_look_like_a_bomb(tmp_path):
    """Trained numbers lose their repeated signs and exponents; one number repeated stays plain."""
    generator = np.random.default_rng(0)
    arrays = {
        "trained": generator.normal(0, 0.05, (200, 50)).astype(np.float16),
        "sparse": np.where(np.arange(10_000) % 3, 0, generator.normal(size=10_000)),
        "constant": np.ones(100_000, np.float32),
        "small": np.ones(1023, np.float32),
    }
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            weights_file._written(file, name, array)
    with h5py.File(path) as file:
        kinds = {name: file[name].compression for name in arrays}
        assert kinds == {"trained": "gzip", "sparse": "gzip", "constant": None, "small": None}
        for name, array in arrays.items():
            np.testing.assert_array_equal(file[name][()], array)
        assert file["trained"].id.get_storage_size() < 0.95 * arrays["trained"].nbytes
    assert weights_file.size(path, "") == sum(array.size for array in arrays.values())


def test_an_array_compressed_beyond_what_weights_are_is_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("bomb", (1 << 28,), "f4", chunks=(1 << 20,), compression="gzip")
        file["bomb"][:8192] = 1
    with pytest.raises(DamagedFile, match=r"declares 1\.0 GiB, of which 0\.0 GiB are stored"):
        weights_file.size(path, "save it again")


def test_keras_reads_the_weights_too(made, folder):
    model = zoo.build(
        "many_to_one", **json.loads((folder / "config.json").read_text())["model"]["options"]
    )
    model.load_weights(folder / "model.weights.h5")
    np.testing.assert_allclose(model.weights[0], made.model.weights[0], rtol=1e-3)


def test_a_folder_of_another_kind_or_of_a_newer_version_is_one_sentence(folder, tmp_path):
    with pytest.raises(zoo.InputError, match="no pipeline in"):
        load(tmp_path)
    rewritten(folder, format=2, versions={"rnn-zoo": "9.1"})
    newer = r"has format 2, written by rnn-zoo 9.1, but rnn-zoo .* reads formats up to 1: upgrade"
    with pytest.raises(zoo.InputError, match=newer):
        load(folder)
    rewritten(folder, format="x")
    with pytest.raises(DamagedFile, match="has the format x, expected 1"):
        load(folder)


@pytest.mark.parametrize("name", ["model.weights.h5", "vectorizer.txt", "card.md", "SHA256SUMS"])
def test_a_missing_or_changed_file_is_one_sentence(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    with pytest.raises(DamagedFile, match=f"{name} is missing: save the pipeline again"):
        load(folder)
    (folder / name).write_bytes(content[:-1] + b"#")
    with pytest.raises(DamagedFile, match="is damaged|is missing"):
        load(folder)


def test_weights_and_options_that_do_not_fit_are_one_sentence(folder):
    model = json.loads((folder / "config.json").read_text())["model"]
    rewritten(folder, model={**model, "options": {**model["options"], "units": 4}})
    with pytest.raises(DamagedFile, match="has the weights of another model"):
        load(folder)
    rewritten(folder, model={**model, "options": {**model["options"], "units": 10**9}})
    with pytest.raises(zoo.InputError, match="describes a model that cannot be built here"):
        load(folder)
    rewritten(folder, model={**model, "name": "my_own"})
    with pytest.raises(zoo.InputError, match="unknown architecture 'my_own'.*register its cells"):
        load(folder)
    rewritten(folder, model={"name": "many_to_one"})
    with pytest.raises(DamagedFile, match="describes no pipeline"):
        load(folder)
    rewritten(folder, model=model, text_paths={"vectorizer": {"class": "os", "options": {}}})
    with pytest.raises(DamagedFile, match="describes no pipeline"):
        load(folder)


def test_weights_with_content_that_keras_does_not_write_are_refused(folder):
    with h5py.File(folder / "model.weights.h5", "a") as file:
        file["other"] = h5py.ExternalLink("/etc/other.h5", "/data")
    durable.record(folder, ["model.weights.h5"])
    with pytest.raises(DamagedFile, match="link to another place"):
        load(folder)


def test_a_model_that_zoo_build_did_not_make_is_stored_as_a_keras_file(made, tmp_path):
    own = keras.Model(made.model.input, made.model.output)
    folder = classifier(own).save(tmp_path / "own")
    content = json.loads((folder / "config.json").read_text())
    assert content["model"] == {"file": "model.keras"}
    again = load(folder)
    assert type(again.model) is type(own)
    np.testing.assert_array_equal(again.model.weights[0], made.model.weights[0])


def test_a_folder_of_the_old_form_is_loaded(made, folder, tmp_path):
    content = json.loads((folder / "config.json").read_text())
    old = tmp_path / "old"
    old.mkdir()
    made.model.save(old / "model.keras")
    (old / "vectorizer.txt").write_bytes((folder / "vectorizer.txt").read_bytes())
    parts = {key: content[key] for key in ("pipeline", "text_paths", "options")}
    (old / "pipeline.json").write_text(json.dumps(parts))
    (old / "SHA256SUMS").write_text(checksums.as_text(checksums.of_tree(old)))
    again = load(old)
    assert again.options == made.options
    np.testing.assert_array_equal(again.model.weights[0], made.model.weights[0])

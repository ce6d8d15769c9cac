"""Blueprints: each architecture is built again from its name and options, with the same weights."""

import json

import keras
import numpy as np
import pytest

import zoo
from tests.references.weights import assign_random
from tests.sweeps import swept
from tests.test_surface import MODELS, SIZES
from zoo import blueprint, registry
from zoo.architectures.forecaster_ensemble import ForecasterEnsemble
from zoo.architectures.rebuilding import copied, rebuilt
from zoo.blueprint import Blueprint
from zoo.system import keras_file
from zoo.text import allowed_transitions

KEPT = ("many_to_many: context", "cell rg_lru")


def small(name):
    """A model of `tests.test_surface` with random weights."""
    architecture, options = MODELS[name]
    known = registry.architecture(architecture).options
    sizes = {key: size for key, size in SIZES.items() if key in known}
    sizes |= {"input_dim": 3} if "horizon" in known else {}
    return assign_random(zoo.build(architecture, **{**sizes, **options}))


@pytest.mark.parametrize(
    "name", swept(MODELS, lambda name: any(name.endswith(kept) for kept in KEPT))
)
def test_a_model_is_built_again_from_its_blueprint(name, tmp_path):
    model = small(name)
    model.save(tmp_path / "model.keras")
    stored = keras_file.load(tmp_path / "model.keras")
    plan = blueprint.of(stored)
    assert plan == blueprint.of(model) and json.loads(json.dumps(plan.options)) == plan.options
    made = copied(stored, plan)
    assert type(made) is type(model) and made.name == model.name
    assert [each.path for each in made.weights] == [each.path for each in model.weights]
    for one, other in zip(made.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_blueprint_has_all_options_and_the_presets_own():
    plan = blueprint.of(zoo.build("bilstm_crf", vocabulary_size=9, num_tags=2, units=3))
    assert plan.name == "bilstm_crf" and set(plan.options) == set(
        registry.architecture("bilstm_crf").options
    )
    chosen = {"units": 3, "cell": "lstm", "head": "crf", "bidirectional": True, "dropout": 0.0}
    assert {key: plan.options[key] for key in chosen} == chosen


def test_a_tagger_without_its_auxiliary_outputs_is_built_without_them():
    tags = ["O", "B-X", "I-X"]
    options = {"auxiliary": {"pos": 4}, "allowed": allowed_transitions(tags, "bio")}
    whole = zoo.build("bilstm_crf", vocabulary_size=9, num_tags=3, units=3, **options)
    model = whole.without_auxiliary()
    plan = blueprint.of(model)
    assert plan.options["auxiliary"] is None and blueprint.of(whole).options["auxiliary"]
    assert plan.options["allowed"][0] == [[True, True, False], [True] * 3, [True] * 3]
    ids = np.array([[4, 5, 6, 0]])
    made = copied(model, plan)
    np.testing.assert_allclose(made(ids), model(ids), atol=1e-6)
    assert made.crf.tables["allowed_transitions"].tolist() == plan.options["allowed"][0]
    assert copied(whole, plan) is None  # it has further weights


def test_an_ensemble_is_built_again_from_those_of_its_members():
    sizes = {"input_dim": 2, "horizon": 3, "units": 3}
    members = [assign_random(zoo.build("forecaster", **sizes), seed=n) for n in range(2)]
    model = ForecasterEnsemble.of_members(members)
    made = copied(model, blueprint.of(model))
    for one, other in zip(made.members, members, strict=True):
        for weight, expected in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(weight, expected)
    plain = keras.Model(members[0].input, members[0].output)
    assert blueprint.of(plain) is None


def test_options_that_json_cannot_hold_leave_no_blueprint():
    cell_options = {"recurrent_initializer": keras.initializers.Orthogonal(seed=1)}
    sizes = {"vocabulary_size": 9, "num_classes": 2, "units": 3}
    model = zoo.build("many_to_one", **sizes, cell="lstm", cell_options=cell_options)
    assert blueprint.of(model) is None


def test_an_unknown_name_in_a_blueprint_is_one_sentence():
    with pytest.raises(zoo.InputError, match="unknown architecture 'many_to_won': did you mean"):
        rebuilt(Blueprint("many_to_won", {}))

"""The registry: what is built by its name, and what is refused with which sentence."""

import keras
import pytest

import zoo
from zoo import registry
from zoo.cells import GRUCell
from zoo.layers import Recurrent, TokenEmbedding

SIZES = {"vocabulary_size": 7, "num_classes": 2, "embedding_dim": 3, "units": 2}
PRESETS = {
    "deep_many_to_one": (2, 1),
    "bidirectional_many_to_one": (1, 2),
    "deep_bidirectional_many_to_one": (2, 2),
}


def shape_of(model):
    """Layers and directions of a model's recurrent body."""
    directions = model.get_layer("encoder").directions
    return len(directions), len(directions[0])


def tagger(*, vocabulary_size: int, cell: str = "lstm", units: int = 4, name: str = "tagger"):
    """A user's own architecture."""
    token_ids = keras.Input((None,), dtype="int32")
    vectors = TokenEmbedding(vocabulary_size, units)(token_ids)
    states, _ = Recurrent(cell, units)(vectors, mask=zoo.masking.padding_mask(token_ids))
    return keras.Model(token_ids, states, name=name)


def no_cell(*, units: int = 4):
    """A builder without a cell."""


def test_the_names_are_sorted_and_hold_the_promised_ones():
    assert zoo.names() == sorted(zoo.names())
    assert {"many_to_one", *PRESETS} <= set(zoo.names())
    assert zoo.cell_names() == sorted(zoo.cell_names())
    assert {"gru", "lstm", "simple_rnn"} <= set(zoo.cell_names())


def test_names_are_chosen_by_topology_and_by_cell():
    with registry.registered("no_cell", no_cell, topology="one_to_one"):
        assert zoo.names(topology="one_to_one") == ["no_cell", "one_to_one"]
        assert "no_cell" not in zoo.names(topology="many_to_one")
        assert "no_cell" in zoo.names()
        assert "no_cell" not in zoo.names(cell="lstm")
        assert zoo.names(topology="one_to_one", cell="lstm") == []
        assert "many_to_one" in zoo.names(topology="many_to_one", cell="lstm")


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"topology": "many_to_on"}, "unknown topology 'many_to_on': did you mean 'many_to_one'"),
        ({"cell": "lstn"}, "unknown cell 'lstn': did you mean 'lstm'"),
    ],
)
def test_an_unknown_filter_names_the_nearest(filters, message):
    with pytest.raises(zoo.InputError, match=message):
        zoo.names(**filters)


def test_build_takes_every_option_to_its_layer():
    model = zoo.build(
        "many_to_one",
        **SIZES,
        cell="gru",
        num_layers=2,
        bidirectional=True,
        merge_mode="sum",
        dropout=0.1,
        recurrent_dropout=0.2,
        word_dropout=0.3,
    )
    config = model.get_layer("encoder").get_config()
    expected = {"cell": "gru", "units": 2, "num_layers": 2, "merge_mode": "sum", "dropout": 0.1}
    assert expected.items() <= config.items()
    assert config["bidirectional"] is True
    assert config["recurrent_dropout"] == 0.2
    assert model.get_layer("embedding").word_dropout == 0.3
    assert model.get_layer("embedding_dropout").rate == 0.1
    assert model.get_layer("pooled_dropout").rate == 0.1
    assert model.get_layer("embedding").embeddings.shape == (7, 3)
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("many_to_on", SIZES, "unknown architecture 'many_to_on': did you mean 'many_to_one'"),
        ("one_to_one", {}, "one_to_one needs num_features, num_classes: see zoo.describe"),
        ("one_to_one", {"num_classes": 2}, "one_to_one needs num_features: see"),
        ("many_to_one", {**SIZES, "unitz": 3}, "has no option 'unitz': did you mean 'units'"),
        ("many_to_one", {**SIZES, "zzzz": 3}, "has no option 'zzzz': known: .*word_dropout"),
    ],
)
def test_what_cannot_be_built_is_refused_in_a_sentence(name, options, message):
    with pytest.raises(zoo.InputError, match=message):
        zoo.build(name, **options)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_changes_defaults_which_can_be_given_all_the_same(name):
    assert shape_of(zoo.build("many_to_one", **SIZES)) == (1, 1)
    model = zoo.build(name, **SIZES)
    assert shape_of(model) == PRESETS[name]
    assert model.name == name
    other = zoo.build(name, **SIZES, num_layers=3, bidirectional=False)
    assert shape_of(other) == (3, 1)


@pytest.mark.parametrize("architecture", ["many_to_one", *PRESETS])
def test_the_models_name_is_an_option_like_any_other(architecture):
    assert zoo.build(architecture, **SIZES, **{"name": "mine"}).name == "mine"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_shows_its_own_defaults_and_first_line(name):
    text = zoo.describe(name)
    layers, ways = PRESETS[name]
    assert f"num_layers (int, {layers})" in text
    assert f"bidirectional (bool, {ways == 2})" in text
    assert f"name (str, {name!r})" in text
    assert text.splitlines()[0].startswith(f"{name} (many_to_one: ")
    assert text.splitlines()[2] != zoo.describe("many_to_one").splitlines()[2]


def test_a_users_architecture_and_cell_are_built_by_name():
    class Mine(GRUCell):
        pass

    with (
        registry.registered("tagger", tagger, topology="many_to_many"),
        registry.registered("mine", Mine),
    ):
        assert "mine" in zoo.cell_names()
        assert "tagger" in zoo.names(topology="many_to_many")
        assert "tagger" not in zoo.names(topology="many_to_one")
        assert zoo.build("tagger", vocabulary_size=5).output_shape == (None, None, 4)
        for name in ("tagger", "many_to_one"):
            options = SIZES if name == "many_to_one" else {"vocabulary_size": 5}
            assert zoo.build(name, **options, cell="mine").count_params() > 0
        listed = " ".join(zoo.describe("tagger").split())
        assert f"Cells: {', '.join(zoo.cell_names())}" in listed and ", mine," in listed
        with pytest.raises(zoo.InputError, match="tagger has no option 'unit'"):
            zoo.build("tagger", vocabulary_size=5, unit=4)
    assert "mine" not in zoo.cell_names()
    assert "tagger" not in zoo.names()


def test_register_hands_its_argument_back_and_takes_its_own_name():
    assert zoo.register(topology="one_to_one")(no_cell) is no_cell
    try:
        assert registry.architecture("no_cell").builder is no_cell
    finally:
        registry.unregister("no_cell")
    with pytest.raises(zoo.InputError, match="'no_cell' is not registered"):
        registry.unregister("no_cell")


@pytest.mark.parametrize("name", ["many_to_one", "lstm"])
@pytest.mark.parametrize("target", [no_cell, GRUCell])
def test_a_taken_name_is_refused_and_stays_what_it_was(name, target):
    before = zoo.names(), zoo.cell_names()
    with pytest.raises(zoo.InputError, match=f"'{name}' is registered already"):
        zoo.register(name, topology="one_to_one")(target)
    assert (zoo.names(), zoo.cell_names()) == before
    assert registry.cell_class("lstm") is not GRUCell


def test_a_builder_must_name_each_option_and_a_known_topology():
    def swallowing(*, units: int = 1, **options):
        pass

    def positional(units: int = 1):
        pass

    for builder, option in ((swallowing, "options"), (positional, "units")):
        with pytest.raises(zoo.InputError, match=f"argument '{option}' must be keyword-only"):
            zoo.register(topology="one_to_one")(builder)
        assert builder.__name__ not in zoo.names()
    with pytest.raises(zoo.InputError, match="no_cell: unknown topology 'one_to_on': did you mean"):
        zoo.register(topology="one_to_on")(no_cell)
    with pytest.raises(zoo.InputError, match="unknown topology ''"):
        zoo.register()(no_cell)

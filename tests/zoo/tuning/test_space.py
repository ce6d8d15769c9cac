import pytest

from zoo.errors import InputError
from zoo.layers import DecoderOptions
from zoo.options import options_of
from zoo.tuning.space import Axis, Space, parse

DECLARED = options_of(DecoderOptions)
RESIDUAL, COVERAGE = (
    Axis(name, (False, True), only_if=DECLARED[name].only_if) for name in ("residual", "coverage")
)


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("16:128:log", int, (16, 32, 64, 128)),
        ("16:100:log", int, (16, 32, 64)),
        ("4:256:log:4", int, (4, 16, 64, 256)),
        ("1:3", int, (1, 2, 3)),
        ("10:20:5", int, (10, 15, 20)),
        ("1e-4:1e-2:log:10", float, (1e-4, 1e-3, 1e-2)),
        ("0:0.5:0.25", float, (0.0, 0.25, 0.5)),
        ("gru,lstm,gru", str, ("gru", "lstm")),
        ("true,false", bool, (True, False)),
        ('"2,3","3"', str, ("2,3", "3")),
        ("tfds:a/b,tfds:c:1.0.0", str, ("tfds:a/b", "tfds:c:1.0.0")),
        (",glove.txt", str, ("", "glove.txt")),
    ],
)
def test_a_text_is_read_as_these_values(text, kind, values):
    axis = parse("option", text, kind)
    assert axis.values == values
    assert [type(value) for value in axis.values] == [kind] * len(values)


def test_a_range_of_floats_without_steps_is_continuous():
    assert parse("rate", "1e-4:1e-2:log", float) == Axis("rate", (), 1e-4, 1e-2, True)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("7", int, 7),
        ("lstm", str, "lstm"),
        ("3:3", int, 3),
        ('"1,2,3"', str, "1,2,3"),
        ("tfds:glue/sst2", str, "tfds:glue/sst2"),
        ("", str, ""),
    ],
)
def test_a_single_value_is_no_axis(text, kind, value):
    assert parse("option", text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("16:4", int),
        ("0:4:log", int),
        ("1:8:log:1", int),
        ("1:8:0", int),
        ("1:2:3:4", int),
        ("many", int),
        ("1.5", int),
        ("maybe", bool),
        ("nan", float),
        ("inf", float),
        ("1:1000000000", int),
        ("", int),
    ],
)
def test_what_is_no_notation_is_told_with_its_text(text, kind):
    with pytest.raises(InputError) as error:
        parse("units", text, kind)
    assert "units" in str(error.value)
    assert repr(text) in str(error.value)


def test_a_path_that_exists_is_one_value_though_it_has_a_comma(tmp_path):
    path = tmp_path / "a,b.tsv"
    path.touch()
    assert parse("data", str(path), str) == str(path)
    assert parse("data", f"{path},builtin", str).values == (str(path), "builtin")


def test_an_option_whose_parent_the_architecture_lacks_is_searched_always():
    axes = [RESIDUAL]
    assert len(list(Space.of(axes, {"units": 4}).grid())) == 2


def test_residual_is_searched_only_where_there_are_layers_to_add():
    axes = [RESIDUAL, Axis("num_layers", (1, 2, 3))]
    points = list(Space.of(axes, {}).grid())
    assert points == [
        {"num_layers": 1},
        {"num_layers": 2, "residual": False},
        {"num_layers": 2, "residual": True},
        {"num_layers": 3, "residual": False},
        {"num_layers": 3, "residual": True},
    ]


def test_coverage_is_searched_only_with_attention():
    axes = [Axis("attention", ("none", "dot")), COVERAGE]
    points = list(Space.of(axes, {}).grid())
    assert {"attention": "none"} in points
    assert len(points) == 3


def test_an_axis_that_would_change_nothing_is_refused_with_what_to_do():
    with pytest.raises(InputError, match="residual changes nothing unless num_layers is at least"):
        Space.of([RESIDUAL], {"num_layers": 1})
    with pytest.raises(InputError, match="search over attention too"):
        Space.of([COVERAGE], {"attention": "none"})


def test_an_axis_whose_condition_holds_anyway_stands_by_itself():
    space = Space.of([RESIDUAL], {"num_layers": 2})
    assert list(space.grid()) == [{"residual": False}, {"residual": True}]


def test_a_grid_over_a_range_says_how_to_give_steps():
    space = Space.of([Axis("learning_rate", (), 1e-4, 1e-2, True)], {})
    with pytest.raises(InputError, match="a grid needs steps.*--learning-rate"):
        list(space.grid())


def test_units_are_the_axis_that_a_report_is_drawn_over():
    axes = [Axis("cell", ("gru", "lstm")), Axis("units", (4, 8))]
    assert Space.of(axes, {}).main().name == "units"
    assert Space.of(axes[:1], {}).main().name == "cell"

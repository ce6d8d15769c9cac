"""`python -m zoo`: what its commands print, and how they refuse wrong input."""

import inspect
import math
import re

import keras
import pytest

import zoo
from zoo import catalog, registry
from zoo.__main__ import main, parse_options
from zoo.catalog import TOPOLOGIES
from zoo.options import meanings_of

SMALL = ["--vocabulary-size", "7", "--num-classes", "2", "--embedding-dim", "3", "--units", "2"]
GROUPS = {"body", "decoder", "letters", "numbers"}  # arguments that stand for several options


ALL = {
    "kernel_initializer": "glorot_uniform",
    "recurrent_initializer": "orthogonal",
    "bias_initializer": "zeros",
}
LINEAR = {key: value for key, value in ALL.items() if key != "recurrent_initializer"}
LSTM = {"forget_bias": 1.0, "cell_clip": None, **ALL}
CELL_OPTIONS = {
    "elman": {"activation": "tanh", "recurrent_initializer": "orthogonal"},
    "gated_delta_net": {"num_heads": 1, "kernel_initializer": "glorot_uniform"},
    "gru": {"reset_after": True, **ALL},
    "gru_simple": ALL,
    "hgrn2": {"num_heads": 1, "lower_bound": 0.0, **LINEAR},
    "ind_rnn": {
        "activation": "relu",
        **LINEAR,
        "recurrent_initializer": None,
        "recurrent_max_abs": 1.0,
    },
    "lstm": LSTM,
    "lstm_layer_norm": LSTM,
    "lstm_peephole": LSTM,
    "lru": {"min_radius": 0.0, "max_phase": 2 * math.pi, "output_initializer": "he_normal"},
    "min_gru": {"log_space": False, **LINEAR},
    "min_lstm": {"log_space": False, **LINEAR},
    "mlstm": {"num_heads": 1, "forget_gate": "sigmoid", **LINEAR},
    "qrnn": {"window": 1, **LINEAR},
    "rg_lru": LINEAR,
    "simple_rnn": {"activation": "tanh", **ALL},
    "slstm": {"num_heads": 1, "forget_gate": "sigmoid", **ALL},
    "sru": {"highway_bias": 0.0, "rescale": False, "kernel_initializer": "lecun_uniform"},
}


@pytest.fixture
def command(capsys):
    """Runs a command: exit status, stdout, stderr."""

    def run(*words):
        status = main(list(words))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_list_prints_every_architecture_and_cell(command):
    status, out, err = command("list")
    assert (status, err) == (0, "")
    blocks = [block.splitlines() for block in out.split("\n\n")]
    groups = {block[0]: block[1:] for block in blocks}
    for name in zoo.names():
        entry = registry.architecture(name)
        lines = groups[f"{entry.topology}: {TOPOLOGIES[entry.topology]}"]
        line = next(line for line in lines if line.split()[0] == name)
        assert line.endswith(entry.documentation.splitlines()[0])
    assert [line.split()[0] for line in groups["cells"]] == zoo.cell_names()


def test_the_list_read_from_the_sources_is_the_registry():
    def entry(name, topology, documentation):
        return catalog.Entry(name, topology, documentation.splitlines()[0])

    built = [registry.architecture(name) for name in zoo.names()]
    assert catalog.architectures() == [
        entry(each.name, each.topology, each.documentation) for each in built
    ]
    documents = [inspect.getdoc(registry.cell_class(name)) for name in zoo.cell_names()]
    assert catalog.cells() == [
        entry(name, None, document)
        for name, document in zip(zoo.cell_names(), documents, strict=True)
    ]


def test_list_prints_only_what_is_asked_for(command):
    status, out, _ = command("list", "--topology", "one_to_one", "--cell", "gru")
    assert status == 0
    assert out == "none\n"  # no architecture of this topology has a cell
    assert "many_to_one" in command("list", "--topology", "many_to_one", "--cell", "gru")[1]


@pytest.mark.parametrize("name", zoo.names())
def test_describe_tells_every_option_with_type_default_and_meaning(name, command):
    status, out, err = command("describe", name)
    assert (status, err) == (0, "")
    text = " ".join(out.split())
    entry = registry.architecture(name)
    assert set(meanings_of(entry.documentation)) - GROUPS <= set(entry.options)
    for option in entry.options.values():
        default = "required" if option.default is inspect.Parameter.empty else repr(option.default)
        assert option.help
        kind = getattr(option.annotation, "__name__", str(option.annotation))
        assert f"{option.name} ({kind}, {default}): {option.help}" in text
    assert (f"Cells: {', '.join(zoo.cell_names())}" in text) == ("cell" in entry.options)
    assert "->" in text
    assert re.search(r"Source: \w+", text)
    assert max(map(len, out.splitlines())) <= 96


@pytest.mark.parametrize("name", zoo.cell_names())
def test_describe_prints_the_equations_the_options_and_the_source_of_a_cell(name, command):
    status, out, err = command("describe", name)
    assert (status, err) == (0, "")
    document = inspect.getdoc(registry.cell_class(name))
    equations = [line for line in document.partition("Args:")[0].splitlines() if line[:1] == " "]
    assert equations and all(line in out.splitlines() for line in equations)
    flowing = " ".join(out.split())
    for option, default in CELL_OPTIONS[name].items():
        assert re.search(rf"^  {option} \({re.escape(repr(default))}\): \w", out, re.M)
    assert flowing.endswith(" ".join(document.partition("Source:")[2].split()))
    assert "Through time" in out
    assert max(map(len, out.splitlines())) <= 96


def test_describe_prints_only_options_that_a_cell_uses(command):
    assert "recurrent_initializer" not in command("describe", "min_gru")[1]
    assert "bias_initializer" not in command("describe", "elman")[1]
    assert "units (" not in command("describe", "lstm")[1]


def test_describe_takes_a_users_cell(command):
    class Mine(keras.layers.LSTMCell):
        """My cell."""

    with registry.registered("my_cell", Mine):
        _, out, _ = command("describe", "my_cell")
    assert "My cell." in out and "  unit_forget_bias (True): " in out


def test_summary_prints_layers_and_the_number_of_parameters(command):
    words = [*SMALL, "--cell", "gru", "--bidirectional", "--pooling", "mean"]
    status, out, err = command("summary", "many_to_one", *words)
    assert (status, err) == (0, "")
    options = {"vocabulary_size": 7, "num_classes": 2, "embedding_dim": 3, "units": 2}
    model = zoo.build("many_to_one", **options, cell="gru", bidirectional=True, pooling="mean")
    assert f"Total params: {model.count_params()} " in out
    for layer in ("embedding", "encoder", "mean_pooling", "logits"):
        assert layer in out
    assert "is an example" not in out


def test_summary_takes_no_example_where_another_size_stands_in_its_place(command):
    words = ["--vector-dim", "3", "--vocabulary-size", "7", "--units", "2"]
    status, out, _ = command("summary", "one_to_many", *words)
    assert status == 0
    assert "vectors" in out and "is an example" not in out


def test_summary_says_which_sizes_are_examples(command):
    status, out, _ = command("summary", "many_to_one", "--units", "2", "--num-classes", "5")
    assert status == 0
    assert "vocabulary_size 10000 is an example: give --vocabulary-size for your data" in out
    assert "num_classes" not in out


def test_summary_options_become_the_arguments_of_the_builder():
    words = [*SMALL, "--dropout", "0.5", "--no-bidirectional", "--name", "mine"]
    assert parse_options("bidirectional_many_to_one", words) == {
        "vocabulary_size": 7,
        "num_classes": 2,
        "embedding_dim": 3,
        "units": 2,
        "dropout": 0.5,
        "bidirectional": False,
        "name": "mine",
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list", "--topology", "many_to_on"], "unknown topology 'many_to_on': did you mean"),
        (["list", "--cell", "lst"], "unknown cell 'lst': did you mean 'lstm'?"),
        (["list", "--zzz", "3"], "list takes no --zzz 3: see --help"),
        (["describe", "many_to_on"], "unknown architecture or cell 'many_to_on': did you mean"),
        (["describe", "lst"], "unknown architecture or cell 'lst': did you mean 'lstm'?"),
        (["describe", "lstm", "--units", "3"], "'lstm' is a cell: build an architecture with"),
        (["summary", "lstm"], "'lstm' is a cell: build an architecture with cell='lstm'"),
        (["list", "--units", "3"], "list takes no --units 3"),
        (["describe", "many_to_one", "--unit", "3"], "no option '--unit': did you mean 'units'"),
        (["describe", "many_to_one", "--cell-options", "{x"], "must be JSON"),
        (
            ["describe", "many_to_one", "--cell-options", '{"resetafter": 1}', "--cell", "gru"],
            "reset_after",
        ),
        (["summary", "many_to_on"], "unknown architecture 'many_to_on': did you mean"),
        (["summary", "many_to_one", "--unit", "3"], "has no option '--unit': did you mean 'units'"),
        (["summary", "many_to_one", "--units", "three"], "argument --units: invalid int value"),
        (["summary", "many_to_one", "--units", "0"], "units must be a positive int, got 0"),
        (["summary", "many_to_one", "--units", "-3"], "units must be a positive int, got -3"),
        (["summary", "many_to_one", "--units"], "argument --units: expected one argument"),
        (["summary", "many_to_one", "--cell", "lst"], "unknown cell 'lst': did you mean 'lstm'?"),
        (["summary", "many_to_one", "--dropout", "1.5"], "dropout must be a number"),
    ],
)
def test_wrong_input_is_one_sentence_and_status_2(words, message, command):
    status, out, err = command(*words)
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [[], ["lits"], ["describe"]])
def test_a_wrong_command_ends_with_status_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "python -m zoo" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"], ["summary", "--help"]])
def test_help_ends_with_status_0(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert "usage: python -m zoo" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "training: compiled loops with an explicit gradient"),
        ([], "elsewhere: one TensorFlow op for all steps"),
        (
            ["--cell", "min_gru"],
            "elsewhere: a parallel scan over elements, without a loop over steps",
        ),
        (
            ["--units", "31"],
            "training: one TensorFlow op for all steps (units=31 rules out compiled",
        ),
        (["--units", "32"], "training: compiled loops"),
        (["--zoneout", "0.1"], "training: step by step"),
        (["--zoneout", "0.1"], "zoneout=0.1 rules out compiled loops"),
        (
            ["--cell", "gru", "--cell-options", '{"reset_after": false}'],
            "cell_options={'reset_after': False} rules out compiled loops",
        ),
    ],
)
def test_describe_says_which_way_a_cell_takes_and_what_rules_out_a_faster_one(words, said, command):
    status, out, _ = command("describe", "many_to_one", *words)
    assert status == 0
    assert said in " ".join(out.split())

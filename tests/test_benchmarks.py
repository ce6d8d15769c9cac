"""The speed benchmark: its arithmetic, and one tiny run without PyTorch."""

import asyncio
import json
import os
import warnings
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import backends, cells, runtimes, serving
from benchmarks.speed import (
    cases,
    commands,
    growth,
    load,
    machine,
    runtime_child,
    runtime_items,
    served,
    tables,
    torch_peers,
)
from benchmarks.speed.contenders import Data, one_pass, our_outputs, peer_of, stock_outputs
from benchmarks.speed.shapes import (
    SHAPES,
    Shape,
    batches_of_lengths,
    mask_of,
    multiply_adds,
    parse_shape,
    product_sizes,
    rows_of_product,
)
from benchmarks.speed.timing import Contender, Spread, interleave, ratio
from tests.references import reference
from tests.references.reference import random_values
from tests.references.weights import arrays, assign_random
from tests.sweeps import swept
from tests.zoo.pipelines import test_serving_rules as pipelines
from zoo.cells import ElmanCell, GRUCell, LSTMCell, MinGRUCell
from zoo.errors import Failure, InputError
from zoo.layers import Recurrent

STOCK_OPTIONS = {"return_sequences": True, "zero_output_for_mask": True}


def timed(name, seconds, first_s=0.0, compilations=None):
    return Contender(
        name, lambda: None, first_s=first_s, seconds=seconds, compilations=compilations
    )


def cells_of(line):
    """The columns of a line of a Markdown table."""
    return [column.strip() for column in line.strip("|").split("|")]


def test_a_shape_is_read_by_its_name_its_numbers_or_both():
    assert parse_shape("4x6x3x5") == Shape("4x6x3x5", 4, 6, 3, 5, "full")
    assert parse_shape("ragged:4x6x3x5") == Shape("ragged:4x6x3x5", 4, 6, 3, 5, "ragged")
    assert parse_shape("64x200x128x256") == Shape("64x200x128x256", 64, 200, 128, 256, "full")
    assert parse_shape("bucketed") == Shape("bucketed", 64, 200, 128, 256, "bucketed")


@pytest.mark.parametrize("text", ["4x6x3", "4x6x3x0", "4x6x3x5x7", "full:4x6x3x5", "", "ragged:"])
def test_a_wrong_shape_is_named(text):
    with pytest.raises(InputError, match="a shape is BxTxExK") as caught:
        parse_shape(text)
    assert str(caught.value).endswith(f"got {text!r}")


def test_ragged_lengths_lie_between_10_and_200_and_are_the_same_each_time():
    (lengths,) = batches_of_lengths(SHAPES["ragged"])
    assert len(lengths) == 64
    assert 10 <= lengths.min() < 30 and 180 < lengths.max() <= 200
    np.testing.assert_array_equal(lengths, batches_of_lengths(SHAPES["ragged"])[0])


def test_buckets_hold_256_rows_sorted_by_length():
    batches = batches_of_lengths(SHAPES["bucketed"])
    every = np.concatenate(batches)
    assert [len(lengths) for lengths in batches] == [64] * 4
    assert (np.diff(every) <= 0).all() and every[0] > every[-1]


def test_a_full_batch_has_every_token_and_a_mask_stands_on_the_left():
    assert [lengths.tolist() for lengths in batches_of_lengths(parse_shape("3x5x1x1"))] == [[5] * 3]
    expected = [[True, False, False], [True, True, True]]
    np.testing.assert_array_equal(mask_of(np.array([1, 3])), expected)


def test_the_inputs_are_zero_in_the_padding_and_nowhere_else():
    data = Data(parse_shape("bucketed:2x9x3x5"))
    for array, lengths in zip(data.arrays, data.lengths, strict=True):
        real = (array != 0).all(axis=-1)
        np.testing.assert_array_equal(real.sum(axis=1), lengths)
        np.testing.assert_array_equal(real, mask_of(lengths))


def test_multiply_adds_are_those_of_both_products_and_three_times_as_many_in_training():
    shape = parse_shape("4x6x3x5")
    tokens = rows_of_product([np.array([6, 2]), np.array([1])])
    assert tokens == 9
    assert product_sizes(LSTMCell(5), shape) == (8, 20)
    assert product_sizes(GRUCell(5), shape) == (8, 15)
    assert product_sizes(MinGRUCell(5), shape) == (3, 10)
    assert product_sizes(ElmanCell(5), shape) == (5, 5)
    assert multiply_adds(tokens, (8, 20), "forward") == 9 * 8 * 20
    assert multiply_adds(tokens, (8, 20), "train") == 3 * 9 * 8 * 20


def test_a_ratio_is_that_of_the_medians_with_the_extremes_of_the_rounds():
    assert ratio([4.0, 6.0, 9.0], [2.0, 1.0, 6.0]) == Spread(3.0, 1.5, 6.0)


def test_contenders_are_called_in_turn_and_one_that_cannot_run_is_passed_over():
    calls = []
    contenders = [Contender(name, lambda name=name: calls.append(name)) for name in "AB"]
    absent = Contender("C", None, "not here")
    interleave([contenders[0], absent, contenders[1]], rounds=3)
    assert "".join(calls) == "AABB" * 4  # the second of each pair counts
    assert [len(each.seconds) for each in (*contenders, absent)] == [3, 3, 0]


def test_the_rows_of_a_cell_hold_times_ratios_share_compile_time_and_programs():
    ours = timed("ours", [0.002, 0.004, 0.003], first_s=1.003, compilations=2)
    peer = timed("peer", [0.006, 0.006, 0.012], first_s=0.001)
    absent = Contender("absent", None, "not here")
    limit = timed("limit", [0.0005, 0.0004, 0.0006])
    rows = tables.contender_rows("lstm", [ours, peer, absent], limit, "train")
    assert rows == [
        ["lstm", "ours", "3.00 (2.00 to 4.00)", "", "0.50", "1.00", "2"],
        ["lstm", "peer", "6.00 (6.00 to 12.00)", "2.00 (1.50 to 4.00)", "", "0.00", ""],
        ["lstm", "absent", "not here", "", "", "", ""],
        ["lstm", "limit", "1.50 (1.20 to 1.80)", "", "1.00", "", ""],
    ]
    assert tables.share(limit, ours, "forward") == pytest.approx(0.5 / 3)


def test_the_cpu_is_read_with_its_vector_instructions():
    text = (
        "model name\t: Some CPU\nflags\t\t: fpu fma avx2 avx\n\nmodel name\t: Other\nflags\t: sse\n"
    )
    assert machine.cpu_facts(text) == ("Some CPU", ["avx2", "fma"])
    assert machine.cpu_facts("") == ("unknown CPU", [])


def test_a_dumped_program_is_counted_once(tmp_path):
    for name in ("module_0001.f.txt", "module_0001.f.ll", "module_0012.g.txt", "other.txt"):
        (tmp_path / name).write_text("")
    assert cases.dumped(tmp_path) == {"module_0001", "module_0012"}


def test_a_cell_without_a_stock_layer_is_compared_with_the_lstm():
    assert [peer_of(cell) for cell in ("gru", "simple_rnn", "elman", "slstm")] == [
        "gru",
        "simple_rnn",
        "lstm",
        "lstm",
    ]


@pytest.fixture(scope="module")
def twins():
    """Our LSTM and the stock one with the same weights, a padded batch and its mask."""
    ours, stock = Recurrent("lstm", 5), keras.layers.LSTM(5, **STOCK_OPTIONS)
    for layer in (ours, stock):
        layer.build((None, None, 3))
    for weight, other in zip(
        assign_random(ours).trainable_weights, stock.trainable_weights, strict=True
    ):
        other.assign(weight)
    return ours, stock


def test_both_sides_of_a_ragged_training_step_compute_the_same_gradients(twins):
    ours, stock = twins
    data = Data(parse_shape("ragged:3x4x3x5"))
    ((x, mask),) = data.batches
    assert not mask.numpy().all()
    expected = one_pass(stock, stock_outputs(stock, masked=True), "train")(x, mask)
    actual = one_pass(ours, our_outputs(ours), "train")(x, mask)
    assert len(actual) == 4
    for value, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-4, atol=1e-5)


def test_truncated_windows_hand_on_the_states_and_cut_the_gradient(twins):
    ours, stock = twins
    shape = parse_shape("2x6x3x5")
    totals, ((states,),) = growth.truncated_call(ours, shape, window=3)()
    ((x, _),) = Data(parse_shape("2x3x3x5")).batches
    expected, carried = [0.0] * 3, None
    weights = arrays(ours)
    for _ in range(2):
        with tf.GradientTape() as tape:
            y = stock(x, initial_state=carried, training=True)
            loss = tf.reduce_sum(y * y)
        gradients = tape.gradient(loss, [weight.value for weight in stock.trainable_weights])
        expected = [a + b for a, b in zip(expected, gradients, strict=True)]
        _, carried = reference.run("lstm", weights, x.numpy(), [3, 3], initial_states=carried)
        carried = [state.astype("float32") for state in carried]
    for value, other in zip([*totals, *states], [*expected, *carried], strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-4, atol=1e-5)


def test_an_exported_layer_serves_any_batch_and_time_as_the_layer_does(twins, tmp_path):
    ours, _ = twins
    served.export(ours, served.our_request(ours), 3, tmp_path / "ours")
    request = tf.saved_model.load(str(tmp_path / "ours")).signatures["serving_default"]
    x = random_values(2, 4, 3, seed=6)
    expected = ours(x, mask=np.ones((2, 4), bool))[0]
    np.testing.assert_allclose(request(x=tf.constant(x))["outputs"], expected, atol=1e-6)


def test_a_tiny_run_without_pytorch_prints_a_row_for_each_and_writes_every_time(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(torch_peers, "torch", None)
    monkeypatch.setattr(machine, "set_threads", lambda _count: None)
    path = tmp_path / "times.json"
    arguments = ["--shapes", "ragged:2x4x3x5", "--cells", "simple_rnn", "elman", "--rounds", "2"]
    assert commands.main([*arguments, "--no-compilations", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    rows = [cells_of(line) for line in printed.splitlines() if line.startswith("| simple_rnn")]
    names = ["ours", "Keras SimpleRNN", "Keras SimpleRNN, XLA", "PyTorch RNN packed"]
    assert [row[1] for row in rows] == [*names, "its products alone"] * 2
    assert [row[2] for row in rows if row[1] == names[3]] == [torch_peers.MISSING] * 2
    assert printed.count("elman is left out: elman has no input matrix") == 2
    assert "PyTorch not installed" in printed
    records = json.loads(path.read_text())["records"]
    assert [len(record["seconds"]) for record in records] == [2, 2, 2, 0, 2] * 2
    assert {(record["pass"], record["multiply_adds"]) for record in records} == {
        ("forward", sum(batches_of_lengths(parse_shape("ragged:2x4x3x5"))[0]) * 8 * 5),
        ("train", sum(batches_of_lengths(parse_shape("ragged:2x4x3x5"))[0]) * 8 * 5 * 3),
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--shapes", "4x6"], "got '4x6'"),
        (["--cells", "lstn"], "did you mean 'lstm'?"),
        (["--served", "--shapes", "ragged"], "take full shapes BxTxExK, got 'ragged'"),
        (["--growth", "--lengths", "150"], "150 is no multiple of the window of 100"),
    ],
)
def test_a_wrong_name_gives_one_sentence_and_no_traceback(arguments, sentence, capsys):
    assert commands.main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_a_difference_is_the_largest_of_all_numbers_and_the_answer_is_compared():
    one = {"label": np.array(["a"]), "shares": np.array([[0.25, 0.75]], "float32")}
    other = {"label": ["a"], "shares": [[0.5, 0.5]], "more": [1.0]}
    assert runtimes.difference(one, other, "label") == (0.25, True)
    assert runtimes.difference(one, {"label": ["b"]}, "label") == (0.0, False)
    logits = {"logits": np.array([[0.25, 0.5]], "float32")}
    assert runtimes.difference(logits, {"logits": [[0.75, 0.5]]}, "logits") == (0.5, False)
    padded = {"logits": [[0.25, 0.5], [9.0, 9.0]]}
    assert runtimes.difference(logits, padded, "logits") == (0.0, True)


def test_a_row_has_medians_and_the_99th_percentile_in_milliseconds():
    seconds = {"1": [0.001] * 99 + [0.101], "32": [0.002] * 3}
    found = {"difference": 1e-5, "same": 1.0, "size": 2e6, "startup": 0.5, "memory": 3e6}
    row = runtimes.row_of({**found, "metric": 0.9, "seconds": seconds})
    assert row[:5] == [1e-5, 1.0, 0.9, 2.0, 0.5] and row[-1] == 3.0
    np.testing.assert_allclose(row[5:9], [1.0, 2.0, 2.0, 2.0], atol=1e-9)
    assert len(row) == len(runtimes.DIGITS) == len(runtimes.COLUMNS) - 2


OWN = [name for name in runtimes.RUNTIMES if name != "pytorch"]


@pytest.mark.parametrize("runtime", swept(OWN, lambda name: name == "onnx"))
@pytest.mark.parametrize("name", swept(("names", "ner", "origin"), lambda name: name == "names"))
def test_a_runtime_in_a_fresh_process_answers_as_the_model_in_memory(name, runtime, tmp_path):
    pipeline = getattr(pipelines, name)()
    texts = pipelines.TEXTS
    truths = {"names": [5, 6, 3], "ner": [("O",)] * len(texts), "origin": ["a"] * len(texts)}
    items = runtime_items.Items([2, 5, 6] if name == "names" else texts, truths[name])
    found = runtimes.measured(pipeline, items, runtime, tmp_path, seconds=0.0)
    assert found["difference"] < (0.1 if "int8" in runtime else 1e-4)
    if name == "names":
        assert found["metric"] > 0  # nats, of an untrained model
    assert found["same"] == 1.0 and found["startup"] > 0 and found["memory"] > 10**7
    once = len(items.given)  # all items a whole number of times
    counts = {rows: len(each) for rows, each in found["seconds"].items()}
    assert counts == {"1": -(-10 // once) * once, "32": 10}


@pytest.mark.parametrize("rows", [1, 4])
def test_every_runtime_is_timed_over_the_same_items(rows):
    """Whole passes, so that a slow one does not answer the first and shortest items alone."""
    seen = []
    seconds = runtime_child.latencies(seen.extend, list(range(10)), rows, budget=0.0)
    assert len(seconds) >= 10
    timed = seen[3 * rows :]
    assert len(timed) == len(seconds) * rows
    once = -(-10 // rows) * rows
    assert len(timed) % once == 0
    assert timed[:once] == timed[-once:] == [each % 10 for each in range(once)]


def test_a_model_without_a_twin_in_pytorch_is_one_sentence(tmp_path):
    items = runtime_items.Items(pipelines.TEXTS, ["a"] * len(pipelines.TEXTS))
    with pytest.raises(InputError, match="no twin in PyTorch"):
        runtimes.measured(pipelines.origin(), items, "pytorch", tmp_path)


def test_scores_of_answers_are_those_of_the_recipes():
    tagger = pipelines.ner()
    answers = [{"tags": [["O", "B-PER", ""]]}, {"tags": [["O"]]}]
    assert runtime_items.score(tagger, answers, [("O", "O"), ("O",)]) == pytest.approx(2 / 3)
    writer = pipelines.names()
    logits = [[np.log([0.25, 0.25, 0.5]).tolist()], [[0.0, 0.0, 0.0]]]
    found = runtime_items.score(writer, [{"logits": each} for each in logits], [2, 0])
    assert found == pytest.approx((np.log(2) + np.log(3)) / 2)
    classifier = pipelines.origin()
    first, second = classifier.classes[:2]
    answers = [{"label": [first]}, {"logits": [[0.0, 1.0]]}]
    assert runtime_items.score(classifier, answers, [first, first]) == 0.5
    assert runtime_items.score(classifier, answers, [first, second]) == 1.0


def test_a_load_counts_answers_errors_and_memory():
    async def answer(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            status = b"200 OK" if body == b'"good"' else b"429 Too Many Requests"
            writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}")

    async def measure():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        job = {"port": port, "path": "/", "bodies": ['"good"', '"bad"'], "clients": 2}
        found = await load.run({**job, "seconds": 0.2, "pid": os.getpid()})
        server.close()
        return found

    with warnings.catch_warnings():  # the clients leave while the server reads
        warnings.simplefilter("ignore")
        found = asyncio.run(measure())
    assert found["errors"] and set(found["errors"]) == {"{}"}
    assert 0 < len(found["errors"]) < len(found["seconds"])
    assert found["memory"][0] > 1e6


def test_a_load_of_rounds_is_a_median_with_its_range():
    fast = {"seconds": [0.001] * 99 + [0.5], "elapsed": 1.0, "errors": [], "memory": [1e6, 3e6]}
    slow = {**fast, "elapsed": 2.0, "errors": ["x"], "memory": [3e6, 5e6]}
    rate, middle, late, errors, first, last = serving.row_of([fast, slow])
    assert rate == [75.0, 50.0, 100.0]
    assert middle == pytest.approx([1.0] * 3) and late == pytest.approx([500.0] * 3)
    assert (errors, first, last) == (1, 2.0, 4.0)
    assert len(serving.COLUMNS) == 1 + len(serving.DIGITS) == 7
    assert len(set(serving.texts_of(4))) == 4


def test_units_are_those_of_the_nearest_number_of_parameters():
    assert [cells.units_for(wanted, lambda units: units**2) for wanted in (1, 6, 7, 2500)] == [
        1,
        2,
        3,
        50,
    ]
    count = cells.counter("counting")
    wanted = count("lstm", 16)
    for cell in ("elman", "mlstm"):
        units = cells.units_for(wanted, lambda size, cell=cell: count(cell, size))
        assert abs(count(cell, units) - wanted) / wanted < 0.05


def test_the_cell_without_an_input_matrix_gets_inputs_of_its_width():
    found = cells.options_of(cells.TASKS["imdb"], "elman", 40)
    assert (found["units"], found["embedding_dim"], found["bidirectional"]) == (40, 40, False)
    assert cells.options_of(cells.TASKS["imdb"], "gru", 40)["embedding_dim"] == 128
    beside = cells.TASKS["ewt"].beside  # the numbers of letters and of casing
    assert cells.options_of(cells.TASKS["ewt"], "elman", beside + 9)["embedding_dim"] == 9


@pytest.mark.sweep
def test_every_task_has_a_model_of_the_cell_without_an_input_matrix(tmp_path, monkeypatch):
    builtin = {"data": "builtin"}
    for name, task in cells.TASKS.items():
        least = task.beside + 1
        monkeypatch.setitem(cells.TASKS, name, task._replace(options={**task.options, **builtin}))
        count = cells.counter(name)
        assert count("elman", least + 8) > count("elman", least) > 0


def test_the_table_of_cells_has_means_over_seeds_and_the_best_cell_first():
    rows = [
        {"cell": cell, "units": 8, "parameters": 1234, "loss": loss, "seconds_per_epoch": 2.0}
        | {"memory_mib": 700, "step_ms": 0.25}
        for cell, loss in (("gru", 1.5), ("gru", 1.7), ("lru", 1.25))
    ]
    lines = cells.table("shakespeare", rows).splitlines()
    assert cells_of(lines[4]) == ["`lru`", "8", "1,234", "1.2500", "2.0", "700", "0.250", "1"]
    assert cells_of(lines[5])[3] == "1.6000"


@pytest.mark.sweep
def test_the_tables_of_cells_are_stored_and_what_is_finished_is_not_trained_again(
    tmp_path, monkeypatch, capfd
):
    given = ["--tasks", "counting", "--cells", "gru", "--units", "8", "--out", str(tmp_path)]
    given += ["--train", "--steps 2 --lengths 4", "--record"]
    stored = []
    recorder = partial(cells.measurements.Recorder, commit="abc")
    monkeypatch.setattr(cells.measurements, "Recorder", recorder)
    monkeypatch.setattr(cells.commits, "head", lambda: "abc")
    monkeypatch.setattr(recorder.func, "store", lambda *given: stored.append(given))
    assert cells.main(given) == 0
    monkeypatch.setattr(cells, "trained", None)  # nothing is left to train
    assert cells.main(given) == 0
    (first, _, words), (again, *_) = stored
    assert first.table == "cells-counting" and words == [
        "python",
        "-m",
        "benchmarks.cells",
        *given[:-1],
    ]
    assert first.rows == again.rows and "| `gru` |" in capfd.readouterr().out
    assert len(first.columns) == len(first.rows[0].labels) + len(first.rows[0].values)
    with pytest.raises(InputError, match="is of other options"):
        cells.main(given[:-1])


def test_a_training_that_fails_is_reported_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    def trained(task, cell, units, seed, folder, more):
        assert not folder.exists()
        folder.mkdir(parents=True)
        if cell == "gru":
            raise Failure("`rnn-zoo count --cells gru` ended with status 1")
        return {"accuracy": 0.75, "seconds_per_epoch": 2.0, "memory_mib": 700.0}

    monkeypatch.setattr(cells, "trained", trained)
    monkeypatch.setattr(cells, "latency", lambda cell, units: 0.25)
    given = ["--tasks", "counting", "--cells", "gru", "min_gru", "--units", "8"]
    assert cells.main([*given, "--out", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "`min_gru`" in out and "`gru`" not in out and "0.7500" in out
    assert err == "python -m benchmarks.cells: `rnn-zoo count --cells gru` ended with status 1\n"
    monkeypatch.setattr(cells, "trained", lambda task, cell, *rest: trained(task, "", *rest))
    assert cells.main([*given, "--out", str(tmp_path)]) == 0  # it is tried again
    places = [path.parent.name for path in sorted(tmp_path.glob("*/*"))]
    assert places == ["counting-gru-0", "counting-gru-0", "counting-min_gru-0"]


@pytest.mark.sweep
def test_a_layer_is_timed_beside_that_of_keras_on_jax(capfd):
    backends.main(
        ["--backends", "jax", "--cells", "gru", "lru", "--shapes", "2x3x4x5", "--rounds", "1"]
    )
    heads, *rows = [line.split(" | ") for line in capfd.readouterr().out.splitlines()]
    assert heads == backends.COLUMNS
    expected = [(cell, each) for cell in ("gru", "lru") for each in ("train", "forward")]
    assert [tuple(row[2:4]) for row in rows] == expected
    assert all(row[:2] == ["jax", "2x3x4x5"] for row in rows)
    assert all(float(number.split()[0]) >= 0 for row in rows for number in row[4:])


def test_wrong_words_for_the_backends_are_one_sentence(capsys):
    for words in (["--shapes", "3x4"], ["--cells", "gruu"], ["--backends", "numpy"]):
        with pytest.raises(SystemExit, match="2"):
            backends.main(words)
        assert words[1] in capsys.readouterr().err

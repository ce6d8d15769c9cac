"""Counting tasks are what they say, the baselines count right, and a run resumes."""

import json

import numpy as np
import pytest

from zoo import __main__ as command
from zoo.diagnostics import count
from zoo.diagnostics.synthetic import baselines, tasks, training
from zoo.diagnostics.synthetic.tasks import TASKS, Batch
from zoo.errors import InputError
from zoo.system.journal import Journal

TINY = count.Recipe(units=3, length=8, lengths=(7, 12), steps=2, rate=0.01, rows=4)


def test_parity_and_the_modular_sum_are_running_sums():
    for name, modulus in (("parity", 2), ("modular_sum", 5)):
        batch = TASKS[name].batch(9, 20, np.random.default_rng(0))
        for row, targets in zip(batch.inputs, batch.targets, strict=True):
            total = 0
            for token, target in zip(row, targets, strict=True):
                total += int(token) - 1
                assert target == total % modulus
        assert set(batch.inputs.ravel()) == set(range(1, modulus + 1))
        assert batch.weights.all()


def test_brackets_are_prefixes_of_balanced_words_and_the_targets_are_their_depths():
    batch = TASKS["brackets"].batch(60, 30, np.random.default_rng(0))
    for row, targets in zip(batch.inputs, batch.targets, strict=True):
        text = "".join(" ()"[token] for token in row)
        for step in range(len(text)):
            prefix = text[: step + 1]
            assert 0 <= prefix.count("(") - prefix.count(")") == targets[step] <= 8
    assert batch.targets.max() == 8


@pytest.mark.parametrize(("name", "copied"), [("copying", 10), ("short_copying", 3)])
def test_what_is_copied_comes_again_after_the_signal(name, copied):
    length = 2 * copied + 4
    batch = TASKS[name].batch(length, 5, np.random.default_rng(0))
    for row, targets in zip(batch.inputs, batch.targets, strict=True):
        symbols = list(row[:copied])
        assert all(1 <= symbol <= 8 for symbol in symbols)
        assert list(row[copied:]) == [9, 9, 9, 10] + [9] * copied
        assert list(targets) == [9] * (copied + 4) + symbols
    assert TASKS[name].scored == copied
    counted = copied if name == "short_copying" else length
    assert batch.weights[:, -counted:].all() and batch.weights.sum() == 5 * counted


def test_the_verb_agrees_with_the_subject():
    batch = TASKS["agreement"].batch(12, 200, np.random.default_rng(0))
    for row, targets, weights in zip(*batch, strict=True):
        words = [tasks.WORDS[token] for token in row]
        assert (words[0], words[2], words[-1]) == ("the", ",", ",")
        assert words[1] in (tasks.SINGULAR, tasks.PLURAL)[targets[-1]]
        assert set(words[3:-1]) <= set(tasks.CLAUSE)
        assert list(weights) == [0] * 11 + [1]
    assert 0.4 < batch.targets[:, -1].mean() < 0.6


def test_padded_batches_keep_their_sequences_and_count_nothing_in_the_padding():
    task = TASKS["agreement"]
    for batch, _ in zip(
        training.batches(task, (4, 9), 4, np.random.default_rng(0)), range(8), strict=False
    ):
        assert batch.inputs.shape == batch.targets.shape == batch.weights.shape == (4, 9)
        lengths = (batch.inputs > 0).sum(1)
        assert (batch.weights.argmax(1) == lengths - 1).all() and (batch.weights.sum(1) == 1).all()


def test_the_lengths_of_the_batches_grow():
    stream = training.batches(TASKS["parity"], (1, 40), 2, np.random.default_rng(0), growth=20)
    lengths = [int(next(stream).weights[0].sum()) for _ in range(400)]
    assert all(length <= 1 + 2 * number for number, length in enumerate(lengths[:20], 1))
    assert max(lengths[10:20]) > 10 and set(lengths[20:]) == set(range(1, 41))


def batch_of(tokens, targets):
    tokens, targets = np.array([tokens]), np.array([targets])
    return Batch(tokens, targets, np.ones(tokens.shape, "float32"))


def test_an_ngram_predicts_the_most_frequent_target_after_its_context():
    #      contexts of two:  01      11      12      21      11      12
    data = [batch_of([1, 1, 2, 1, 1, 2], [0, 1, 0, 1, 1, 1]), batch_of([1, 2, 1, 2], [0, 0, 1, 0])]
    contexts = [baselines.last_tokens(2), baselines.last_tokens(1)]
    model = baselines.Counted(TASKS["parity"], contexts, data)
    # 01 -> 0; 11 -> 1; 12 -> 0, three of four; 21 -> 1
    assert model.predict(np.array([[1, 1, 2, 1]])).tolist() == [[0, 1, 0, 1]]
    # 02 and 22 are unknown: after 2 alone, 0 is most frequent
    assert model.predict(np.array([[2, 2]])).tolist() == [[0, 0]]


@pytest.mark.parametrize("steps", range(1, 9))
def test_an_ngram_of_a_sequence_shorter_than_itself_has_all_its_tokens(steps):
    ids = np.array([[2, 1, 1, 2, 2, 1, 2, 1][:steps]])
    digits = "".join(map(str, ids[0]))
    wanted = [int(digits[max(0, end - 6) : end], 3) for end in range(1, steps + 1)]
    assert baselines.last_tokens(6)(ids, 3)[0].tolist() == wanted


def test_a_window_counts_tokens_without_their_order():
    keys = baselines.window(3)(np.array([[1, 2, 2, 1, 2, 1, 1]]), 3)[0]
    bags = [(1,), (1, 2), (1, 2, 2), (1, 2, 2), (1, 2, 2), (1, 1, 2), (1, 1, 2)]
    for i, j in np.ndindex(7, 7):
        assert (keys[i] == keys[j]) == (bags[i] == bags[j])


def test_a_window_knows_parity_within_its_size_and_not_beyond():
    found = count.without_training(
        TASKS["parity"], count.Recipe(3, 20, (5, 12, 40), 50, 0.01, 100), 0
    )
    assert found["window of 12"][:2] == [1, 1] and found["window of 12"][2] < 0.55
    assert found["6-gram"][0] == 1 and found["6-gram"][1] < 0.6
    assert all(0.4 < value < 0.6 for value in found["most frequent"])


def test_the_accuracy_is_over_the_last_quarter_or_the_answer():
    def first_half_right(token_ids):
        right = (token_ids - 1).cumsum(1) % 2
        right[:, 10:] = 1 - right[:, 10:]
        return right

    recipe = count.Recipe(3, 8, (10, 12, 20), 1, 0.01, 2)
    assert count.accuracies(TASKS["parity"], first_half_right, recipe, 0) == [1, 1 / 3, 0]

    def last_word_only(token_ids):
        singular = np.isin(token_ids[:, 1], [tasks.WORDS.index(word) for word in tasks.SINGULAR])
        predicted = np.repeat(singular[:, None].astype(int), token_ids.shape[1], 1)
        predicted[:, -1] = 1 - predicted[:, -1]
        return predicted

    assert count.accuracies(TASKS["agreement"], last_word_only, recipe, 0) == [1, 1, 1]


def test_a_long_test_is_cut_into_passes(monkeypatch):
    monkeypatch.setattr(count, "PASS", 24)
    sizes = []

    def zeros(token_ids):
        sizes.append(token_ids.shape)
        return np.zeros(token_ids.shape, int)

    count.accuracies(TASKS["parity"], zeros, TINY, 0)
    assert sizes == [(3, 7), (3, 7), (2, 7), (2, 12), (2, 12), (2, 12), (2, 12)]


def test_a_run_resumes_where_it_was_interrupted(tmp_path, monkeypatch):
    made = []

    def fake(task, cell, recipe, seed, title):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append((task.name, cell, seed, title))
        return {"accuracies": [0.5, seed], "losses": [], "seconds": 0}

    monkeypatch.setattr(count, "train_and_test", fake)
    path = tmp_path / "journal.jsonl"
    arguments = (["parity", "agreement"], ["gru", "min_gru"], TINY)
    with pytest.raises(KeyboardInterrupt):
        count.count(*arguments, journal=Journal(path))
    with path.open("a") as file:
        file.write('{"task": "agreement", "ce')  # killed in the middle of a line
    first, made[:] = list(made), []
    results = count.count(*arguments, journal=Journal(path))
    assert first[-1] == ("agreement", "gru", 0, "3/4 agreement gru")
    assert made == [("agreement", "min_gru", 0, "4/4 agreement min_gru")]
    assert [(each["task"], each["cell"]) for each in results] == [
        (task, cell) for task in arguments[0] for cell in arguments[1]
    ]
    made.clear()
    more = count.count(["parity"], ["gru"], TINY, (0, 1), Journal(path))
    assert [each["accuracies"] for each in more] == [[0.5, 0], [0.5, 1]] and len(made) == 1
    other = count.Recipe(**{**vars(TINY), "units": 4})
    with pytest.raises(InputError, match=r"units 3.*expected .*units 4.*--out"):
        count.count(*arguments[:2], other, journal=Journal(path))


def test_the_cells_with_a_full_matrix_are_those_whose_units_see_each_other():
    diagonal = ("hgrn2", "ind_rnn", "lru", "min_gru", "min_lstm", "mlstm", "qrnn", "rg_lru", "sru")
    found = {name: count.has_full_matrix(name) for name in count.cell_names()}
    assert found == {name: name not in diagonal for name in found}


@pytest.mark.usefixtures("eagerly")
def test_the_command_prints_a_table_and_writes_picture_numbers_and_journal(tmp_path, capsys):
    words = ["--units", "4", "--steps", "2", "--rows", "3", "--lengths", "16,9", "--length", "8"]
    words += ["--tasks", "agreement", "--seeds", "2", "--cells", "min_gru,elman"]
    assert command.main(["count", *words, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "agreement 9  agreement 16" in shown and "min_gru *" in shown and "6-gram" in shown
    assert (tmp_path / "count.png").read_bytes()[:4] == b"\x89PNG"
    numbers = json.loads((tmp_path / "count.json").read_text())
    assert numbers["lengths"] == [9, 16] and len(numbers["results"]) == 4
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 5
    assert np.shape(numbers["baselines"]["agreement"]["6-gram"]) == (2, 2)
    before = (tmp_path / "journal.jsonl").read_bytes()
    assert command.main(["count", *words, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "journal.jsonl").read_bytes() == before
    assert json.loads((tmp_path / "count.json").read_text()) == numbers


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--cells", "gur"], "did you mean 'gru'"),
        (["--tasks", "adding"], "adding has no classes"),
        (["--tasks", "party"], "did you mean 'parity'"),
        (["--lengths", "40,x"], "lengths must be a positive int, got 'x'"),
        (["--lengths", ","], "lengths must be positive ints with commas between them, got ','"),
        (["--lengths", "5"], "needs a length of at least"),
        (["--rate", "0"], "rate must be a positive number, got 0"),
        (["--seeds", "0"], "seeds must be a positive int, got 0"),
    ],
)
def test_wrong_options_are_one_sentence(words, sentence, tmp_path, capsys):
    assert command.main(["count", "--out", str(tmp_path), *words]) == 2
    assert sentence in capsys.readouterr().err


def test_the_table_has_the_best_seed_and_the_mean_of_all():
    panels = {"parity": {"gru": np.array([[1.0, 0.5], [0.9, 0.8]]), "6-gram": np.full((2, 2), 0.5)}}
    lines = count._table(panels, count.Recipe(3, 8, (7, 12), 2, 0.01, 4), 2).splitlines()
    assert lines[2].split() == ["gru", "90", "(95)", "80", "(65)"]
    assert lines[3].split() == ["6-gram", "50", "(50)", "50", "(50)"]
    assert count._percent(panels["parity"]["gru"][:1], 1) == "50"

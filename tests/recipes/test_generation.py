"""The recipe `generation`: the whole job on small texts, its figures, its errors, its answers."""

import functools
import json
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from recipes.cli import main
from recipes.config import from_mapping
from recipes.data.splits import SPLITS
from recipes.families.language.steps import Trainer, initial_states, inputs_of
from recipes.families.language.windows import Streams, encoded
from recipes.generation import GenerationRecipe, quality
from recipes.generation.config import Writing
from recipes.generation.quality import structure_scores
from recipes.run import Run
from tests import surface
from tests.recipes import tiny
from tests.recipes.tiny import ask_as_hinted
from tests.references.weights import assign_random
from zoo import export
from zoo.decoding import sample_seeds

task = GenerationRecipe()

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "tfds"
TINY = ["--units", "16", "--embedding-dim", "8", "--batch-size", "4", "--window", "17"]
PLAIN = [*TINY, "--cell", "simple_rnn"]  # the least to trace


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A text in which each word tells the next one."""
    path = tmp_path_factory.mktemp("text") / "round.txt"
    path.write_text("one two three four five six.\n" * 120, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(text, tmp_path_factory):
    """A whole job: the run's folder and the folder of exports, loaded once for all tests."""
    folder = tmp_path_factory.mktemp("whole")
    words = ["generation", "--data", str(text), *TINY, "--epochs", "6", "--learning-rate", "0.02"]
    places = ["--run-dir", str(folder / "run"), "--export-dir", str(folder / "models")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "check", lambda *_: None)  # it takes long; see the export's own tests
        patch.setattr(tf.saved_model, "load", functools.cache(tf.saved_model.load))
        assert main([*words, *places]) == 0
        yield folder


def metrics(folder):
    return json.loads((folder / "run" / "metrics.json").read_text())


def test_the_surface_of_the_run_and_of_its_export_is_kept(finished):
    surface.assert_run_kept("generation", finished / "run", finished / "models")


def test_the_whole_job_learns_the_text_and_tells_its_figures(finished):
    found = metrics(finished)
    for split in ("validation", "test"):
        loss = found[split]["loss"]
        assert loss < 0.2
        assert found[split]["perplexity"] == pytest.approx(np.exp(loss))
        assert found[split]["bits_per_character"] == pytest.approx(loss / np.log(2))
        assert found[split]["unknown_share"] == 0
    assert found["test"]["tokens"] == 348 + 1  # a tenth of 3,480 characters, and the end
    assert found["train"]["tokens_per_second"] > 0
    assert (finished / "run" / "curves.png").exists()


def test_the_exported_model_writes_the_text_on_and_scores_it(finished, capsys):
    models = ["--export-dir", str(finished / "models")]
    how = ["--temperature", "0", "--max-tokens", "11"]
    assert main(["generation", "predict", "one two ", *how, *models]) == 0
    assert capsys.readouterr().out == "one two three four \n"
    assert main(["generation", "predict", "one two", "two one", "--score", "--json", *models]) == 0
    right, wrong = map(json.loads, capsys.readouterr().out.splitlines())
    assert right["log_probability"] > wrong["log_probability"] + 3
    assert right["num_tokens"] == wrong["num_tokens"] == 7  # a piece of running text has no end


def test_a_prompt_comes_back_as_it_was_given_and_what_is_unknown_is_named(finished, capsys):
    models = ["--export-dir", str(finished / "models"), "--max-tokens", "3", "--json"]
    prompts = ["Öne two ", "☃☃☃", "one two "]
    assert main(["generation", "predict", *prompts, "--samples", "2", *models]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["prompt"] for row in rows] == [one for one in prompts for _ in range(2)]
    assert all(row["text"].startswith(row["prompt"]) for row in rows)
    assert [row["unknown"] for row in rows[::2]] == [["Ö"], ["☃"], []]
    assert [row["unknown_share"] for row in rows[::2]] == [0.125, 1, 0]
    # short texts are answered first, printed in the order of the prompts
    assert sorted(line for line in err.splitlines() if line.startswith("warning")) == [
        "warning: 100% of the tokens of '☃☃☃' are unknown to the model: '☃'",
        "warning: 12% of the tokens of 'Öne two ' are unknown to the model: 'Ö'",
    ]
    assert main(["generation", "predict", "☃ one", "--score", *models]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["unknown"] == ["☃"] and err.count("warning:") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--top-k", "-1"], "--top-k must be at least 0, got -1"),
        (["--temperature", "nan"], "--temperature must be a number from 0 to 100, got nan"),
        (["--seed", "5000000000"], "--seed must be at most 2147483647, got 5000000000"),
        (["--seed", "5e9"], "argument --seed: invalid int value: '5e9'"),
        (["--samples", "0"], "--samples must be at least 1, got 0"),
        (["--max-tokens", "-3"], "--max-tokens must be at least 0, got -3"),
    ],
)
def test_options_out_of_range_are_one_sentence(words, said, finished, capsys):
    models = ["--export-dir", str(finished / "models")]
    assert main(["generation", "predict", "one", *words, *models]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1].startswith(f"error: {said}")


def test_several_samples_of_a_prompt_and_one_seed(finished, capsys):
    models = ["--export-dir", str(finished / "models"), "--max-tokens", "30", "--json"]
    outputs = []
    for seed in ("3", "3", "4"):
        words = ["generation", "predict", "o", "--samples", "3", "--temperature", "3"]
        assert main([*words, "--seed", seed, *models]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert len({row["text"] for row in rows}) == 3
        assert all(row["prompt"] == "o" and row["text"].startswith("o") for row in rows)
        outputs.append([row["text"] for row in rows])
    assert outputs[0] == outputs[1] != outputs[2]


@pytest.mark.sweep
def test_a_run_that_is_resumed_ends_as_one_that_was_not(text, tmp_path):
    words = ["generation", "train", "--data", str(text), *PLAIN]
    words += ["--epochs", "2", "--dropout", "0.2"]
    whole, halved = str(tmp_path / "whole"), str(tmp_path / "halved")
    assert main([*words, "--run-dir", whole]) == 0
    assert main([*words, "--run-dir", halved, "--minutes", "1e-5"]) == 0  # stops after one epoch
    assert main(["generation", "train", "--run-dir", halved, "--resume", "--minutes", "0"]) == 0
    one, other = (
        keras.models.load_model(Path(folder) / "checkpoints" / "epoch-0002" / "model.keras")
        for folder in (whole, halved)
    )
    for weight, same in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), same.numpy(), err_msg=weight.path)


def test_the_state_is_carried_through_training_and_its_gradient_stops_at_the_window():
    """One step's gradient is that of the window alone, from the state that the last one left."""
    model = assign_random(
        zoo.build(
            "language_model",
            vocabulary_size=9,
            embedding_dim=3,
            units=4,
            cell="gru",
            explicit_states=True,
        )
    )
    model.compile(keras.optimizers.SGD(0.0))  # the weights stay: only the states move
    rows = [np.random.default_rng(0).integers(4, 9, 41)]
    streams = Streams(encoded(rows), 2, 7)
    windows = list(streams())
    trainer, losses = Trainer(model, streams), model.with_losses()
    states = initial_states(model, 2)
    for window in windows:
        before = dict(states)
        loss, states = trainer.step(inputs_of(window, states))
        outputs = losses(inputs_of(window, before))
        expected = np.sum(outputs["losses"]) / window.num_tokens
        assert float(loss) == pytest.approx(expected, rel=1e-5)
        for name, state in states.items():
            np.testing.assert_allclose(state, outputs[name], atol=1e-6)
            assert np.abs(state - before[name]).max() > 1e-3
    assert len(windows) == 3


def test_a_run_without_clipping_that_explodes_is_stopped_with_a_sentence(text, tmp_path, capsys):
    words = ["generation", "train", "--data", str(text), *PLAIN]
    wild = ["--clip-norm", "0", "--learning-rate", "30", "--warmup", "0"]
    assert main([*words, *wild, "--run-dir", str(tmp_path / "run")]) == 1
    said = capsys.readouterr().err
    assert "training has exploded; set --clip-norm (now 0: gradients are not clipped)" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--level", "letter"], "level must be one of"),
        (["--window", "0"], "window must be at least 1 token, got 0"),
        (["--unit", "page"], "unit must be one of"),
        (["--validation-limit", "-1"], "validation_limit must be at least 0"),
        (["--cell", "lstn"], "unknown cell 'lstn'"),
        (["--warmup", "1.5"], "warmup must be"),
        (["--decay", "linear"], "warmup goes with --decay cosine, got --decay linear"),
        (["--optimizer", "sgdd"], "optimizer must be one of"),
        (["--sampled", "3"], "sampled must be 0 (all) or at least 16, got 3"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(words, said, text, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["generation", "--data", str(text), *words, "--run-dir", str(run)]) == 2
    assert said in capsys.readouterr().err
    assert not run.exists()


def test_words_of_a_ready_made_corpus_are_read_as_they_are(tmp_path):
    folder = tmp_path / "ptb"
    folder.mkdir()
    for name, lines in (("train", 40), ("valid", 4), ("test", 4)):
        text = " the <unk> sat on the mat \n a cat N lay there \n" * lines
        (folder / f"ptb.{name}.txt").write_text(text)
    words = ["--data", str(folder), "--unit", "line", "--level", "space", "--epochs", "1"]
    config = from_mapping(
        task.config, {"data": str(folder), "unit": "line", "level": "space", "epochs": 1}
    )
    prepared = tiny.prepared_in(task, config, tmp_path)
    assert prepared.text_path.vocabulary.tokens[4:] == [
        "the",
        "N",
        "a",
        "cat",
        "lay",
        "mat",
        "on",
        "sat",
        "there",
    ]
    # six words and the end, five words and the end: 13 places each time
    assert [prepared.batches[name].encoded.lengths.sum() for name in SPLITS] == [520, 52, 52]
    assert prepared.summary.endswith("unknown in validation: 7.69%")
    assert main(["generation", "train", *words, *PLAIN, "--run-dir", str(tmp_path / "run")]) == 0


def test_structure_scores_count_right_pairs_and_kept_rules(monkeypatch):
    pairs = [("agreement", "a", "b"), ("agreement", "b", "a"), ("brackets", "()", "(]")]
    monkeypatch.setattr("recipes.corpora.lines.corpus.pairs", lambda seed: pairs)
    monkeypatch.setattr("recipes.corpora.lines.corpus.is_right", lambda line: line == "()")

    def score(texts):
        values = {"a": -1.0, "b": -2.0, "()": -1.0, "(]": -1.5}
        return {"log_probability": np.array([values[text] for text in texts])}

    def generate(prompts, **_options):
        texts = ["()"] * (len(prompts) // 4) + ["("] * (len(prompts) - len(prompts) // 4)
        return {"text": np.array(texts)}

    found = structure_scores(SimpleNamespace(score=score, generate=generate), seed=0)
    assert found == {"pairs": {"agreement": 0.5, "brackets": 1.0}, "rules_kept": 0.25}


def test_answers_are_rows_for_each_prompt_and_sample(capsys):
    asked = {}

    def generate(**inputs):
        asked.update({name: tensor.numpy() for name, tensor in inputs.items()})
        count = len(inputs["prompt"])
        return {
            "text": tf.constant([f"text {number}" for number in range(count)]),
            "log_probability": tf.constant([-float(number) for number in range(count)]),
            "num_tokens": tf.range(count),
            "unknown_share": tf.constant([0.25] * count),
            "unknown_tokens": tf.constant([["x", "q", "x"], ["x", "", ""]] * (count // 2)),
            "truncated": tf.fill([count], False),
        }

    how = Writing(samples=2, temperature=0.5, top_k=3, top_p=0.9, seed=8, max_tokens=5)
    rows = GenerationRecipe().answer({"generate": generate}, ["x", "y"], how)
    assert asked["prompt"].tolist() == [b"x", b"x", b"y", b"y"]
    assert (asked["max_tokens"].tolist(), asked["top_k"].tolist()) == ([5] * 4, [3] * 4)
    assert asked["seed"].tolist() == sample_seeds(8, 2) * 2 and asked["seed"][0] == 8
    for name, value in (("temperature", 0.5), ("top_p", 0.9)):
        assert asked[name].tolist() == pytest.approx([value] * 4)
    told = {"log_probability": -2.0, "num_tokens": 2, "unknown_share": 0.25}
    told |= {"unknown": ["x", "q"], "truncated": False}
    assert rows[2] == {"prompt": "y", "text": "text 2", **told}
    assert GenerationRecipe().format_answer(rows[2]) == "text 2"
    warnings = capsys.readouterr().err.splitlines()
    said = "warning: 25% of the tokens of {} are unknown to the model: 'x', 'q'"
    assert warnings == [said.format("'x'"), said.format("'y'")], "once for each prompt"


@pytest.mark.slow
def test_the_built_in_corpus_is_learned(tmp_path):
    assert main(["generation", "--run-dir", str(tmp_path / "run")]) == 0
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert found["loss"] < 0.66
    assert found["pairs"]["brackets"] > 0.9
    assert found["rules_kept"] > 0.4


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no prepared data in {SHARED}")
def test_tiny_shakespeare_is_read_from_tfds(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(SHARED))
    config = from_mapping(task.config, {"data": "tfds:tiny_shakespeare", "download": False})
    prepared = tiny.prepared_in(task, config, tmp_path)
    sizes = [int(prepared.batches[name].encoded.lengths.sum()) for name in SPLITS]
    assert sizes == [1_003_855, 55_771, 55_771]
    assert len(prepared.text_path.vocabulary) == 65 + 4


def test_the_hint_at_the_end_of_a_run_works_as_it_is_printed(finished, capsys):
    assert ask_as_hinted(task, finished / "run", finished / "models") == 0
    assert capsys.readouterr().out.splitlines()[-1]


def test_other_text_is_measured_whole(finished, tmp_path, capsys):
    run = finished / "run"
    own = metrics(finished)
    config = Run.open(task, run).config
    texts = task.load(task.data_of(config)).test
    data = tmp_path / "new.txt"
    data.write_text("".join(texts))  # which are what files hold, line ends and all
    assert main(["generation", "evaluate", "--run-dir", str(run), "--data", str(data)]) == 0
    (path,) = (run / "evaluations").iterdir()
    found = json.loads(path.read_text())
    assert found["loss"] == pytest.approx(own["test"]["loss"], rel=1e-4)
    assert found["tokens"] == own["test"]["tokens"]
    assert metrics(finished) == own


def test_brackets_written_as_words_are_judged_without_their_blanks():
    assert quality._unspaced("(c [{dch} (gd) bc] ed)") == "(c[{dch}(gd)bc]ed)"
    for line in ("the cats, which saw the dog, are old", "the mill / the hill", "a b"):
        assert quality._unspaced(line) == line


def test_the_examples_at_the_end_of_a_run_take_options_of_predict():
    assert task.answering(**task.example_options).temperature == 0.5

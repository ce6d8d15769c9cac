"""The recipe `translation`: the whole job on small files, its figures, its errors, its answers."""

import functools
import itertools
import json
import random

import numpy as np
import pytest
import tensorflow as tf

import zoo
from recipes.cli import main
from recipes.run import Run
from recipes.training import checkpoint
from recipes.translation import TranslationRecipe, answers, bleu, codecs
from recipes.translation.config import Translating
from tests import surface
from tests.recipes.tiny import ask_as_hinted
from tests.serving_rules import functions_of
from zoo import export
from zoo.decoding.beam import NEVER
from zoo.errors import InputError
from zoo.pipelines import BeamSearch, Translator
from zoo.text import BOS, EOS, TextCodec

task = TranslationRecipe()

SMALL = [
    *("--cell", "simple_rnn", "--no-bidirectional", "--bridge", "copy", "--batch-size", "16"),
    *("--learning-rate", "0.01", "--min-count", "1", "--beam-size", "2"),
]
DIGITS = [
    *SMALL,
    *("--source-level", "character", "--target-level", "character", "--objective", "loss"),
    *("--units", "32", "--embedding-dim", "16", "--epochs", "5", "--dropout", "0"),
    *("--label-smoothing", "0", "--average", "0"),
]
SENTENCES = [*SMALL, "--units", "8", "--embedding-dim", "8", "--epochs", "2", "--no-repeat", "2"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """Three to five digits, and the same ones from the end."""
    rng, path = random.Random(0), tmp_path_factory.mktemp("data") / "numbers.tsv"
    sources = {"".join(rng.choices("0123456789", k=rng.randint(3, 5))) for _ in range(1200)}
    path.write_text("".join(f"{one}\t{one[::-1]}\n" for one in sorted(sources)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Aligned files of sentences in which the verb moves to the front."""
    path = tmp_path_factory.mktemp("data") / "sentences"
    path.mkdir()
    parts = itertools.product(
        ("der", "ein", "kein"), ("Hund", "Mann", "Baum", "Vogel"), ("rennt", "schläft", "singt")
    )
    lines = [(f"{a} {b} {c}.", f"{c.upper()} {a} {b}?") for a, b, c in parts]
    random.Random(1).shuffle(lines)
    for name, part in (("train", lines[:30]), ("val", lines[30:33]), ("test", lines[33:])):
        for side, ending in enumerate(("de", "en")):
            text = "".join(f"{line[side]}\n" for line in part)
            (path / f"{name}.{ending}").write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(numbers, tmp_path_factory):
    """A whole job: the run's folder and the folder of exports, loaded once for all tests."""
    place = tmp_path_factory.mktemp("whole")
    words = ["translation", "--data", numbers, *DIGITS]
    words += ["--run-dir", place / "run", "--export-dir", place / "models"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "check", lambda *_: None)  # it takes long; see the export's own tests
        patch.setattr(tf.saved_model, "load", functools.cache(tf.saved_model.load))
        assert main([str(word) for word in words]) == 0
        yield place


@pytest.fixture(scope="module")
def translator(finished):
    """The best model in memory, with the run's codecs."""
    config = Run.open(task, finished / "run").config
    both = codecs.of_run(config, finished / "run")
    model = checkpoint.load_best(finished / "run" / "checkpoints")
    return Translator(model, both["source"], both["target"], BeamSearch(beam_size=2))


def metrics(run):
    return json.loads((run / "metrics.json").read_text())


def written(run, name="test"):
    """The columns of a file of translations: sources, references, translations."""
    rows = [line.split("\t") for line in (run / f"{name}.tsv").read_text().splitlines()]
    assert rows[0] == ["source", "reference", "translation"]
    return [list(column) for column in zip(*rows[1:], strict=True)]


def history(run):
    """The lines of `history.csv` without their last column, the seconds."""
    return [line.rsplit(",", 1)[0] for line in (run / "history.csv").read_text().splitlines()]


def log_probabilities(translator, sources, targets):
    """What the model says of each target, its end counted, added up in NumPy."""
    vocabularies = translator.source.vocabulary, translator.target.vocabulary
    ids = [
        [[vocabulary.tokens.index(token) for token in text] for text in texts]
        for vocabulary, texts in zip(vocabularies, (sources, targets), strict=True)
    ]
    read = [[*row, EOS] for row in ids[0]]
    told = [[*row, EOS] for row in ids[1]]
    begun = [[BOS, *row] for row in ids[1]]
    padded = [tf.ragged.constant(rows, tf.int32).to_tensor() for rows in (read, begun)]
    inputs = {"source_ids": padded[0], "target_ids": padded[1]}
    logits = translator.model(inputs, training=False).numpy().astype(np.float64)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return np.array([logs[row, range(len(one)), one].sum() for row, one in enumerate(told)])


def predict(finished, *words):
    return main(["translation", "predict", *words, "--export-dir", str(finished / "models")])


def test_the_surface_of_the_run_and_of_its_export_is_kept(finished):
    surface.assert_run_kept("translation", finished / "run", finished / "models")


def test_the_whole_job_learns_to_write_numbers_from_their_end(finished):
    found = metrics(finished / "run")
    for split in ("validation", "test"):
        assert found[split]["loss"] < 0.1
        assert found[split]["exact_match"] > 0.9
    sources, references, translations = written(finished / "run")
    assert references == [source[::-1] for source in sources]
    right = [a == b for a, b in zip(references, translations, strict=True)]
    assert found["test"]["exact_match"] == pytest.approx(np.mean(right))


def test_what_is_learned_comes_from_the_source(finished, translator):
    """Whoever sees no source is at a loss: each of ten digits is as likely as the others."""
    sources, references, _ = written(finished / "run")
    others = sources[1:] + sources[:1]
    tokens = sum(len(one) + 1 for one in references)
    own, other = (
        -log_probabilities(translator, given, references).sum() / tokens
        for given in (sources, others)
    )
    assert own == pytest.approx(metrics(finished / "run")["test"]["loss"], abs=1e-5)
    blind = sum(len(one) for one in references) * np.log(10) / tokens
    assert own < 0.1 < 1.5 < blind < other


def test_metrics_hold_all_figures_and_how_they_were_counted(finished):
    found = metrics(finished / "run")
    names = ["loss", "bleu", "bleu_lowercase", "chrf", "exact_match"]
    assert list(found["validation"]) == names
    assert list(found["test"]) == [*names, "by_length"]
    for split in ("validation", "test"):
        _, references, translations = written(finished / "run", split)
        expected = bleu.scores(translations, references)
        assert {name: found[split][name] for name in names[1:]} == pytest.approx(expected)
    assert found["test"]["by_length"]["up to 8"]["pairs"] == len(written(finished / "run")[0])
    assert found["signatures"] == bleu.signatures()
    assert found["train"]["loss"] > 0 and found["parameters"] > 0


def test_what_the_model_looked_at_is_drawn(finished):
    paths = [finished / "run" / f"attention-{number}.png" for number in (1, 2, 3, 4)]
    for path in [*paths, finished / "run" / "curves.png"]:
        assert path.read_bytes().startswith(PNG) and path.stat().st_size > 1000


def test_the_exported_model_answers_as_the_one_in_memory(finished, translator, capsys):
    texts = ["1234", "987", "55051", "00", "9x9"]
    assert predict(finished, *texts, "--beam-size", "3", "--n-best", "3", "--json") == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [(row["text"], row["rank"]) for row in rows] == [
        (text, rank) for text in texts for rank in (1, 2, 3)
    ]
    expected = translator.n_best(tf.constant(texts), n_best=3, beam_size=3)
    flat = [one.decode() for one in expected["translations"].numpy().ravel()]
    assert [row["translation"] for row in rows] == flat
    np.testing.assert_allclose(
        [row["log_probability"] for row in rows],
        expected["log_probabilities"].numpy().ravel(),
        atol=1e-4,
    )
    assert rows[0]["translation"] == "4321"
    assert predict(finished, "1234", "987") == 0
    assert capsys.readouterr().out == "4321\n789\n"


def test_the_second_best_stands_below_the_best(finished, capsys):
    assert predict(finished, "1234", "--n-best", "2") == 0
    best, second = capsys.readouterr().out.splitlines()
    assert best == "4321"
    assert second.startswith("  2. ") and second.endswith(" nats)") and "4321 " not in second


def test_translations_begin_with_the_prefix(finished, capsys):
    words = ("1234", "987", "--prefix", "78", "--n-best", "3", "--json")
    assert predict(finished, *words) == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert len(rows) == 6 and all(row["translation"].startswith("78") for row in rows)
    assert rows[3]["translation"] == "789"
    assert rows[3]["log_probability"] > rows[0]["log_probability"] + 3


def test_a_translation_that_is_not_there_is_not_told(finished, capsys):
    """After two tokens that the prefix names, at most two, there is one sequence and no other."""
    words = ("1234", "--prefix", "43", "--max-tokens", "2", "--n-best", "2", "--json")
    assert predict(finished, *words) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert row["translation"] == "43" and row["log_probability"] > -100
    assert predict(finished, "1234", "--prefix", "4x") == 2
    said = "error: no translation of '1234' begins with --prefix '4x'"
    assert capsys.readouterr().err.splitlines()[-1].startswith(said)


def test_a_score_is_what_the_model_loses_on_a_translation(finished, translator, capsys):
    texts = ["1234", "4320", "987"]
    assert predict(finished, *texts, "--score", "4321", "--json") == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    expected = log_probabilities(translator, texts, ["4321"] * 3)
    np.testing.assert_allclose([row["log_probability"] for row in rows], expected, atol=1e-4)
    assert rows[0]["log_probability"] > max(expected[1:]) + 3
    for row, text in zip(rows, texts, strict=True):
        assert (row["text"], row["translation"], row["num_tokens"]) == (text, "4321", 5)
        assert row["perplexity"] == pytest.approx(np.exp(-row["log_probability"] / 5), rel=1e-4)
    assert predict(finished, "1234", "--score", "4321") == 0
    assert capsys.readouterr().out == answers.line(rows[0]) + "\n"


def test_attention_is_drawn_for_each_text(finished, tmp_path, capsys):
    assert predict(finished, "1234", "--attention", str(tmp_path / "one.png")) == 0
    assert predict(finished, "12", "345", "--attention", str(tmp_path / "two.png")) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["one.png", "two-1.png", "two-2.png"]
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in names)
    assert predict(finished, "12", "--attention", str(tmp_path / "no" / "one.png")) == 2
    assert "create it first" in capsys.readouterr().err


def test_attention_is_drawn_between_the_tokens_without_padding(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(answers.plots, "attention", lambda *given: drawn.append(given))
    arrays = {
        "attention": np.arange(24.0).reshape(2, 1, 3, 4),
        "source_tokens": np.array([[b"a", b"b", b"[EOS]", b""], [b"c", b"[EOS]", b"", b""]]),
        "target_tokens": np.array([[[b"A", b"[EOS]", b""]], [[b"B", b"C", b"[EOS]"]]]),
    }
    names = answers.draw(arrays, tmp_path / "x.png")
    assert names == [tmp_path / "x-1.png", tmp_path / "x-2.png"] == [one[3] for one in drawn]
    assert drawn[0][1:3] == (["a", "b", "[EOS]"], ["A", "[EOS]"])
    assert drawn[0][0].tolist() == [[0, 1, 2], [4, 5, 6]]
    assert drawn[1][0].tolist() == [[12, 13], [16, 17], [20, 21]]


def test_without_attention_there_is_nothing_to_draw(tmp_path, eagerly):
    codec = TextCodec.learn(["a b c"], level="word")
    options = {"attention": "none", "units": 4, "embedding_dim": 4, "cell": "simple_rnn"}
    model = zoo.build(
        "encoder_decoder", source_vocabulary_size=7, target_vocabulary_size=7, **options
    )
    signatures = functions_of(Translator(model, codec, codec))
    how = {"beam_size": 2, "max_tokens": 3}
    rows = answers.answer(signatures, ["a b", "c"], Translating(n_best=2, **how))
    assert [row["rank"] for row in rows] == [1, 2, 1, 2]
    with pytest.raises(InputError, match="no attention to plot: train one with --attention"):
        path = str(tmp_path / "x.png")
        answers.answer(signatures, ["a b", "c"], Translating(attention=path, **how))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--n-best", "6"], "--n-best must be 1 to --beam-size (5), got 6"),
        (["--n-best", "2", "--beam-size", "1"], "--n-best must be 1 to --beam-size (1), got 2"),
        (["--n-best", "0"], "--n-best must be 1 to --beam-size (5), got 0"),
        (["--beam-size", "0"], "--beam-size must be at least 1, got 0"),
        (["--length-penalty", "-1"], "--length-penalty must be at least 0, got -1.0"),
        (["--max-tokens", "-1"], "--max-tokens must be at least 0, got -1"),
        (["--attention", "picture"], "--attention must be a PNG to write, got 'picture'"),
        (["--score", "1", "--prefix", "1"], "--score translates nothing: leave out --prefix"),
    ],
)
def test_wrong_ways_to_ask_are_one_sentence(words, said, finished, capsys):
    assert predict(finished, "1234", *words) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {said}") and error.count("\n") == 1


def test_answers_ask_the_signature_that_does_what_is_asked_for():
    asked = []

    def signature(name):
        def answer(**inputs):
            asked.append((name, {key: value.numpy().tolist() for key, value in inputs.items()}))
            return {
                "translations": tf.constant([["a", "b"]]),
                "log_probabilities": tf.constant([[-1.0, NEVER]]),
                "unknown_share": tf.constant([0.5]),
                "truncated": tf.constant([False]),
            }

        return answer

    signatures = {name: signature(name) for name in ("translate", "complete")}
    how = {"beam_size": 2, "length_penalty": 0.5, "max_tokens": 7}
    row = {"text": "x", "translation": "a", "log_probability": -1.0, "rank": 1}
    row |= {"unknown_share": 0.5, "truncated": False}
    assert answers.answer(signatures, ["x"], Translating(n_best=2, **how)) == [row]
    assert answers.answer(signatures, ["x"], Translating(prefix="p", **how)) == [row]
    given = {"text": [b"x"], **{name: [value] for name, value in how.items()}}
    assert asked == [("translate", given), ("complete", {**given, "prefix": [b"p"]})]


def train(folder, run, *words):
    where = ["--data", str(folder), "--source", "de", "--target", "en", "--run-dir", str(run)]
    return main(["translation", "train", *where, *SENTENCES, *words])


@pytest.mark.sweep
def test_a_resumed_run_ends_as_one_that_was_not_interrupted(folder, tmp_path, eagerly, monkeypatch):
    """With pieces of words, dropout and averaged weights; one seed gives one history."""
    pieces = ["--source-size", "290", "--target-size", "290"]
    words = [*pieces, "--word-dropout", "0.1", "--average", "1", "--objective", "loss"]
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    assert train(folder, whole, *words) == 0
    assert train(folder, halved, *words, "--minutes", "1e-5") == 0  # stops after one epoch
    assert history(halved) == history(whole)[:2]
    assert (
        main(["translation", "train", "--run-dir", str(halved), "--resume", "--minutes", "0"]) == 0
    )
    assert history(halved) == history(whole)
    both = codecs.of_run(task.config(), halved)
    translator = Translator(
        checkpoint.load_best(halved / "checkpoints"), both["source"], both["target"]
    )
    found = translator.n_best(tf.constant(["ein Hund singt."]), max_tokens=4)
    tokens = [one.decode() for one in found["target_tokens"].numpy()[0, 0]]
    assert set(tokens) <= {*both["target"].vocabulary.tokens, "[EOS]"} and any(tokens)


@pytest.mark.sweep
def test_words_that_are_not_known_are_taken_from_the_source(folder, tmp_path, eagerly):
    """The target's vocabulary holds one token besides the special ones: nearly all is unknown."""
    run = tmp_path / "run"
    words = ["--source-level", "word", "--target-level", "word", "--replace-unknown"]
    words += ["--no-lower-source"]  # it is written as it was read
    assert train(folder, run, *words, "--target-size", "5") == 0
    vocabulary = (run / "target.txt").read_text().split()
    assert len(vocabulary) == 5
    assert main(["translation", "evaluate", "--run-dir", str(run)]) == 0
    sources, _, translations = written(run)
    assert all("<unk>" not in one for one in translations)
    own = [set(f"{one} {vocabulary[4]}".replace(".", " . ").split()) for one in sources]
    for known, one in zip(own, translations, strict=True):
        assert set(one.replace("?", " ? ").replace(".", " . ").split()) <= known
    pairs = zip(translations, sources, strict=True)
    assert any(set(one.split()) & set(text.split()) for one, text in pairs)
    assert history(run)[0] == "epoch,loss,validation_bleu,validation_loss"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--objective", "chrf"], "objective must be one of bleu, exact_match, loss; got 'chrf'"),
        (["--source-level", "letter"], "source_level must be one of subword, word, character"),
        (["--target-level", "words"], "got 'words': did you mean 'word'?"),
        (["--replace-unknown", "--target-level", "subword"], "with subwords no token is unknown"),
        (
            ["--replace-unknown", "--source-level", "subword", "--target-level", "word"],
            "got source_level 'subword' and target_level 'word'",
        ),
        (
            ["--replace-unknown", "--source-level", "character", "--attention", "none"],
            "replace_unknown needs attention",
        ),
        (["--length-penalty", "-0.5"], "length_penalty must be at least 0, got -0.5"),
        (["--coverage-penalty", "-1"], "coverage_penalty must be at least 0, got -1.0"),
        (["--no-repeat", "-1"], "no_repeat must be at least 0, got -1"),
        (["--label-smoothing", "1"], "label_smoothing must be a number from 0"),
        (["--beam-size", "0"], "beam_size must be a positive int, got 0"),
        (["--attention", "genral"], "did you mean 'general'?"),
        (["--attention", "none", "--bridge", "zero"], "without attention, bridge must be"),
        (["--cell", "lstn"], "unknown cell 'lstn': did you mean 'lstm'?"),
        (["--decay", "linear"], "warmup goes with --decay cosine"),
        (["--limit", "-1"], "limit must be a number of pairs, got -1"),
    ],
)
def test_wrong_options_are_one_sentence(words, said, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["translation", "train", "--run-dir", str(run), *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.startswith("error: ") and error.count("\n") == 1
    assert not run.exists()


def test_the_built_in_dates_and_the_users_files_have_their_own_defaults():
    dates = task.config(**task.defaults({}))
    assert (dates.source_level, dates.target_level) == ("subword", "character")
    assert (dates.source_size, dates.objective) == (800, "exact_match")
    for given in ({"data": "x.tsv"}, {"source_file": "a", "target_file": "b"}):
        assert task.defaults(given) == {}
    texts = task.config()
    assert (texts.source_level, texts.objective) == ("subword", "bleu")
    for lower, name in ((True, "bleu_lowercase"), (False, "bleu")):
        assert task.objective(task.config(lower_target=lower)) == name
    assert task.objective(task.config(lower_target=True, objective="exact_match")) == "exact_match"


def test_the_hint_at_the_end_of_a_run_works_as_it_is_printed(finished, capsys):
    assert ask_as_hinted(task, finished / "run", finished / "models") == 0
    assert capsys.readouterr().out.splitlines()[-1]


@pytest.mark.sweep
def test_other_pairs_are_measured_and_their_translations_written(finished, numbers, tmp_path):
    run, path = finished / "run", tmp_path / "out.jsonl"
    own = metrics(run)
    pairs = task.load(task.data_of(Run.open(task, run).config)).test
    data = tmp_path / "new.tsv"
    data.write_text("".join(f"{pair.source}\t{pair.target}\n" for pair in pairs))
    words = ["translation", "evaluate", "--run-dir", run, "--data", data]
    assert main([str(word) for word in [*words, "--write-predictions", path]]) == 0
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["text"], row["label"]) for row in rows] == [(p.source, p.target) for p in pairs]
    assert [row["prediction"] for row in rows] == written(run)[2]
    (stored,) = (run / "evaluations").iterdir()
    found = json.loads(stored.read_text())
    assert found["loss"] == pytest.approx(own["test"]["loss"], rel=1e-4)
    assert found["exact_match"] == own["test"]["exact_match"]
    assert metrics(run) == own

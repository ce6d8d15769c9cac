"""The recipe `names`: the whole job on a small folder, its figures, its errors, its answers."""

import functools
import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from recipes.cli import main
from recipes.corpora import surnames
from recipes.families.writing import answers, samples
from recipes.families.writing.config import WritingAnswers
from recipes.families.writing.recipe import WritingBatches, encode
from recipes.families.writing.samples import Sample
from recipes.names import NamesRecipe, judge, quality
from recipes.names.quality import is_right, rules_kept
from recipes.training.batches import SequenceBatches
from tests import surface
from tests.recipes.tiny import ask_as_hinted
from zoo import export
from zoo.decoding import sample_seeds
from zoo.text import BOS, EOS

task = NamesRecipe()

TINY = [
    *("--units", "24", "--embedding-dim", "8", "--class-dim", "4", "--batch-size", "16"),
    *("--learning-rate", "0.03", "--dropout", "0", "--recurrent-dropout", "0", "--buckets", "1"),
    *("--cell", "min_gru", "--average", "0", "--patience", "9", "--samples", "30"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two of the invented languages, a file each; some names stand there twice."""
    rng, path = random.Random(1), tmp_path_factory.mktemp("data") / "names"
    path.mkdir()
    for label, make in (("Alvari", surnames._alvari), ("Dunnic", surnames._dunnic)):
        names = sorted({make(rng).capitalize() for _ in range(150)})
        (path / f"{label}.txt").write_text("\n".join([*names, *names[:40]]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    """A whole job: the run's folder and the folder of exports, loaded once for all tests."""
    place = tmp_path_factory.mktemp("whole")
    words = ["names", "--data", folder, *TINY, "--epochs", "6"]
    words += ["--run-dir", place / "run", "--export-dir", place / "models"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(judge.QUICK, "batch_size", 16)
        patch.setattr(export, "check", lambda *_: None)  # it takes long; see the export's own tests
        patch.setattr(tf.saved_model, "load", functools.cache(tf.saved_model.load))
        assert main([str(word) for word in words]) == 0
        yield place


def metrics(finished):
    return json.loads((finished / "run" / "metrics.json").read_text())


def test_the_surface_of_the_run_and_of_its_export_is_kept(finished):
    surface.assert_run_kept("names", finished / "run", finished / "models")


def test_the_whole_job_learns_to_write_names_of_both_classes(finished):
    found = metrics(finished)
    for split in ("validation", "test"):
        assert found[split]["loss"] < 1.7
        assert found[split]["perplexity"] == pytest.approx(np.exp(found[split]["loss"]))
    written = found["written"]
    assert set(written["agreement_of"]) == set(written["novel_of"]) == {"Alvari", "Dunnic"}
    assert written["agreement"] > 0.9 and found["test"]["agreement"] > 0.9
    for name in ("novel", "distinct", "valid"):
        assert written[name] > 0.6
    shown = (finished / "run" / "classes.json", finished / "run" / "vocabulary.txt")
    assert all(path.stat().st_size > 0 for path in shown)


def test_evaluate_gives_the_same_figures_again_and_keeps_the_judge(finished, capsys):
    before = metrics(finished)
    best = finished / "run" / "judge" / "checkpoints" / "best.keras"
    written = best.stat().st_mtime_ns
    assert main(["names", "evaluate", "--run-dir", str(finished / "run")]) == 0
    assert "written: novel " in capsys.readouterr().out
    assert best.stat().st_mtime_ns == written
    after = metrics(finished)
    assert after["written"] == before["written"]
    for split in ("validation", "test"):
        assert after[split]["loss"] == pytest.approx(before[split]["loss"], abs=1e-6)


def test_the_exported_model_writes_and_scores_names(finished, capsys):
    models = ["--export-dir", str(finished / "models")]
    assert main(["names", "predict", "Dunnic", "Alvari", "--samples", "4", *models]) == 0
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    assert [label for label, _ in rows] == ["Dunnic"] * 4 + ["Alvari"] * 4
    assert sum(name.startswith("Mac") for _, name in rows[:4]) >= 3
    how = ["--temperature", "0.8", "--guidance", "0.5", "--min-p", "0", "--seed", "5", "--json"]
    outputs = []
    for _ in range(2):
        assert main(["names", "predict", "Alvari", *how, *models]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    first = json.loads(outputs[0].splitlines()[0])
    names = ["label", "text", "finished", "log_probability", "num_tokens", "unknown_share"]
    assert list(first) == names and first["finished"]
    assert first["num_tokens"] == len(first["text"]) + 1
    words = ["names", "predict", "Alvari", "Dunnic", "--score", "Macdel", *models]
    assert main([*words, "--json"]) == 0
    other, own = map(json.loads, capsys.readouterr().out.splitlines())
    assert own["log_probability"] > other["log_probability"] + 3
    assert own["num_tokens"] == 7 and own["text"] == "Macdel"
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[1] == answers.line(own)


def test_an_unknown_label_is_one_sentence_that_names_the_nearest(finished, capsys):
    models = ["--export-dir", str(finished / "models")]
    assert main(["names", "predict", "Alvary", *models]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "error: unknown label 'Alvary': did you mean 'Alvari'?"


@pytest.mark.sweep
def test_a_resumed_run_ends_as_one_that_was_not_interrupted(folder, finished, tmp_path):
    run = tmp_path / "run"
    words = ["names", "train", "--data", str(folder), *TINY, "--epochs", "6"]
    epochs = []

    def stop(config, epoch, train):
        if epoch == 2 and not epochs:
            epochs.append(epoch)
            raise KeyboardInterrupt
        return train(config, epoch)

    with pytest.MonkeyPatch.context() as patch:
        whole = NamesRecipe.epochs

        def interrupted(*given):
            train = whole(*given)
            return lambda config, epoch: stop(config, epoch, train)

        patch.setattr(NamesRecipe, "epochs", interrupted)
        assert main([*words, "--run-dir", str(run)]) == 1
        assert main(["names", "train", "--resume", "--run-dir", str(run)]) == 0
    histories = [
        [line.rsplit(",", 1)[0] for line in (one / "history.csv").read_text().splitlines()]
        for one in (run, finished / "run")
    ]
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--conditioning", "states"], "conditioning must be one of state, input, both"),
        (["--samples", "0"], "samples must be at least 1, got 0"),
        (["--temperature", "-1"], "temperature must be at least 0, got -1.0"),
        (["--guidance", "-1"], "guidance must be at least 0, got -1.0"),
        (["--class-dropout", "1"], "class_dropout must be a number from 0"),
        (["--cell", "lst"], "unknown cell 'lst'"),
    ],
)
def test_wrong_options_are_one_sentence(words, said, tmp_path, capsys):
    assert main(["names", "train", "--run-dir", str(tmp_path / "run"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_name_counts_once_in_a_class_and_in_several_classes_once_in_each(tmp_path):
    lines = ["name\tland", *["Adam\tFrench", "Adam\tFrench", "Adam\tIrish"] * 3]
    lines += [f"N{number}\tIrish" for number in range(60)]
    (tmp_path / "names.tsv").write_text("\n".join(lines), encoding="utf-8")
    options = {"text_column": "name", "label_column": "land"}
    splits = None
    for seed in range(20):  # until the name that stands in both classes is in train
        try:
            config = task.config(data=str(tmp_path / "names.tsv"), split_seed=seed, **options)
            splits = task.load(task.data_of(config))
            break
        except ValueError:
            continue
    pairs = [
        (one.text, one.label)
        for part in (splits.train, splits.validation, splits.test)
        for one in part
    ]
    assert len(pairs) == len(set(pairs)) == 62


def test_batches_hold_classes_what_is_read_and_what_is_told():
    rows = [np.array([7, 8, 9]), np.array([5]), np.array([], int)]
    batches = WritingBatches(encode(rows, [1, 0, 1]), 2, [2, 4])
    found = {}
    for inputs, targets, members in batches():
        assert batches.weight(targets) == (inputs["token_ids"] != 0).sum()
        for row, member in enumerate(members):
            given = inputs["class_ids"][row], inputs["token_ids"][row], targets[row]
            found[member] = [values.tolist() for values in given]
    assert found == {
        0: [1, [BOS, 7, 8, 9], [7, 8, 9, EOS]],
        1: [0, [BOS, 5], [5, EOS]],
        2: [1, [BOS, 0], [EOS, -1]],
    }
    assert issubclass(WritingBatches, SequenceBatches)
    drawn = [members.tolist() for _, _, members in batches((0, 1))]
    assert sorted(sum(drawn, [])) == [0, 1, 2]


NAMES = [
    *(Sample("A", "Ann", True), Sample("A", "Bea", True), Sample("A", "bea ", True)),
    *(Sample("A", "Cid4", True), Sample("B", "Ann", True), Sample("B", "O'Neil-Roe", False)),
    *(Sample("B", "D", True), Sample("B", "Dora Lee", True)),
]


def test_the_figures_of_written_names_are_those_counted_by_hand():
    found = quality.scores(NAMES, train=["ANN", "Zoe"], held_out=["Bea", "Ann", "Dora Lee"])
    assert found == {
        "novel": (3 / 4 + 3 / 4) / 2,  # Ann is known, whatever its case and its class
        "held_out": (2 / 4 + 1 / 4) / 2,  # Bea twice, Dora Lee; Ann is in train as well
        "distinct": (3 / 4 + 4 / 4) / 2,
        "valid": (3 / 4 + 2 / 4) / 2,  # a digit; an end that did not come; one letter
        "novel_of": {"A": 0.75, "B": 0.75},
    }


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("Li", True),
        ("L", False),
        ("", False),
        ("x" * 20, True),
        ("x" * 21, False),
        ("D’Äö ñ'-a", True),
        ("Maxa/B", False),
    ],
)
def test_what_a_well_formed_name_is(text, valid):
    assert quality.is_valid(Sample("A", text, True)) == valid
    assert not quality.is_valid(Sample("A", text, False))


def test_agreement_is_a_mean_over_classes_or_weighs_them_by_their_shares():
    asked = []

    def ask(texts, fair):
        asked.append(list(texts))
        return ["A", "A", "B", "B", "A", "B", "A", "A"] if fair else ["A"] * 8

    shares = {"A": 0.6, "B": 0.2, "C": 0.2}  # of C no name is given
    found = quality.agreement(NAMES, ask, shares)
    assert asked == [[name.text for name in NAMES]] * 2
    assert found["agreement_of"] == {"A": 0.5, "B": 0.25}
    assert found["agreement"] == (0.5 + 0.25) / 2
    assert found["agreement_uncorrected"] == (1.0 + 0.0) / 2
    assert found["agreement_by_share"] == pytest.approx(0.6 / 0.8)


def test_a_fair_judge_divides_by_the_shares():
    table = {"x": [0.6, 0.4], "y": [0.9, 0.1], "z": [0.1, 0.9]}

    def classify(texts):
        return {"probabilities": np.array([table[text] for text in texts])}

    classifier = SimpleNamespace(classify=classify, classes=["A", "B"])
    ask = judge.Judge(classifier, np.array([0.75, 0.25]))
    assert ask(["x", "y", "z"], fair=False) == ["A", "A", "B"]
    assert ask(["x", "y", "z"], fair=True) == ["B", "A", "B"]


def test_the_rules_are_those_that_the_corpus_keeps_and_others_break_them():
    corpus = [Sample(label, text, True) for part in surnames.generate(2) for text, label in part]
    assert rules_kept(corpus) == dict.fromkeys(surnames.LANGUAGES, 1.0)
    for one, other in (("Alvari", "Belmic"), ("Cordish", "Dunnic"), ("Esteri", "Farrin")):
        swapped = [
            name._replace(label={one: other, other: one}[name.label])
            for name in corpus
            if name.label in (one, other)
        ]
        assert max(rules_kept(swapped).values()) < 0.05
    assert not is_right(Sample("Farrin", "Bar", False)) and not is_right(Sample("Farrin", "", True))


def test_names_are_asked_for_by_class(monkeypatch):
    asked = {}

    def generate(labels, **options):
        asked.update(options)
        texts = [f"N{row}" for row in range(len(labels))]
        return {"text": np.array(texts), "finished": np.array([True, False] * (len(labels) // 2))}

    writer = SimpleNamespace(generate=generate)
    config = task.config(seed=3, temperature=0.5, min_p=0.1, guidance=1.5)
    found = samples.write(writer, ["A", "A", "B", "B"], config, 30)
    assert found == [
        *(Sample("A", "N0", True), Sample("A", "N1", False)),
        *(Sample("B", "N2", True), Sample("B", "N3", False)),
    ]
    sampling = {"temperature": 0.5, "min_p": 0.1, "guidance": 1.5}
    assert asked == {**sampling, "max_tokens": 30, "seed": sample_seeds(3, 4)}


def test_answers_say_what_was_asked_for():
    how = WritingAnswers()
    assert (how.samples, how.seed, how.score) == (5, 0, "")
    assert answers.line({"label": "A", "text": "Ann"}) == "A  Ann"


def test_the_hint_at_the_end_of_a_run_works_as_it_is_printed(finished, capsys):
    assert ask_as_hinted(task, finished / "run", finished / "models") == 0
    assert capsys.readouterr().out.splitlines()[-1]


def test_other_data_is_measured_by_its_likelihood(finished, folder, tmp_path, capsys):
    (tmp_path / "new.tsv").write_text("text\tlabel\nabab\tAlvari\n")
    own = json.loads((finished / "run" / "metrics.json").read_text())
    words = ["names", "evaluate", "--run-dir", str(finished / "run"), "--data"]
    assert main([*words, str(tmp_path / "new.tsv")]) == 0
    assert f"{tmp_path / 'new.tsv'}: loss " in capsys.readouterr().out
    assert json.loads((finished / "run" / "metrics.json").read_text()) == own
    assert main([*words, str(folder), "--write-predictions", str(tmp_path / "x.tsv")]) == 2
    assert "names does not" in capsys.readouterr().err

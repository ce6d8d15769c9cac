"""Text without tags: its sentences, the language model that reads them, and taggers that ask it."""

import functools
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from recipes.cli import main
from recipes.families.tagging import context, unlabelled
from recipes.families.tagging.config import TaggingData
from recipes.training import checkpoint
from tests import surface
from zoo.errors import InputError
from zoo.text import TokenVectorizer, Vocabulary

pytestmark = [pytest.mark.usefixtures("module_eagerly"), pytest.mark.sweep]

NAMES = ["Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana"]
FAST = [
    *("--units", "8", "--embedding-dim", "8", "--epochs", "2", "--learning-rate", "0.02"),
    *("--dropout", "0", "--word-dropout", "0", "--buckets", "1", "--character-units", "8"),
    *("--context-units", "6", "--context-epochs", "2"),
]


def run(capsys, *words):
    status = main([str(word) for word in words])
    return status, capsys.readouterr()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two-column files of tagged sentences, and a text with words that those have not."""
    folder = tmp_path_factory.mktemp("data")
    for name, count in (("train", 24), ("dev", 8), ("test", 8)):
        rows = [f"{NAMES[n % 4]}\tN\ndid\tV\nn't\tR\nsleep\tV\n.\tP\n" for n in range(count)]
        (folder / f"{name}.conll").write_text("\n".join(rows), encoding="utf-8")
    lines = [f"{name} didn't sleep. {name} couldn't eat!" for name in NAMES for _ in range(5)]
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    """A run that read the text first, exported."""
    folder = tmp_path_factory.mktemp("runs")
    words = ["--data", files, "--unlabelled", files / "text.txt", "--run-dir", folder / "first"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "load", functools.cache(tf.saved_model.load))
        assert main(["pos", *map(str, words), *FAST, "--export-dir", str(folder / "saved")]) == 0
        yield folder


def test_the_surface_of_the_run_and_of_its_export_is_kept(trained):
    surface.assert_run_kept("pos", trained / "first", trained / "saved", "pos with context")


def test_text_is_cut_into_sentences_and_into_the_tokens_that_the_tagged_ones_have():
    lines = ["She said \"I don't know.\" Then Ann's dog ran... Why?", "No", "It's 3.5 km"]
    known = ["do", "n't", "'s", "o'clock", "dog"]
    assert list(unlabelled.sentences(lines, known)) == [
        ["She", "said", '"', "I", "do", "n't", "know", ".", '"'],
        ["Then", "Ann", "'s", "dog", "ran", "..."],
        ["Why", "?"],
        ["It", "'s", "3.5", "km"],
    ]
    assert list(unlabelled.sentences(["I don't"], ["don't", "n't"])) == [["I", "don't"]]
    assert list(unlabelled.sentences(["I don't"], [])) == [["I", "don't"]]
    long = list(unlabelled.sentences([" ".join(["word"] * 130)], []))
    assert [len(sentence) for sentence in long] == [60, 60, 10]


def test_several_texts_are_read_and_their_marks_cleaned(tmp_path):
    for name, text in (("a.txt", "one<br />two\n\n"), ("wiki.train.tokens", "1 @,@ 000 <unk> .\n")):
        (tmp_path / name).write_text(text + "last line\n" * 20, encoding="utf-8")
    both = f"{tmp_path / 'a.txt'}, {tmp_path / 'wiki.train.tokens'}"
    lines = unlabelled.read(TaggingData(unlabelled=both, unlabelled_limit=0, download=False))
    assert lines[:2] == ["one", "two"]
    assert "1,000 unk ." in lines
    assert len(lines) > 30


def test_the_labels_count_the_neighbours_that_are_there():
    texts = [["a", "b", "c"], ["a", "b"]]
    vectorizer = TokenVectorizer.learn(texts, letters_min_count=1)
    (inputs, labels, _), *_ = context._batches(context._encoded(vectorizer, texts), 0, 2)()
    assert inputs["token_ids"].shape == (2, 3)
    assert labels[0].tolist() == [[0, -1], [0, 0], [-1, 0]]
    assert labels[1].tolist() == [[0, -1], [-1, 0], [-1, -1]]
    losses = np.arange(12, dtype="float32").reshape(2, 3, 2)
    expected = losses[labels == 0].mean()
    np.testing.assert_allclose(context.NeighbourLoss()(labels, losses), expected, rtol=1e-6)


def test_words_of_the_text_are_known_with_what_was_learned_of_them(trained):
    run_dir = trained / "first"
    tagger, folder = checkpoint.load_best(run_dir / "checkpoints"), run_dir / "context"
    mine = Vocabulary.load(run_dir / "vocabulary.txt").tokens
    theirs = Vocabulary.load(folder / "vocabulary.txt").tokens
    assert "hana" in mine and "hana" in theirs, "train has no Hana"
    assert tagger.get_layer("embedding").learned_size <= mine.index("hana")
    import keras

    source = keras.models.load_model(folder / "checkpoints" / "best.keras", compile=False)
    table = tagger.get_layer("context_embedding").embeddings.numpy()
    other = source.get_layer("context_embedding").embeddings.numpy()
    for word in ("hana", "could", "ada", "n't"):
        np.testing.assert_array_equal(table[mine.index(word)], other[theirs.index(word)])
    for name in ("casing", "encoder"):
        pairs = zip(
            tagger.get_layer(f"context_{name}").get_weights(),
            source.get_layer(f"context_{name}").get_weights(),
            strict=True,
        )
        for value, expected in pairs:
            np.testing.assert_array_equal(value, expected)
    perplexity = (folder / "history.csv").read_text().splitlines()[-1].split(",")
    header = (folder / "history.csv").read_text().splitlines()[0].split(",")
    assert float(perplexity[header.index("validation_perplexity")]) < len(theirs)


def test_a_word_that_the_language_model_has_not_is_its_unknown_one(tmp_path):
    Vocabulary(["[PAD]", "[UNK]", "[BOS]", "[EOS]", "b", "a"]).save(tmp_path / "v.txt")
    own = Vocabulary(["[PAD]", "[UNK]", "[BOS]", "[EOS]", "a", "c"])
    assert context._rows(tmp_path / "v.txt", own).tolist() == [0, 1, 2, 3, 5, 1]


def test_evaluate_and_the_export_need_the_run_alone(trained, files, tmp_path, capsys):
    moved = tmp_path / "moved"
    shutil.copytree(trained / "first", moved)
    before = json.loads((moved / "metrics.json").read_text())["test"]
    status, said = run(capsys, "pos", "evaluate", "--run-dir", moved)
    assert status == 0, said.err
    assert json.loads((moved / "metrics.json").read_text())["test"] == before
    words = ["pos", "predict", "Hana didn't sleep.", "--json", "--export-dir", trained / "saved"]
    status, said = run(capsys, *words)
    assert status == 0, said.err
    assert len(json.loads(said.out.splitlines()[-1])["tags"]) == 4


def test_another_run_takes_the_language_model_over(trained, files, tmp_path, capsys):
    words = ["--data", files, "--run-dir", tmp_path / "second", *FAST, "--epochs", "1"]
    status, said = run(capsys, "pos", "train", *words, "--context", trained / "first")
    assert status == 0, said.err
    assert "language model:" not in said.out
    first, second = (
        checkpoint.load_best(folder / "checkpoints")
        for folder in (trained / "first", tmp_path / "second")
    )
    for name in ("embedding", "characters", "casing", "encoder"):
        pairs = [one.get_layer(f"context_{name}").get_weights() for one in (first, second)]
        for value, expected in zip(*pairs, strict=True):
            np.testing.assert_array_equal(value, expected)


def test_an_interrupted_language_model_goes_on_to_the_same_result(
    trained, files, tmp_path, capsys, monkeypatch
):
    """Killed after its first pass, in the middle of the second."""
    whole = trained / "first" / "context"
    words = ["pos", "train", "--data", files, "--unlabelled", files / "text.txt"]
    words += ["--run-dir", tmp_path / "cut", *FAST, "--epochs", "1"]  # of the tagger after it
    over = context.loop.over_batches

    def killed(model, batches):
        taken = over(model, batches)

        def epoch(config, number, watch=None):
            if number == 1:
                raise KeyboardInterrupt
            return taken(config, number, watch)

        return epoch

    with monkeypatch.context() as patch:
        patch.setattr(context.loop, "over_batches", killed)
        status, said = run(capsys, *words)
    assert status == 1 and "interrupted" in said.err
    assert not (tmp_path / "cut" / "context" / "context.json").exists()
    assert not (tmp_path / "cut" / "tags.json").exists()
    status, said = run(capsys, "pos", "train", "--resume", "--run-dir", tmp_path / "cut")
    assert status == 0, said.err
    assert "language model: resumed after part 1" in said.out
    histories = [
        [line.rpartition(",")[0] for line in (folder / "history.csv").read_text().splitlines()]
        for folder in (whole, tmp_path / "cut" / "context")
    ]
    assert len(histories[0]) == 3
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--unlabelled", "a.txt", "--context", "runs/x"], "give one of them"),
        (["--unlabelled", "nowhere.txt"], "nowhere.txt"),
        (["--unlabelled", "builtin"], "there is no built-in unlabelled text"),
        (["--context", "nowhere"], "nowhere holds no finished language model"),
        (["--unlabelled", "a.txt", "--context-units", "0"], "context_units must be at least 1"),
    ],
)
def test_wrong_options_are_one_sentence(words, said, files, tmp_path, capsys):
    status, output = run(
        capsys, "pos", "train", "--data", files, "--run-dir", tmp_path / "run", *words
    )
    assert status == 2
    assert said in output.err
    assert "Traceback" not in output.err


def test_a_text_without_a_sentence_is_refused(files, tmp_path):
    (tmp_path / "words.txt").write_text("one\n\ntwo\nthree\n", encoding="utf-8")
    from recipes.pos.recipe import PosConfig

    config = PosConfig(unlabelled=str(tmp_path / "words.txt"))
    with pytest.raises(InputError, match="no sentence of at least two words"):
        context.ready(config, [], tmp_path / "run")

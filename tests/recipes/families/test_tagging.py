"""The recipes `ner` and `pos` from a user's own file to served tags."""

import functools
import json
import re

import numpy as np
import pytest
import tensorflow as tf

from recipes.cli import main
from recipes.data.items import Sentence
from recipes.data.splits import Splits
from recipes.families.tagging import answers, chosen, data, recipe
from recipes.families.tagging.batches import EncodedSentences, TagBatches
from recipes.ner import NerRecipe
from recipes.ner.config import NerConfig
from recipes.run import Run
from recipes.training import checkpoint
from recipes.training.epochs import settled
from tests import surface
from tests.recipes import tiny
from tests.recipes.tiny import ask_as_hinted
from zoo.errors import InputError
from zoo.metrics.tagging import entity_scores
from zoo.pipelines import Tagger

ner = NerRecipe()

NAMES = ["Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana"]
TOWNS = ["Arlen", "Brook", "Corby", "Dover", "Elton", "Firth", "Grove", "Hythe"]
FAST = [
    *("--units", "16", "--embedding-dim", "16", "--epochs", "6", "--learning-rate", "0.02"),
    *("--dropout", "0", "--word-dropout", "0", "--buckets", "1", "--character-units", "8"),
]
LONGER = [*FAST, "--epochs", "10"]


@pytest.fixture(scope="module", autouse=True)
def loaded_once():
    """Loading an exported model takes seconds, and several tests ask the same one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "load", functools.cache(tf.saved_model.load))
        yield


def sentences():
    """Who lives where, in IOB1: 64 sentences, each name and each town in several."""
    for number in range(64):
        name, town = NAMES[number % 8], TOWNS[(number // 8 + number) % 8]
        verb = ("lives", "sleeps")[number % 2]
        yield [
            *((name, "I-PER"), (verb, "O"), ("in", "O"), ("New", "I-LOC"), (town, "I-LOC")),
            (("." if number % 3 else "!"), "O"),
        ]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder in the shape of CoNLL-2003: four columns, IOB1, documents."""
    folder = tmp_path_factory.mktemp("conll")
    found = list(sentences())
    for name, part in (("train", found[:48]), ("testa", found[48:56]), ("testb", found[56:])):
        lines = ["-DOCSTART- -X- -X- O", ""]
        for sentence in part:
            lines += [f"{token} X Y {tag}" for token, tag in sentence] + [""]
        (folder / f"eng.{name}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def run(capsys, *words):
    status = main([str(word) for word in words])
    return status, capsys.readouterr()


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    """A run and an export of the whole job."""
    folder = tmp_path_factory.mktemp("run")
    options = ["--run-dir", folder / "run", "--export-dir", folder / "saved", "--data", files]
    assert main(["ner", *map(str, options), *FAST]) == 0
    return folder


def test_the_surface_of_the_run_and_of_its_export_is_kept(trained):
    surface.assert_run_kept("ner", trained / "run", trained / "saved")


def test_a_users_own_file_trains_exports_and_tags(trained, capsys):
    metrics = json.loads((trained / "run" / "metrics.json").read_text())
    assert metrics["test"]["entity_f1"] == 1
    assert metrics["test"]["accuracy"] == 1
    assert metrics["test"]["support_by_type"] == {"LOC": 8, "PER": 8}
    for name in ("config.json", "history.csv", "curves.png", "confusion.png", "letters.txt"):
        assert (trained / "run" / name).stat().st_size > 0
    assert json.loads((trained / "run" / "tags.json").read_text()) == [
        "B-LOC",
        "B-PER",
        "I-LOC",
        "O",
    ]
    status, said = run(
        capsys,
        "ner",
        "predict",
        "--export-dir",
        trained / "saved",
        "--json",
        "Cleo sleeps in New Hythe!",
    )
    assert status == 0
    row = json.loads(said.out)
    assert row["tags"] == ["B-PER", "O", "O", "B-LOC", "I-LOC", "O"]
    assert [(e["type"], e["text"], e["start"], e["end"]) for e in row["entities"]] == [
        ("PER", "Cleo", 0, 4),
        ("LOC", "New Hythe", 15, 24),
    ]
    assert row["log_probability"] < 0
    assert all(0 < value <= 1 for value in row["confidence"])
    assert row["entities"][1]["confidence"] == min(row["confidence"][3:5])


def test_the_terminal_shows_the_text_with_its_stretches(trained, capsys):
    status, said = run(
        capsys, "ner", "predict", "--export-dir", trained / "saved", "Ada lives in New Dover."
    )
    assert status == 0
    assert said.out.startswith("[Ada](PER ")
    assert "lives in [New Dover](LOC " in said.out


def test_evaluate_gives_the_figures_of_the_run_again(trained, files, capsys):
    before = json.loads((trained / "run" / "metrics.json").read_text())["test"]
    status, said = run(capsys, "ner", "evaluate", "--run-dir", trained / "run")
    assert status == 0
    assert "tags: IOB1, converted to BIO" in said.out
    assert json.loads((trained / "run" / "metrics.json").read_text())["test"] == before


def test_the_served_tags_are_those_of_the_split(trained, files):
    """Tokens in, through the exported model, score what the run's own evaluation says."""
    served = tf.saved_model.load(str(trained / "saved" / "ner" / "1"))
    found = list(sentences())[56:]
    tokens = tf.constant([[token for token, _ in sentence] for sentence in found])
    answer = served.signatures["tag_tokens"](tokens=tokens)
    tags = [[tag.decode() for tag in row] for row in answer["tags"].numpy()]
    assert entity_scores([[tag for _, tag in s] for s in found], tags)["entity_f1"] == 1


@pytest.mark.sweep
def test_vectors_of_a_file_are_taken_and_its_words_kept(files, tmp_path, capsys):
    rng = np.random.default_rng(0)
    words = ["ada", "arlen", "unheard"]
    values = {word: rng.normal(size=4).round(3) for word in words}
    text = "".join(f"{word} {' '.join(map(str, values[word]))}\n" for word in words)
    (tmp_path / "vectors.txt").write_text(text)
    status, said = run(
        capsys,
        *("ner", "train", "--data", files, "--run-dir", tmp_path / "run"),
        *("--vectors", tmp_path / "vectors.txt", *FAST, "--epochs", "1"),
        *("--train-vectors", "--learning-rate", "1e-9", "--head", "softmax"),
    )
    assert status == 0, said.err
    assert "3 of " in said.out and "words found" in said.out

    vocabulary = (tmp_path / "run" / "vocabulary.txt").read_text().splitlines()
    embedding = checkpoint.load_best(tmp_path / "run" / "checkpoints").get_layer("embedding")
    assert embedding.pretrained.trainable
    assert embedding.learned_size == vocabulary.index("unheard"), "train has it not"
    table = embedding.pretrained.numpy()
    for word in words:
        np.testing.assert_allclose(table[vocabulary.index(word)], values[word], atol=1e-6)


def test_the_score_of_o_is_lowered_to_where_entities_are_found_best(trained, files):
    """Against every shift tried by hand; the saved model decodes with the one that was chosen."""
    run_dir = trained / "run"
    config = Run.open(ner, run_dir).config
    prepared = tiny.prepared_in(ner, config, run_dir)
    model = checkpoint.load_best(run_dir / "checkpoints")
    logits = model.get_layer("logits")
    kernel, bias = logits.get_weights()
    outside = prepared.classes.index("O")
    careful = bias + 2.3 * (np.arange(len(bias)) == outside)  # O above all that the model sees
    logits.set_weights([kernel * 0.4, careful])
    gold = [sentence.tags for sentence in prepared.splits.validation]
    by_hand = []
    shifts = ner.shifts(config)
    for shift in shifts:
        lowered = careful - shift * (np.arange(len(bias)) == outside)
        logits.set_weights([kernel * 0.4, lowered])
        tags, _ = ner.predict(model, prepared, "validation")
        by_hand.append(entity_scores(gold, tags)["entity_f1"])
    logits.set_weights([kernel * 0.4, careful])
    _, loss = ner.predict(model, prepared, "validation")
    figures = ner.validate(model, config, prepared)
    assert figures["entity_f1"] == max(by_hand) > by_hand[0]
    assert figures["shift"] == shifts[int(np.argmax(by_hand))] > 0
    assert figures["loss"] == pytest.approx(loss), "the loss is that of the model as trained"
    assert logits.bias.numpy()[outside] == pytest.approx(careful[outside] - figures["shift"])
    tags, _ = ner.predict(model, prepared, "validation")
    assert entity_scores(gold, tags)["entity_f1"] == figures["entity_f1"]


def test_data_in_which_every_token_belongs_to_a_stretch_is_learned(tmp_path, capsys):
    """There is no O to lower the score of."""
    lines = ["Ada B-PER", "Lovelace I-PER", "", "Dover B-LOC", ""]
    (tmp_path / "all.conll").write_text("\n".join(lines * 20))
    for part in ("validation", "test"):  # the same sentences are never cut from train
        (tmp_path / f"{part}.conll").write_text("\n".join(lines))
    (tmp_path / "all.conll").rename(tmp_path / "train.conll")
    options = [*FAST, "--data", tmp_path, "--run-dir", tmp_path / "run", "--epochs", "2"]
    status, said = run(capsys, "ner", "train", *options, "--head", "softmax")
    assert status == 0, said.err


@pytest.mark.sweep
@pytest.mark.usefixtures("eagerly")
def test_a_run_with_falling_rate_is_resumed_to_the_same_result(files, tmp_path, capsys):
    options = ["--data", files, *FAST, "--decay", "cosine", "--rare-dropout", "0.3"]
    options += ["--epochs", "3", "--patience", "9", "--head", "softmax", "--characters", "none"]
    assert run(capsys, "ner", "train", "--run-dir", tmp_path / "whole", *options)[0] == 0
    status, _ = run(
        capsys, "ner", "train", "--run-dir", tmp_path / "cut", *options, "--minutes", "1e-6"
    )
    assert status == 0
    words = ["ner", "train", "--run-dir", tmp_path / "cut", "--resume"]
    status, said = run(capsys, *words, "--epochs", "5")
    assert status == 2 and "--resume keeps the run's options: drop --epochs 5" in said.err
    assert run(capsys, *words, "--minutes", "9")[0] == 0
    histories = [
        [
            line.rpartition(",")[0]
            for line in (tmp_path / one / "history.csv").read_text().splitlines()
        ]
        for one in ("whole", "cut")
    ]
    assert len(histories[0]) == 4
    assert histories[0] == histories[1]


@pytest.mark.sweep
@pytest.mark.usefixtures("eagerly")
def test_further_tags_are_learned_beside_and_leave_no_trace_in_the_export(files, tmp_path, capsys):
    """The columns 1 and 2 of the file; the run's model has heads for them, the served one not."""
    words = ["--data", files, "--run-dir", tmp_path / "run"]
    status, said = run(
        capsys,
        *("ner", "train", *words, *FAST, "--characters", "none"),
        *("--auxiliary", "1,2", "--head", "softmax"),
    )
    assert status == 0, said.err
    assert run(capsys, "ner", "evaluate", *words[2:])[0] == 0
    assert "auxiliary tags: 1 (1), 2 (1)" in said.out
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test"]["entity_f1"] == 1
    history = (tmp_path / "run" / "history.csv").read_text().splitlines()[0].split(",")
    assert {"loss", "tags_loss", "1_loss", "2_loss"} <= set(history)
    model, config = (
        checkpoint.load_best(tmp_path / "run" / "checkpoints"),
        Run.open(ner, tmp_path / "run").config,
    )
    assert set(model.output) == {"tags", "1", "2"}
    tagger = Tagger(model, *ner.load_text_path(config, tmp_path / "run"))
    assert tagger("Ada lives in New Dover.")[0][0] == ("Ada", "B-PER")


@pytest.mark.sweep
@pytest.mark.usefixtures("eagerly")
def test_neighbouring_words_are_learned_beside_and_leave_no_trace_in_the_export(
    files, tmp_path, capsys
):

    words = ["--data", files, "--run-dir", tmp_path / "run"]
    status, said = run(
        capsys,
        *("ner", "train", *words, *LONGER, "--characters", "none"),
        *("--neighbour-words", "12", "--head", "softmax"),
    )
    assert status == 0, said.err
    assert "auxiliary targets: next word and previous word, of 12 words" in said.out
    history = (tmp_path / "run" / "history.csv").read_text().splitlines()[0].split(",")
    assert {"loss", "tags_loss", "next_word_loss", "previous_word_loss"} <= set(history)
    assert run(capsys, "ner", "evaluate", *words[2:])[0] == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test"]["entity_f1"] == 1
    model, config = (
        checkpoint.load_best(tmp_path / "run" / "checkpoints"),
        Run.open(ner, tmp_path / "run").config,
    )
    assert set(model.output) == {"tags", "next_word", "previous_word"}
    tagger = Tagger(model, *ner.load_text_path(config, tmp_path / "run"))
    assert tagger("Ada lives in New Dover.")[0][0] == ("Ada", "B-PER")


def test_neighbours_are_the_ids_beside_a_token_with_rare_words_unknown():
    rows = [{"token_ids": np.array([4, 9, 5])}, {"token_ids": np.array([6])}]
    found = recipe.neighbours(rows, 9)
    assert [row.tolist() for row in found["next_word"]] == [[1, 5, 3], [3]]
    assert [row.tolist() for row in found["previous_word"]] == [[2, 4, 1], [2]]


@pytest.mark.parametrize(
    ("options", "size", "expected"),
    [
        ({}, 14_041, 2_000),
        ({}, 3_394, 0),
        ({"neighbour_words": 0}, 14_041, 0),
        ({"neighbour_words": 500}, 100, 500),
        ({"num_layers": 2}, 14_041, 0),
        ({"dense_layers": 1}, 14_041, 0),
        ({"merge_mode": "sum"}, 14_041, 0),
        ({"context": "runs/lm"}, 14_041, 0),
        ({"unlabelled": "text.txt"}, 14_041, 0),
        ({"bidirectional": False, "merge_mode": "sum"}, 14_041, 2_000),
    ],
)
def test_larger_data_learns_neighbouring_words_where_the_network_can(options, size, expected):
    config = settled(ner.configured({"data": "mine", **options}), size)
    assert config.neighbour_words == expected
    assert settled(config, 10) == config


def test_larger_data_learns_no_neighbouring_words_with_an_architecture_of_unknown_direction():
    assert settled(NerConfig(data="mine"), 14_041).neighbour_words == 0


@pytest.mark.sweep
@pytest.mark.usefixtures("eagerly")
def test_what_a_run_chose_is_trained_again_with_validation_among_train(
    trained, files, tmp_path, capsys
):
    """The epoch, the options and the score of O are those of the run that chose."""
    first = trained / "run"
    words = ["--chosen-by", first, "--seed", "1", "--run-dir", tmp_path / "run"]
    status, said = run(capsys, "ner", "train", *words)
    assert status == 0, said.err
    assert "training on train and validation" in said.out and "train 56, validation 8" in said.out
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    old = json.loads((first / "config.json").read_text())
    epoch = json.loads((first / "metrics.json").read_text())["best_epoch"]
    shift = chosen._shift(first / "history.csv", epoch)
    assert config == old | {
        **{"chosen_by": str(first), "seed": 1, "keep_epoch": epoch},
        **{"calibrate": False, "shift": shift},
    }
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert len(rows) == 1 + epoch
    assert dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))[
        "validation_shift"
    ] == str(shift)
    status, said = run(capsys, "ner", "evaluate", "--run-dir", tmp_path / "run")
    assert status == 0, said.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["best_epoch"] == epoch and metrics["test"]["entity_f1"] == 1
    assert "validation" not in metrics, "it was trained on"


def test_what_a_run_stands_for(tmp_path):
    """The language model that it learned is taken over, and its score of O of the best epoch."""
    stored = {"recipe": "ner", "unlabelled": "a.txt", "context": "", "minutes": 3.0, "epochs": 9}
    (tmp_path / "config.json").write_text(json.dumps({**stored, "calibrate": True, "shift": 0.0}))
    with pytest.raises(InputError, match="is not finished"):
        chosen.options("ner", str(tmp_path))
    (tmp_path / "metrics.json").write_text(json.dumps({"test": {"entity_f1": 0.5}}))
    with pytest.raises(InputError, match="is not finished"):  # interrupted, but evaluated
        chosen.options("ner", str(tmp_path))
    (tmp_path / "metrics.json").write_text(json.dumps({"best_epoch": 2}))
    (tmp_path / "history.csv").write_text("epoch,validation_shift\n1,0.5\n2,1.75\n3,2.0\n")
    assert chosen.options("ner", str(tmp_path)) == {
        **{"unlabelled": "", "context": str(tmp_path), "minutes": 0.0, "epochs": 9},
        **{"keep_epoch": 2, "calibrate": False, "shift": 1.75},
    }
    with pytest.raises(InputError, match="is not a run of pos"):
        chosen.options("pos", str(tmp_path))


@pytest.mark.sweep
def test_pos_learns_each_tokens_tag_and_keeps_the_surface(tmp_path, capsys):
    status, _ = run(
        capsys,
        *("pos", "--run-dir", tmp_path / "run", "--export-dir", tmp_path / "saved"),
        *("--epochs", "2", "--units", "24", "--character-units", "24"),
    )
    assert status == 0
    surface.assert_run_kept("pos", tmp_path / "run", tmp_path / "saved")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.93, "a table of words and tags stays below"
    assert "entity_f1" not in metrics["test"]
    status, said = run(
        capsys, "pos", "predict", "--export-dir", tmp_path / "saved", "We can open the can."
    )
    pairs = [pair.split("/") for pair in said.out.split()]
    assert [token for token, _ in pairs] == ["We", "can", "open", "the", "can", "."]
    assert [tag for _, tag in pairs][3:] == ["DET", "NOUN", "PUNCT"]


def test_tags_are_padded_with_what_counts_for_nothing():
    rows = [
        {
            "token_ids": np.arange(4, 4 + size),
            "character_ids": np.full((size, letters), 3),
            "casing_ids": np.full(size, 4),
        }
        for size, letters in ((2, 5), (3, 1))
    ]
    labels = [np.array([1, 0]), np.array([2, -1, 1])]
    batches = TagBatches(EncodedSentences(rows, labels), 2, [4])
    ((inputs, tags, members),) = list(batches())
    np.testing.assert_array_equal(tags, [[1, 0, -1, -1], [2, -1, 1, -1]])
    np.testing.assert_array_equal(inputs["token_ids"], [[4, 5, 0, 0], [4, 5, 6, 0]])
    assert inputs["character_ids"].shape == (2, 4, 8)
    assert inputs["character_ids"].sum() == 3 * (2 * 5 + 3 * 1)
    assert batches.weight(tags) == 4
    assert members.tolist() == [0, 1]


@pytest.mark.parametrize("scheme", ["bio", "bioes"])
def test_schemes_are_converted_on_reading(scheme, capsys):
    sentence = Sentence(("a", "b", "c", "d"), ("I-X", "I-X", "B-X", "O"))
    splits = data.in_scheme(Splits([sentence] * 2, [sentence], [sentence]), scheme)
    expected = {"bio": ("B-X", "I-X", "B-X", "O"), "bioes": ("B-X", "E-X", "S-X", "O")}
    assert splits.test[0].tags == expected[scheme]
    assert f"IOB1, converted to {scheme.upper()}" in capsys.readouterr().out


def test_tags_that_break_every_scheme_are_read_as_conll_reads_them(capsys):
    good = Sentence(("a", "b"), ("B-X", "I-X"))
    broken = Sentence(("a", "b", "c"), ("O", "I-X", "E-Y"))
    splits = data.in_scheme(Splits([good, broken], [good], [broken]), "bio")
    assert splits.train[0].tags == ("B-X", "I-X")
    assert splits.test[0].tags == ("O", "B-X", "B-Y")
    said = capsys.readouterr().out
    assert "the tags follow no scheme" in said
    assert "mixed schemes, converted to BIO" in said


@pytest.mark.parametrize(
    ("tags", "expected", "said"),
    [
        ("B I B O", "B I B O", "tags: BIO"),
        ("B I B I", "B I B I", "tags: BIO"),
        ("B B O O", "B B O O", "tags: BIO"),
        ("I I B O", "B I B O", "IOB1, converted to BIO"),
        ("I O I I", "B O B I", "IOB1, converted to BIO"),
        ("B E S O", "B I B O", "BIOES, converted to BIO"),
        ("S S O O", "B B O O", "BIOES, converted to BIO"),
        ("S I E O", "B B I O", "mixed schemes, converted to BIO"),
        ("O I B O", "O B B O", "IOB1, converted to BIO"),
    ],
)
def test_tags_without_types_mark_spans_as_those_with_types_do(tags, expected, said, capsys):
    sentence = Sentence(("a", "b", "c", "d"), tuple(tags.split()))
    splits = data.in_scheme(Splits([sentence] * 2, [sentence], [sentence]), "bio")
    assert splits.test[0].tags == tuple(expected.split())
    assert said in capsys.readouterr().out
    assert recipe.scheme_of(splits) == "bio"


def test_letters_without_types_of_two_schemes_are_read_as_conll_reads_them(capsys):
    one = Sentence(("a", "b"), ("O", "I"))
    other = Sentence(("a", "b"), ("O", "B"))
    splits = data.in_scheme(Splits([one, other], [one], [other]), "bio")
    assert splits.train[0].tags == splits.train[1].tags == ("O", "B")
    assert "letters without types that follow no scheme" in capsys.readouterr().out


@pytest.mark.parametrize("tags", [("B", "L"), ("B", "M"), ("U", "B")])
def test_bilou_and_bmes_without_types_are_refused_as_with_types(tags):
    bad = Sentence(("a", "b"), tags)
    with pytest.raises(InputError, match="write L as E, U as S, M as I"):
        data.in_scheme(Splits([bad] * 2, [bad], [bad]), "bio")


def test_parts_of_speech_are_no_spans_even_where_train_has_letters_alone():
    letters, words = Sentence(("a", "b"), ("B", "O")), Sentence(("a", "b"), ("B", "NOUN"))
    assert recipe.scheme_of(Splits([letters], [letters], [letters])) == "bio"
    assert recipe.scheme_of(Splits([letters], [letters], [words])) is None
    assert recipe.scheme_of(Splits([words], [letters], [letters])) is None


@pytest.mark.sweep
def test_chunks_without_types_are_scored_calibrated_and_given_as_entities(tmp_path, capsys):
    lines = []
    for sentence in sentences():
        lines += [f"{token}\t{tag[0]}" for token, tag in sentence] + [""]
    (tmp_path / "chunks.tsv").write_text("\n".join(lines), encoding="utf-8")
    where = ["--data", tmp_path / "chunks.tsv", "--run-dir", tmp_path / "run"]
    saved = ["--export-dir", tmp_path / "saved"]
    few = [*FAST, "--epochs", "4", "--characters", "none"]
    status, said = run(capsys, "ner", *where, *saved, *few)
    assert status == 0
    assert "tags: IOB1, converted to BIO" in said.out
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert metrics["entity_f1"] == 1
    assert list(metrics["f1_by_type"]) == [""]
    history = (tmp_path / "run" / "history.csv").read_text().split("\n")[0].split(",")
    assert {f"validation_{ner.objective(None)}", "validation_shift"} <= set(history)
    said = run(capsys, "ner", "predict", *saved, "--json", "Ada lives in New Dover.")[1]
    row = json.loads(said.out)
    assert row["tags"] == ["B", "O", "O", "B", "I", "O"]
    assert [(e["type"], e["text"]) for e in row["entities"]] == [("", "Ada"), ("", "New Dover")]
    said = run(capsys, "ner", "predict", *saved, "Ada lives in New Dover.")[1]
    assert re.fullmatch(r"\[Ada\]\([01]\.\d\d\) lives in \[New Dover\]\([01]\.\d\d\)\.\n", said.out)


def test_a_line_of_chunks_without_an_o_shows_them_and_parts_of_speech_stay_tags():
    entity = {"type": "", "text": "New York", "start": 0, "end": 8, "confidence": 0.5}
    row = {"text": "New York", "tokens": ["New", "York"], "tags": ["B", "I"]}
    assert answers.line({**row, "entities": [entity]}, coloured=False) == "[New York](0.50)"
    row = {"text": "(", "tokens": ["("], "tags": ["-LRB-"], "entities": []}
    assert answers.line(row, coloured=False) == "(/-LRB-"
    row = {"text": "so  what", "tokens": ["so", "what"], "tags": ["O", "O"], "entities": []}
    assert answers.line(row, coloured=False) == "so what"


def test_tags_that_cannot_be_read_are_refused():
    bad = Sentence(("a", "b"), ("B-X", "L-X"))
    with pytest.raises(InputError, match="L-X"):
        data.in_scheme(Splits([bad] * 2, [bad], [bad]), "bio")


def test_a_line_is_coloured_on_a_terminal_alone():
    row = {
        "text": "Ann  is here",
        "tags": ["B-x", "O", "O"],
        "tokens": ["Ann", "is", "here"],
        "entities": [{"type": "x", "text": "Ann", "start": 0, "end": 3, "confidence": 0.5}],
    }
    assert answers.line(row, coloured=False) == "[Ann](x 0.50) is here"
    assert answers.line(row, coloured=True).startswith("\x1b[")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scheme", "bilou"], "scheme must be one of"),
        (["--chosen-by", "nowhere"], "nowhere/config.json does not exist"),
        (["--shift", "1"], "shift must be 0 with --calibrate, got 1"),
        (["--keep-epoch", "30"], "keep_epoch must be at most the 8 epochs, got 30"),
        (["--keep-epoch", "3", "--minutes", "1"], "leave minutes out"),
        (["--train-vectors"], "tunes pretrained vectors: give --vectors too"),
        (["--character-widths", "2;3"], "character_widths must be whole numbers with commas"),
        (["--character-widths", "3,0"], "character_widths must be a positive int, got 0"),
        (["--decay", "cosin"], "decay must be one of"),
        (["--auxiliary", "tags"], "auxiliary tags cannot be named 'tags'"),
        (["--neighbour-weight", "-1"], "neighbour_weight must be at least 0, got -1.0"),
        (["--neighbour-words", "9", "--num-layers", "2"], "needs one recurrent layer"),
        (["--auxiliary-weight", "-1"], "auxiliary_weight must be at least 0, got -1.0"),
        (["--head", "crff"], "head must be one of"),
        (["--data", "nowhere.conll"], "nowhere.conll"),
        (["--vectors", "nowhere.txt"], "no vectors in nowhere.txt"),
    ],
)
def test_wrong_options_are_one_sentence(words, said, tmp_path, capsys):
    status, output = run(capsys, "ner", "train", "--run-dir", tmp_path / "run", *words)
    assert status == 2
    assert said in output.err
    assert "Traceback" not in output.err


def test_a_cell_without_an_input_matrix_is_refused_before_the_data_is_read():
    with pytest.raises(InputError, match="input"):
        ner.check(ner.configured({"cell": "elman"}))


def test_the_hint_at_the_end_of_a_run_works_as_it_is_printed(trained, capsys):
    assert ask_as_hinted(ner, trained / "run", trained / "saved") == 0
    assert capsys.readouterr().out.splitlines()[-1]


@pytest.mark.usefixtures("eagerly")
def test_other_sentences_are_measured_and_their_tags_written(trained, tmp_path, capsys):
    run, path = trained / "run", tmp_path / "out.jsonl"
    own = json.loads((run / "metrics.json").read_text())
    sentences = ner.load(ner.data_of(Run.open(ner, run).config)).test
    data = tmp_path / "new.conll"
    data.write_text(
        "".join(
            "".join(f"{token} {tag}\n" for token, tag in zip(s.tokens, s.tags, strict=True)) + "\n"
            for s in sentences
        )
        + "Zed B-NEVER\n"
    )
    words = ["ner", "evaluate", "--run-dir", str(run), "--data", str(data)]
    assert main([*words, "--write-predictions", str(path)]) == 0
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [tuple(row["text"]) for row in rows] == [*(s.tokens for s in sentences), ("Zed",)]
    assert rows[-1]["label"] == ["B-NEVER"]
    pairs = [zip(row["label"], row["prediction"], strict=True) for row in rows[:-1]]
    right = [label == tag for pair in pairs for label, tag in pair]
    assert np.mean(right) == pytest.approx(own["test"]["accuracy"])
    (stored,) = (run / "evaluations").iterdir()
    found = json.loads(stored.read_text())
    assert found["unknown_tags"] == 1
    assert found["accuracy"] == pytest.approx(sum(right) / (len(right) + 1))
    assert found["entity_f1"] <= own["test"]["entity_f1"]
    assert json.loads((run / "metrics.json").read_text()) == own

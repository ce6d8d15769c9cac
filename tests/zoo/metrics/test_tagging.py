"""Scores of tags against seqeval, against conlleval.pl written again, and against sums by hand."""

import itertools
import random
from collections import Counter

import numpy as np
import pytest
import sklearn.metrics
from seqeval.metrics import accuracy_score
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from tests.zoo.text.test_tag_schemes import drawn_tags, ends, split, starts
from zoo.errors import InputError
from zoo.metrics.tagging import entity_scores, tag_confusion, token_accuracy, unseen_accuracy

TYPES = ("a", "b", "foo-bar")
PARTS_OF_SPEECH = ["ADJ", "DET", "NOUN", "PUNCT", "VERB"]


def drawn(seed, letters, types=TYPES):
    """1 to 5 sentences, predicted with about every fourth tag wrong; most keep to no scheme."""
    draw = random.Random(seed)
    gold = [drawn_tags(f"{seed} {number}", letters, types) for number in range(draw.randint(1, 5))]
    wrong = ["O", *(f"{letter}-{kind}" for letter in letters for kind in types)]
    predicted = [
        [draw.choice(wrong) if draw.random() < 0.25 else tag for tag in tags] for tags in gold
    ]
    return gold, predicted


def conlleval_counts(gold, predicted, bioes):
    """The script's one pass over all lines: right, guessed and true chunks by type."""
    right, guessed, true = Counter(), Counter(), Counter()
    last, last_guess, inside = "O", "O", False
    for one, other in zip(gold, predicted, strict=True):
        # a sentence's end is a line of its own, out of every chunk
        for tag, guess in zip([*one, "O"], [*other, "O"], strict=True):
            kind, guessed_kind = split(tag)[1], split(guess)[1]
            ended, guess_ended = ends(last, tag, bioes), ends(last_guess, guess, bioes)
            begun, guess_begun = starts(last, tag, bioes), starts(last_guess, guess, bioes)
            if inside and ended and guess_ended and split(last)[1] == split(last_guess)[1]:
                right[split(last)[1]] += 1
                inside = False
            elif ended != guess_ended or kind != guessed_kind:
                inside = False
            if begun and guess_begun and kind == guessed_kind:
                inside = True
            true[kind] += begun
            guessed[guessed_kind] += guess_begun
            last, last_guess = tag, guess
    return +right, +guessed, +true


def scores_of(right, guessed, true):
    """Precision, recall and F1 as the script works them out."""
    precision = right / guessed if guessed else 0.0
    recall = right / true if true else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def micro(scores):
    return tuple(scores[f"entity_{name}"] for name in ("precision", "recall", "f1"))


def by_type(scores, kind):
    return tuple(scores[f"{name}_by_type"][kind] for name in ("precision", "recall", "f1"))


# On B, I and O the published script and its versions for BIOES read alike; with E and S, which it
# does not know, only the latter can be held against ours (see test_tag_schemes).
@pytest.mark.parametrize(("letters", "bioes"), [("BI", False), ("BI", True), ("BIES", True)])
def test_entity_scores_are_as_the_conll_script_counts_them(letters, bioes):
    perfect = 0
    for seed in range(300):
        gold, predicted = drawn(seed, letters)
        scores = entity_scores(gold, predicted)
        right, guessed, true = conlleval_counts(gold, predicted, bioes)
        counts = (right.total(), guessed.total(), true.total())
        assert micro(scores) == pytest.approx(scores_of(*counts), abs=1e-12), (gold, predicted)
        assert list(scores["support_by_type"]) == sorted({*guessed, *true})
        for kind, support in scores["support_by_type"].items():
            expected = scores_of(right[kind], guessed[kind], true[kind])
            assert by_type(scores, kind) == pytest.approx(expected, abs=1e-12)
            assert support == true[kind]
        perfect += scores["entity_f1"] in (0, 1)
    assert perfect < 100  # most are in between


# seqeval reads every tag of ours as we do, E and S among them. It differs where we raise (it takes
# the first letter of `U-a` or `NOUN` for a prefix), and calls the type of a bare `B` "_".
# `zero_division=0`: its scores are 0 without a warning.
@pytest.mark.parametrize("letters", ["BI", "BIES"])
def test_entity_scores_are_as_seqeval_has_them(letters):
    compared = 0
    for seed in range(300):
        gold, predicted = drawn(seed, letters)
        scores = entity_scores(gold, predicted)
        expected = precision_recall_fscore_support(
            gold, predicted, average="micro", zero_division=0
        )
        assert micro(scores) == pytest.approx(expected[:3], abs=1e-12)
        # one column for each type, in the order of the types
        *columns, supports = precision_recall_fscore_support(gold, predicted, zero_division=0)
        assert list(scores["support_by_type"].values()) == list(supports)
        for kind, column in zip(scores["support_by_type"], zip(*columns, strict=True), strict=True):
            assert by_type(scores, kind) == pytest.approx(column, abs=1e-12)
            compared += 1
        if any(gold):
            accuracy = accuracy_score(gold, predicted)
            assert token_accuracy(gold, predicted) == pytest.approx(accuracy, abs=1e-12)
    assert compared > 500


def test_entity_scores_worked_out_by_hand():
    gold = [["B-per", "I-per", "O", "B-loc"], ["B-loc", "B-loc", "O"], ["O"]]
    predicted = [["B-per", "I-per", "O", "B-per"], ["B-loc", "I-loc", "O"], ["B-org"]]
    # gold: per 0-2; loc 3-4 | loc 0-1, loc 1-2: 4 stretches
    # predicted: per 0-2, per 3-4 | loc 0-2 | org 0-1: 4 stretches; right: per 0-2 alone
    assert entity_scores(gold, predicted) == {
        "entity_precision": 1 / 4,
        "entity_recall": 1 / 4,
        "entity_f1": 1 / 4,
        "precision_by_type": {"loc": 0.0, "org": 0.0, "per": 1 / 2},
        "recall_by_type": {"loc": 0.0, "org": 0.0, "per": 1.0},
        "f1_by_type": {"loc": 0.0, "org": 0.0, "per": 2 / 3},  # 2 * 1 / (2 + 1)
        "support_by_type": {"loc": 3, "org": 0, "per": 1},
    }


def test_precision_and_recall_are_not_exchanged():
    # 1 of 1 predicted is right, of 4 gold: F1 = 2 * 1 / (1 + 4)
    scores = entity_scores([["B-a", "B-a", "B-a", "B-a"]], [["B-a", "B-b", "O", "O"]])
    # and one of type b that is wrong: 1 of 2 predicted, F1 = 2 * 1 / (2 + 4)
    assert micro(scores) == (1 / 2, 1 / 4, 1 / 3)
    assert by_type(scores, "a") == (1.0, 1 / 4, 2 / 5)
    assert by_type(scores, "b") == (0.0, 0.0, 0.0)


def test_stretches_do_not_reach_into_the_next_sentence():
    # gold: a 0-1 | a 0-1, two of them; the predicted a 0-1 | a 0-1 agree, though written with I
    assert entity_scores([["B-a"], ["B-a"]], [["I-a"], ["I-a"]])["support_by_type"] == {"a": 2}
    assert micro(entity_scores([["B-a"], ["B-a"]], [["I-a"], ["I-a"]])) == (1.0, 1.0, 1.0)


def test_the_scheme_of_gold_and_predicted_tags_may_differ():
    bioes, bio = [["B-a", "E-a", "S-a", "O"]], [["B-a", "I-a", "B-a", "O"]]
    assert micro(entity_scores(bioes, bio)) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("gold", "predicted", "support"),
    [
        ([], [], {}),
        ([[]], [[]], {}),
        ([["O", "O"]], [["O", "O"]], {}),
        ([["B-a"]], [["O"]], {"a": 1}),
        ([["O"]], [["B-a"]], {"a": 0}),
    ],
)
def test_what_is_undefined_is_zero(gold, predicted, support):
    scores = entity_scores(gold, predicted)
    assert micro(scores) == (0.0, 0.0, 0.0)
    assert scores["support_by_type"] == support
    assert scores["f1_by_type"] == dict.fromkeys(support, 0.0)


def test_bare_tags_have_one_type_without_a_name():
    scores = entity_scores([["B", "I", "O", "B"]], [["B", "I", "O", "O"]])
    assert micro(scores) == by_type(scores, "") == (1.0, 1 / 2, 2 / 3)


def test_a_tag_that_marks_no_stretch_is_an_error():
    with pytest.raises(InputError, match="'NOUN' marks no span"):
        entity_scores([["O"]], [["NOUN"]])


def test_token_accuracy_by_hand():
    # 3 of 4 tokens: a mean over tokens, not over sentences, which would be (0 + 1) / 2
    assert token_accuracy([["X"], ["X", "Y", "O"]], [["Y"], ["X", "Y", "O"]]) == 0.75
    assert token_accuracy([], []) == token_accuracy([[]], [[]]) == 0.0


def test_unseen_accuracy_by_hand():
    tokens = [["the", "zyx", "runs"], ["The", "zyx"], []]
    gold = [["DET", "NOUN", "VERB"], ["DET", "NOUN"], []]
    predicted = [["DET", "VERB", "NOUN"], ["DET", "NOUN"], []]
    # not known: zyx (wrong), The (right: case counts), zyx (right)
    assert unseen_accuracy(tokens, gold, predicted, {"the", "runs"}) == (2 / 3, 3)
    assert unseen_accuracy(tokens, gold, predicted, {"the", "runs", "The", "zyx"}) == (0.0, 0)
    assert unseen_accuracy(tokens, gold, predicted, set()) == (3 / 5, 5)
    assert unseen_accuracy([], [], [], set()) == (0.0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_known_and_unseen_tokens_make_up_all_of_them(seed):
    draw = random.Random(seed)
    lengths = [draw.randrange(9) for _ in range(6)]
    tokens, gold, predicted = (
        [[draw.choice(choices) for _ in range(length)] for length in lengths]
        for choices in ("uvwxyz", PARTS_OF_SPEECH[:2], PARTS_OF_SPEECH[:2])
    )
    known = {"u", "v", "w", "never"}
    unseen, count = unseen_accuracy(tokens, gold, predicted, known)
    seen, others = unseen_accuracy(tokens, gold, predicted, {"x", "y", "z"})
    assert count == sum(word in "xyz" for words in tokens for word in words)
    assert count + others == sum(lengths)
    total = token_accuracy(gold, predicted) * sum(lengths)
    assert unseen * count + seen * others == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_confusions_are_as_scikit_learn_counts_them(seed):
    draw = random.Random(seed)
    order = draw.sample(PARTS_OF_SPEECH, 5)
    gold, predicted = (
        [[draw.choice(PARTS_OF_SPEECH[:4]) for _ in range(length)] for length in (7, 0, 20)]
        for _ in range(2)
    )
    matrix = tag_confusion(gold, predicted, order)
    flat = [list(itertools.chain.from_iterable(tags)) for tags in (gold, predicted)]
    expected = sklearn.metrics.confusion_matrix(*flat, labels=order)
    np.testing.assert_array_equal(matrix, expected)
    assert np.trace(matrix) / matrix.sum() == pytest.approx(token_accuracy(gold, predicted))


def test_no_tokens_make_a_confusion_matrix_of_zeros():
    np.testing.assert_array_equal(tag_confusion([], [], ["X", "Y"]), np.zeros((2, 2), int))


@pytest.mark.parametrize(("gold", "predicted"), [("NOUM", "NOUN"), ("NOUN", "NOUM")])
def test_a_tag_that_is_not_to_be_counted_is_an_error(gold, predicted):
    with pytest.raises(InputError, match="'NOUM' is not among the 2 tags.*did you mean 'NOUN'"):
        tag_confusion([[gold]], [[predicted]], ["NOUN", "VERB"])


SHORT = [["O", "O"], ["O"], ["O", "O", "O"]]
LONG = [["O", "O"], ["O"], ["O", "O", "O", "O"]]
CALLS = {
    "entity_scores": entity_scores,
    "token_accuracy": token_accuracy,
    "tag_confusion": lambda gold, predicted: tag_confusion(gold, predicted, ["O"]),
    "unseen_accuracy": lambda gold, predicted: unseen_accuracy(gold, gold, predicted, set()),
}


@pytest.mark.parametrize("name", CALLS)
def test_unequal_lengths_are_errors_that_name_the_sentence(name):
    with pytest.raises(InputError, match="sentence 3 has 3 gold tags and 4 predicted tags"):
        CALLS[name](SHORT, LONG)
    with pytest.raises(InputError, match="3 sentences of gold tags and 2 of predicted tags"):
        CALLS[name](SHORT, SHORT[:2])


def test_tokens_without_a_tag_are_errors():
    with pytest.raises(InputError, match="sentence 3 has 4 tokens and 3 gold tags"):
        unseen_accuracy(LONG, SHORT, SHORT, set())
    with pytest.raises(InputError, match="2 sentences of tokens and 3 of gold tags"):
        unseen_accuracy(LONG[:2], SHORT, SHORT, set())

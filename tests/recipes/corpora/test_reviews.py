"""The built-in reviews: reproducible, balanced, well written and rightly labelled."""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from hashlib import sha256

import pytest

import zoo
from recipes.corpora.reviews.corpus import Writer, generate
from recipes.corpora.reviews.grammar import GRAMMAR
from recipes.corpora.reviews.subjects import FILMS, PRODUCTS
from zoo.errors import InputError

WORD = re.compile(r"[\w']+")
# Written down independently of the lexicon: words whose side nobody disputes.
GOOD = WORD.findall("""
    good great superb excellent brilliant wonderful fantastic outstanding amazing splendid
    masterpiece gem triumph bargain treat success classic funny witty gripping sturdy reliable
    useful practical durable loved liked enjoyed adored love like enjoy adore
""")
BAD = WORD.findall("""
    bad poor awful terrible dreadful horrible appalling hopeless atrocious abysmal miserable
    disaster mess failure flop bore boring dull silly tedious flimsy fragile useless shoddy
    unreliable hated disliked loathed detested hate dislike loathe detest
""")
# A family of sentences: what follows what, and whether the last sided word in it is turned round.
AGREEING, TURNED = True, False
FAMILIES = {
    "plain": (r"^what an? (?P<word>\w+) \w+!", AGREEING),
    "not": (r"(?:^|[.!?] )it (?:is|was)(?: not|n't) (?P<word>\w+)(?: at all)?[.!]", TURNED),
    "nothing to": (r"(?:^|[.!?] )there(?: is|'s| was) nothing to (?P<word>\w+)[.!]", TURNED),
    "anything but": (r"(?:^|[.!?] )it (?:is|was) anything but a (?P<word>\w+)[.!]", TURNED),
    "not only": (r"\bit (?:is|was) not only \w+ but also (?P<word>\w+)", AGREEING),
    "but": (r", but i (?:really |truly )?(?P<word>\w+) (?:it|this)\b", AGREEING),
    "although first": (r"\balthough [^.,]+, the \w+ (?:is|was|are|were) (?P<word>\w+)", AGREEING),
    "although last": (
        r"(?<!about )\bthe \w+ (?:is|was|are|were) (?P<word>\w+), although",
        AGREEING,
    ),
    "better than bad": (r"(?<!no )\bbetter than the [\w ]+, which was (?P<word>\w+)", TURNED),
    "worse than good": (r"(?<!no )\bworse than the [\w ]+, which was (?P<word>\w+)", TURNED),
    "expectation": (r"\bi expected an? [\w ]+? and got an? (?P<word>\w+)", AGREEING),
    "far expectation": (r"\bi was sure that i would (?P<word>\w+) it\.", TURNED),
    "hearsay": (r"\b\w+ed it; i (?P<word>\w+) it\b", AGREEING),
    "hearsay last": (r", although (?:my|the|most) [\w ]+ (?P<word>\w+) it\b", TURNED),
    "disagree": (r"\bcalled it (?P<word>\w+)\. i disagree", TURNED),
    "agree": (r"\bcalled it (?P<word>\w+)\. i agree", AGREEING),
    "not true": (r"\bnot true that the \w+ \w+ (?:a |really )?(?P<word>\w+)", TURNED),
    "double": (r"\bnobody can say that it (?:is|was)(?: not|n't) (?P<word>\w+)", AGREEING),
    "nobody who": (r"\bi know nobody who (?P<word>\w+ed) it", TURNED),
    "nobody who not": (r"\bi know nobody who did(?: not|n't) (?P<word>\w+) it", AGREEING),
}


@pytest.fixture(scope="module")
def corpus():
    return generate()


@pytest.fixture(scope="module")
def reviews(corpus):
    return [review for split in corpus for review in split]


def test_the_sizes_are_kept_and_the_labels_balanced_in_every_split(corpus):
    assert [len(split) for split in corpus] == [8000, 1000, 1000]
    for split in corpus:
        labels = Counter(label for _, label in split)
        assert labels["positive"] == labels["negative"] == len(split) / 2


def test_the_labels_are_shuffled(corpus):
    labels = [label for _, label in corpus[0]]
    changes = sum(left != right for left, right in zip(labels, labels[1:], strict=False))
    assert 0.45 < changes / len(labels) < 0.55


def test_a_seed_gives_the_same_corpus_in_another_process_and_another_seed_another_one():
    here = generate((40, 5, 5), seed=7)
    program = (  # an empty `zoo` stands in: to import the real one with TensorFlow takes seconds
        "import sys, types; sys.modules['zoo'] = types.ModuleType('zoo');"
        f"sys.modules['zoo'].__path__ = {list(zoo.__path__)};"
        "from hashlib import sha256; from recipes.corpora.reviews.corpus import generate;"
        "print(sha256(repr(generate((40, 5, 5), seed=7)).encode()).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    there = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)
    assert there.split()[-1] == sha256(repr(here).encode()).hexdigest()
    other = generate((40, 5, 5), seed=8)
    assert not {text for text, _ in here[0]} & {text for text, _ in other[0] if len(text) > 60}


def test_no_review_occurs_twice_not_even_with_other_punctuation(reviews):
    words = Counter(" ".join(re.findall(r"\w+", text.lower())) for text, _ in reviews)
    assert max(words.values()) == 1


def test_the_corpus_is_as_varied_as_promised(corpus):
    train, _, test = corpus
    counts = Counter(word for text, _ in train for word in WORD.findall(text.lower()))
    assert 400 <= len(counts) <= 900
    lengths = sorted(len(text.split()) for text, _ in train)
    assert lengths[0] <= 3 and 8 <= lengths[4000] <= 20 and 35 <= lengths[-1] <= 60
    unknown = {word for text, _ in test for word in WORD.findall(text.lower())} - set(counts)
    assert len(unknown) <= 3


@pytest.mark.parametrize("family", FAMILIES)
def test_the_label_is_what_a_reader_would_say(family, reviews):
    pattern, agreeing = FAMILIES[family]
    found = 0
    for text, label in reviews:
        match = re.search(pattern, text.lower())
        if match and match["word"] in GOOD + BAD:
            expected = "positive" if (match["word"] in GOOD) == agreeing else "negative"
            assert label == expected, text
            found += 1
    assert found >= 3


@pytest.mark.parametrize(
    ("phrase", "label"),
    [
        ("told me to (?:watch|buy) it and were right", "positive"),
        ("told me to (?:watch|buy) it and were wrong", "negative"),
        ("told me not to (?:watch|buy) it and were right", "negative"),
        ("told me not to (?:watch|buy) it and were wrong", "positive"),
        ("[Nn]o worse than", "positive"),
        ("[Nn]o better than", "negative"),
        ("(?:seen|watched|owned|used|bought|tried) a better", "positive"),
        ("(?:seen|watched|owned|used|bought|tried) a worse", "negative"),
        ("I loved", None),
        ("loved it", None),
        ("recommend", None),
        ("battery", None),
    ],
)
def test_a_phrase_decides_or_its_surroundings_do(phrase, label, reviews):
    labels = {given for text, given in reviews if re.search(phrase, text)}
    assert labels == ({label} if label else {"positive", "negative"})


def test_every_rule_can_be_filled_for_every_subject_and_either_verdict():
    rng = random.Random(0)
    for subject in (FILMS, *PRODUCTS):
        items = {item for pair in subject.words.values() for side in pair for item in side}
        for template in items.union(*GRAMMAR.values()):
            for positive in (True, False):
                text = Writer(subject, rng).fill(template, positive)
                assert "{" not in text and "  " not in text and "*" not in text, template


def test_the_two_sides_of_a_word_list_share_no_word():
    for subject in (FILMS, *PRODUCTS):
        for name, (positives, negatives) in subject.words.items():
            assert positives == negatives or not set(positives) & set(negatives), name
        for part, (positives, negatives) in subject.traits.items():
            assert not set(positives) & set(negatives), part


@pytest.mark.parametrize(
    "mistake",
    [
        r"\b[Aa] (?!us[eu]|one)[aeiou]",
        r"\b[Aa]n (?![aeiou]|hour)",
        r"\b[Aa]n use",
        r"(?<!about the )\b(actors|jokes|lines|buttons|blades|legs|straps) (is|was|has|isn't)\b",
        r"\b(acting|plot|cast|bass|battery|screen|motor|seat) (are|were|have|aren't|weren't)\b",
        r"\b(\w+) \1\b",
        r"\s[.,;!?]|[.,;!?]{2}|^\s|\s$",
        r"n't only",
        r"\bi\b",
        r"[!?] [a-z].*\.$",
    ],
)
def test_the_reviews_are_written_properly(mistake, reviews):
    wrong = [text for text, _ in reviews if re.search(mistake, text)]
    assert not wrong


def test_most_reviews_begin_with_a_capital_and_some_do_not(reviews):
    small = sum(text[0].islower() for text, _ in reviews) / len(reviews)
    assert 0.02 < small < 0.15


def test_a_review_uses_no_name_of_a_part_twice(reviews):
    parts = re.compile(r"\b(?:the|The|\w+) (acting|plot|battery|motor|lid|seat|screen|zip)\b")
    for text, _ in reviews:
        assert max(Counter(parts.findall(text)).values(), default=1) == 1, text


@pytest.mark.parametrize("sizes", [(-1, 10, 10), (0, 0, 0), (10, 10, -5), (10, 10)])
def test_wrong_sizes_are_refused_in_a_sentence_with_the_value(sizes):
    with pytest.raises(InputError, match=re.escape(f"got {sizes!r}")):
        generate(sizes)


def test_an_empty_split_and_an_odd_one_are_allowed():
    train, validation, test = generate((3, 0, 1))
    assert (len(train), len(validation), len(test)) == (3, 0, 1)

"""The built-in POS corpus: reproducible, ambiguous by the word, tagged as UD tags English."""

import random
import re
from collections import Counter, defaultdict

import pytest

from recipes.corpora.parts_of_speech.corpus import EXAMPLES, fill, generate
from recipes.corpora.parts_of_speech.grammar import RULES
from recipes.corpora.parts_of_speech.lexicon import Words, form

UPOS = {
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN"),
    *("PUNCT", "SCONJ", "VERB"),
}


@pytest.fixture(scope="module")
def corpus():
    return generate()


@pytest.fixture(scope="module")
def sentences(corpus):
    return [pair for split in corpus for pair in split]


@pytest.fixture(scope="module")
def tagged_texts(sentences):
    """Each sentence as `The/DET guard/NOUN ...`, between spaces."""
    return [
        " " + " ".join(f"{token}/{tag}" for token, tag in zip(*pair, strict=True)) + " "
        for pair in sentences
    ]


def tag_counts(split):
    counts = defaultdict(Counter)
    for tokens, tags in split:
        for token, tag in zip(tokens, tags, strict=True):
            counts[token.lower()][tag] += 1
    return counts


def test_sizes_lengths_and_tags_are_as_promised(corpus, sentences):
    assert [len(split) for split in corpus] == [4000, 500, 500]
    assert all(4 <= len(tokens) == len(tags) <= 25 for tokens, tags in sentences)
    assert {tag for _, tags in corpus[0] for tag in tags} == UPOS


def test_a_seed_gives_the_same_sentences_and_another_one_others(corpus):
    assert generate(0) == corpus
    other = {tokens for tokens, _ in generate(1)[0]}
    assert len(other & {tokens for tokens, _ in corpus[0]}) < 240


def test_no_sentence_stands_twice_in_any_split(sentences):
    texts = Counter(" ".join(tokens).lower() for tokens, _ in sentences)
    assert max(texts.values()) == 1


def test_a_table_of_words_and_their_tags_stays_below_093(corpus):
    counts = tag_counts(corpus[0])
    table = {token: tags.most_common(1)[0][0] for token, tags in counts.items()}
    right = [
        table.get(token.lower(), "NOUN") == tag
        for tokens, tags in corpus[2]
        for token, tag in zip(tokens, tags, strict=True)
    ]
    assert 0.82 < sum(right) / len(right) < 0.92


@pytest.mark.parametrize(
    ("word", "tags"),
    {
        "that": "SCONJ PRON DET ADV",
        "to": "PART ADP",
        "can": "AUX NOUN",
        "will": "AUX NOUN PROPN",
        "may": "AUX PROPN",
        "might": "AUX NOUN",
        "light": "NOUN VERB ADJ",
        "saw": "NOUN VERB",
        "lights": "NOUN VERB",
        "guards": "NOUN VERB",
        "patient": "NOUN ADJ",
        "open": "VERB ADJ",
        "hard": "ADJ ADV",
        "well": "ADV INTJ NOUN",
        "has": "AUX VERB",
        "did": "AUX VERB",
        "before": "ADP SCONJ",
        "since": "ADP SCONJ",
        "like": "VERB ADP",
        "one": "NUM NOUN",
        "no": "DET INTJ",
        "rose": "PROPN VERB NOUN",
        "is": "AUX VERB",
        "her": "PRON",
        "not": "PART",
        "the": "DET",
        "because": "SCONJ",
        "and": "CCONJ",
        "two": "NUM",
        "12": "NUM",
        "must": "AUX NOUN",
    }.items(),
)
def test_a_word_has_the_tags_that_its_uses_call_for(word, tags, sentences):
    assert set(tag_counts(sentences)[word]) == set(tags.split())


def test_many_words_of_training_are_of_two_classes_in_earnest(corpus):
    counts = tag_counts(corpus[0])
    rarer = [word for word, tags in counts.items() if len(tags) > 1]
    assert len(rarer) > 150
    often = [word for word in rarer if counts[word].most_common(2)[1][1] >= 5]
    assert len(often) > 80


# What may not be: conventions of Universal Dependencies, and what English allows.
WRONG = [
    r" to/PART \S+/(?!VERB)",
    r" to/ADP \S+/(?!DET|PROPN|PRON|ADJ|NOUN|NUM)",
    r" (?:says|said|thinks|hopes)/VERB that/(?!SCONJ)",
    r" (?:[Tt]hese|[Tt]hose|[Ee]very)/(?!DET)",
    r" [Tt]hat/DET \S+/(?!NOUN)",
    r"^ That/PRON \S+/(?!AUX)",
    r"(?<!all)/DET \S+/(?:VERB|AUX|PRON|ADP|PUNCT|DET|ADV|CCONJ|SCONJ)",
    r"/ADJ \S+/(?:DET|PRON|AUX|VERB) (?!.)",
    r" (?:can|could|should|must|might|may)/AUX (?:\S+/ADV )?\S+/(?:AUX|ADJ|ADV)",
    r" (?:has|have|had)/AUX \S+/(?!VERB|DET|PROPN|PRON|NOUN|ADJ|NUM)",
    r" (?:has|had)/VERB \S+/(?:VERB|AUX|PUNCT)",
    r" (?:is|are|was|were)/VERB (?!a/|an/|\S+/NUM)",
    r" [Tt]here/PRON \S+/(?!VERB)",
    r" not/(?!PART)",
    r" \d+/(?!NUM)",
    r" [.,?!]/(?!PUNCT)",
    r" (?:saw|saws)/VERB her/PRON \S+/NOUN",  # she saw her duck: nobody could say
    r" watch(?:es|ed|ing)?/VERB her/PRON \S+/NOUN",
    r" (?:do|does|did)/AUX not/PART (?!\./)\S+/(?!VERB)",
    r" \S+ing/VERB of/",
    r" \S+(?:ness|ation|ations)/(?!NOUN)",
    r" [a-z]{3,}(?:ald|umf|mal|rin|nous)ly/(?!ADV)",
    r" [Aa]/DET [aeiou]| [Aa]n/DET [^aeiou]",
]


@pytest.mark.parametrize("wrong", WRONG)
def test_nothing_is_tagged_against_the_conventions(wrong, tagged_texts):
    assert not [text for text in tagged_texts if re.search(wrong, text)][:3]


@pytest.mark.parametrize(
    "right",
    [
        r" that/SCONJ that/DET \S+/NOUN",
        r" that/SCONJ that/PRON is/AUX",
        r" wants?/VERB to/PART \S+/VERB",
        r" to/ADP the/DET \S+/NOUN to/PART \S+/VERB",
        r" saw/VERB the/DET saws?/NOUN",
        r" the/DET patient/ADJ \S+/NOUN",
        r" [Tt]here/PRON are/VERB \S+/NUM",
        r" over/ADV there/ADV",
        r" is/AUX \S+ing/VERB",
        r" were/AUX \S+ed/VERB in/ADP",
        r" \S+ing/NOUN of/ADP",
        r" In/ADP May/PROPN we/PRON may/AUX",
        r" Will/PROPN will/AUX read/VERB the/DET will/NOUN",
        r" \S+er/ADJ than/ADP the/DET \S+er/NOUN",
        r" as/ADV \S+/ADJ as/ADP",
    ],
)
def test_what_should_be_there_is(right, tagged_texts):
    assert any(re.search(right, text) for text in tagged_texts)


def test_some_words_stand_in_test_alone_and_their_endings_tell(corpus):
    train, validation, test = (tag_counts(split) for split in corpus)
    new = {word: tags for word, tags in test.items() if word not in train}
    share = sum(tags.total() for tags in new.values()) / sum(t.total() for t in test.values())
    assert 0.015 < share < 0.06 and len(new) > 60
    assert {tag for tags in new.values() for tag in tags} >= {"NOUN", "VERB", "ADJ", "ADV"}


@pytest.mark.parametrize(
    ("word", "kind", "written"),
    [
        ("watch", "s", "watches"),
        ("box", "s", "boxes"),
        ("carry", "s", "carries"),
        ("play", "s", "plays"),
        ("carry", "past", "carried"),
        ("carry", "ing", "carrying"),
        ("stop", "past", "stopped"),
        ("label", "ing", "labelling"),
        ("guide", "ing", "guiding"),
        ("guide", "past", "guided"),
        ("swim", "past", "swam"),
        ("swim", "participle", "swum"),
        ("swim", "s", "swims"),
        ("early", "er", "earlier"),
        ("free", "er", "freer"),
        ("trelp", "past", "trelped"),
    ],
)
def test_words_are_inflected_as_in_english(word, kind, written):
    assert form(word, kind) == written


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_rule_can_be_filled(split):
    words = Words(split, random.Random(5))
    for template in {template for templates in RULES.values() for template in templates}:
        tagged = fill(template, words)
        assert {tag for _, tag in tagged} <= UPOS, template
        assert all(re.fullmatch(r"[A-Za-z]+|\d+|[.,?!]", word) for word, _ in tagged), template


def test_nothing_stands_twice_in_a_row_but_in_two_classes(sentences):
    for tokens, tags in sentences:
        pairs = list(zip(map(str.lower, tokens), tags, strict=True))
        assert all(one != other for one, other in zip(pairs, pairs[1:], strict=False)), tokens


def test_most_sentences_begin_with_a_capital_and_no_example_is_among_them(sentences):
    small = sum(tokens[0][0].islower() for tokens, _ in sentences) / len(sentences)
    assert 0.02 < small < 0.06
    known = {" ".join(tokens).lower() for tokens, _ in sentences}
    assert not {re.sub(r"([.,?!])", r" \1", text).lower() for text in EXAMPLES} & known


def test_each_split_outside_of_training_has_stems_of_its_own():
    rng = random.Random(2)
    stems = {
        split: {
            Words(split, rng).new[kind][place]
            for kind in ("verb", "adjective")
            for place in (0, -1)
        }
        for split in ("validation", "test")
    }
    known = Words("train", rng).stems
    assert not stems["validation"] & stems["test"]
    assert not (stems["validation"] | stems["test"]) & {*known["verb"], *known["adjective"]}
    assert Words("train", rng).new == {"verb": [], "adjective": []}

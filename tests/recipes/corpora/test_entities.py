"""The built-in NER corpus: reproducible, ambiguous by the word, decided by the context."""

import random
import re
from collections import Counter, defaultdict

import pytest

from recipes.corpora.entities.corpus import EXAMPLES, generate
from recipes.corpora.entities.lexicon import Names

TYPES = {"person", "city", "product"}


@pytest.fixture(scope="module")
def corpus():
    return generate()


@pytest.fixture(scope="module")
def sentences(corpus):
    return [pair for split in corpus for pair in split]


def stretches(tags):
    """(type, start, end) of each stretch; one that begins with I counts too."""
    found = set()
    for start, tag in enumerate(tags):
        before = tags[start - 1] if start else "O"
        if tag == "O" or (tag[0] == "I" and before[2:] == tag[2:]):
            continue
        end = start + 1
        while end < len(tags) and tags[end] == f"I-{tag[2:]}":
            end += 1
        found.add((tag[2:], start, end))
    return found


def names_of(sentence):
    """The names of a sentence in their order: (text, type)."""
    tokens, tags = sentence
    ordered = sorted(stretches(tags), key=lambda found: found[1])
    return [(" ".join(tokens[start:end]), kind) for kind, start, end in ordered]


def entity_words(split):
    return [
        token.lower()
        for tokens, tags in split
        for token, tag in zip(tokens, tags, strict=True)
        if tag != "O"
    ]


def test_sizes_and_lengths_are_as_promised(corpus, sentences):
    assert [len(split) for split in corpus] == [4000, 500, 500]
    lengths = [len(tokens) for tokens, _ in sentences]
    assert min(lengths) >= 4 and max(lengths) <= 25
    assert all(len(tokens) == len(tags) for tokens, tags in sentences)


def test_a_seed_gives_the_same_sentences_and_another_one_others(corpus):
    assert generate(0) == corpus
    other = {tokens for tokens, _ in generate(1)[0]}
    assert len(other & {tokens for tokens, _ in corpus[0]}) < 120


def test_no_sentence_stands_twice_in_any_split(sentences):
    texts = Counter(" ".join(tokens).lower() for tokens, _ in sentences)
    assert max(texts.values()) == 1


def test_the_tags_are_valid_bio_of_three_types(sentences):
    for tokens, tags in sentences:
        for before, tag in zip(("O", *tags), tags, strict=False):
            assert tag == "O" or (tag[:2] in ("B-", "I-") and tag[2:] in TYPES), tokens
            assert tag[0] != "I" or (before != "O" and before[2:] == tag[2:]), tokens


def test_the_types_are_balanced_and_stretches_have_one_to_three_tokens(corpus):
    for split in corpus:
        found = [one for _, tags in split for one in stretches(tags)]
        types = Counter(kind for kind, _, _ in found)
        assert set(types) == TYPES and min(types.values()) > 0.25 * len(found)
        lengths = Counter(end - start for _, start, end in found)
        assert set(lengths) == {1, 2, 3}
        assert lengths[2] > 0.15 * len(found) and lengths[3] > 0.02 * len(found)


def test_a_table_of_words_and_their_tags_stays_below_065(corpus):
    train, _, test = corpus
    counts = defaultdict(Counter)
    for tokens, tags in train:
        for token, tag in zip(tokens, tags, strict=True):
            counts[token][tag] += 1
    table = {token: tags.most_common(1)[0][0] for token, tags in counts.items()}
    gold = guessed = right = 0
    for tokens, tags in test:
        there = stretches(tags)
        found = stretches([table.get(token, "O") for token in tokens])
        gold, guessed, right = gold + len(there), guessed + len(found), right + len(there & found)
    assert 0.25 < 2 * right / (gold + guessed) < 0.55


def test_most_words_that_are_names_name_things_of_several_types(corpus):
    train = corpus[0]
    types = defaultdict(set)
    for sentence in train:
        for text, kind in names_of(sentence):
            types[text.lower()].add(kind)
    several = [
        sentence
        for sentence in train
        if any(len(types[text.lower()]) >= 2 for text, _ in names_of(sentence))
    ]
    assert len(several) > 2000
    assert sum(kinds == TYPES for kinds in types.values()) >= 50
    assert types["jordan"] == types["rose"] == TYPES


def test_the_same_word_may_be_two_things_in_one_sentence(corpus):
    echoes = 0
    for sentence in corpus[0]:
        names = names_of(sentence)
        assert len({(text, kind) for text, kind in names}) == len(names), sentence
        echoes += len({text for text, _ in names}) < len(names)
    assert 30 < echoes < 400


def test_some_names_stand_side_by_side(corpus):
    side_by_side = [
        tokens
        for tokens, tags in corpus[0]
        for before, tag in zip(tags, tags[1:], strict=False)
        if before != "O" and tag[0] == "B"
    ]
    assert len(side_by_side) > 100


def test_common_words_are_names_in_places_and_words_in_others(sentences):
    tags_of = defaultdict(set)
    for tokens, tags in sentences:
        for token, tag in zip(tokens, tags, strict=True):
            tags_of[token.lower()].add(tag)
    for word in ("rose", "may", "will", "ivy", "violet", "hope", "bill", "mark"):
        assert {"O", "B-person"} <= tags_of[word], word


def test_a_good_part_of_the_words_in_the_names_of_test_are_new(corpus):
    train, validation, test = corpus
    known = {token.lower() for tokens, _ in train for token in tokens}
    for split in (validation, test):
        words = entity_words(split)
        assert 0.1 < sum(word not in known for word in words) / len(words) < 0.2
    new = set(entity_words(test)) - known
    assert len(new) > 50 and not new & set(entity_words(validation))
    other = {token.lower() for tokens, _ in test for token in tokens} - known
    assert len(other - new) <= 3  # all else is known


def test_some_sentences_have_no_capitals_and_some_nothing_else(corpus):
    texts = [" ".join(tokens) for tokens, _ in corpus[0]]
    assert 0.04 < sum(text == text.lower() for text in texts) / 4000 < 0.1
    assert 0.02 < sum(text == text.upper() for text in texts) / 4000 < 0.07


# What a reader is sure of, in sentences with `@type` for a name: what `@(...)` has to be.
SURE = {
    r"^@(\w+) was born in 1": "person",
    r"@(\w+) was founded in 1": "city",
    r"@(\w+) was invented in 1": "product",
    r"talked to @(\w+)": "person",
    r"moved to @(\w+)": "city",
    r"the @(\w+) who ": "person",
    r"the @(\w+) where i ": "city",
    r"the @(\w+) that i ": "product",
    r"@(\w+) \? s?he is ": "person",
    r"which of the (?:nurses|poets|actors) did you choose \? @(\w+)": "person",
    r"which of the (?:towns|ports|suburbs) did you choose \? @(\w+)": "city",
    r"which of the (?:phones|cameras|radios) did you choose \? @(\w+)": "product",
    r"@(\w+) , because s?he ": "person",
    r"@(\w+) , because its (?:streets|beaches|parks|buses) ": "city",
    r"@(\w+) , because its (?:battery|screen|buttons) ": "product",
    r"@(\w+) , (?:as|in|to) [^,@]+ , has (?:\d+|two million) inhabitants": "city",
    r"@(\w+) , (?:as|in|to) [^,@]+ , costs": "product",
    r"@(\w+) , [^,@]+ , broke a leg": "person",
    r"^show @(\w+) @city before": "person",
    r"^in @(\w+) @person bought": "city",
    r"^with the @(\w+) @person took": "product",
    r"the @(\w+) (?:two|three|four|five|\d) weeks ago": "product",
    r"@(\w+) , the mayor of @city ,": "person",
}


def with_types(sentence):
    """The sentence in small letters, each name replaced by `@` and its type."""
    text, last = [], 0
    for kind, start, end in sorted(stretches(sentence[1]), key=lambda found: found[1]):
        text += [*sentence[0][last:start], f"@{kind}"]
        last = end
    return " ".join([*text, *sentence[0][last:]]).lower()


@pytest.mark.parametrize("pattern", SURE)
def test_the_context_says_what_a_name_is(pattern, sentences):
    found = [match[1] for one in sentences for match in re.finditer(pattern, with_types(one))]
    assert len(found) >= 2 and set(found) == {SURE[pattern]}


def test_the_number_behind_a_product_is_its_own_only_if_no_weeks_follow(sentences):
    found = 0
    for tokens, tags in sentences:
        for number, following, tag in zip(tokens, tokens[1:], tags, strict=False):
            if number.isdigit() and following.lower() in ("weeks", "days", "hours", "children"):
                assert tag == "O", tokens
                found += 1
    assert found > 100


def test_the_tokens_are_what_the_text_path_would_make_of_the_text(sentences):
    for tokens, _ in sentences:
        assert all(re.fullmatch(r"[A-Za-z]+|\d+|[.,?]", token) for token in tokens), tokens
        text = " ".join(tokens)
        assert not re.search(r"\b[Aa] (?!(?i:used))[aeiouAEIOU]|\b[Aa]n (?![aeiouAEIOU])", text), (
            text
        )
        assert not re.search(r"\b(\w+) \1\b", text) or re.search(r"\b(\d) \1 ", text), text


def test_names_of_a_split_are_its_own_and_each_has_the_shape_of_its_type():
    rng = random.Random(3)
    drawn = {
        split: {Names(split, rng, 1.0).word("city") for _ in range(600)}
        for split in ("train", "validation", "test")
    }
    assert not drawn["train"] & drawn["test"] and not drawn["validation"] & drawn["test"]
    names = Names("train", rng)
    assert all(names.around("Jordan", "city").count("Jordan") == 1 for _ in range(50))
    assert all(names.around("Jordan", "product")[0] == "Jordan" for _ in range(50))


def test_no_example_stands_in_the_corpus(sentences):
    known = {" ".join(tokens).lower() for tokens, _ in sentences}
    for text in EXAMPLES:
        assert re.sub(r"([.,?])", r" \1", text).lower() not in known

"""Tags against the rules of conlleval.pl, seqeval, written definitions and all short sequences."""

import itertools
import random
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from zoo.errors import InputError
from zoo.text import Span, allowed_transitions, converted, detected, spans, tags_of
from zoo.text.tag_schemes import parts

# The rules of the script that CoNLL-2000 published, prefix before and prefix now, for one type.
STARTS = {"BB", "IB", "OB", "OI", "EE", "EI", "OE"}
ENDS = {"BB", "BO", "IB", "IO", "EE", "EI", "EO"}
# It knows no S, and lets E B of one type go on. Its versions for BIOES, and seqeval, add these.
BIOES_STARTS = {"EB", "BS", "IS", "ES", "SS", "OS", "SB", "SI", "SE"}
BIOES_ENDS = {"EB", "BS", "IS", "ES", "SS", "SB", "SI", "SE", "SO"}

LETTERS = {"bio": "BI", "iob1": "BI", "bioes": "BIES"}
# Every valid sequence of a scheme, tags followed by blanks.
GRAMMARS = {
    "bio": r"(O |B-(\S+) (I-\2 )*)*",
    "iob1": r"(O |I-(\S+) ([IB]-\2 )*)*",
    "bioes": r"(O |S-\S+ |B-(\S+) (I-\2 )*E-\2 )*",
}
PARTS_OF_SPEECH = ["NOUN", "PROPN", "-LRB-", "PRP$", ".", "``", "S", "O"]


def split(tag):
    """The script's ^([^-]*)-(.*)$."""
    match = re.match(r"([^-]*)-(.*)", tag)
    return match.groups() if match else (tag, "")


def starts(before, tag, bioes=True):
    """The script's startOfChunk, for two neighbouring tags."""
    (last, last_kind), (prefix, kind) = split(before), split(tag)
    if last + prefix in STARTS or (bioes and last + prefix in BIOES_STARTS):
        return True
    return prefix not in ("O", ".") and last_kind != kind


def ends(before, tag, bioes=True):
    """Likewise endOfChunk."""
    (last, last_kind), (prefix, kind) = split(before), split(tag)
    if last + prefix in ENDS or (bioes and last + prefix in BIOES_ENDS):
        return True
    return last not in ("O", ".") and last_kind != kind


def conlleval_spans(tags, bioes=True):
    found, start = [], None
    for place, (before, tag) in enumerate(itertools.pairwise(["O", *tags, "O"])):
        if ends(before, tag, bioes):
            found.append((split(before)[1], start, place))
        if starts(before, tag, bioes):
            start = place
    return found


def drawn_tags(seed, letters, types=("a", "b", "foo-bar", "")):
    """A sentence of 0 to 12 tags in any order, with stretches of some length and broken ones."""
    draw = random.Random(seed)
    tags, kind = [], "a"
    for _ in range(draw.randrange(13)):
        kind = draw.choice(types) if draw.random() < 0.3 else kind
        prefix = draw.choice(letters + "O" + letters)
        tags.append("O" if prefix == "O" else f"{prefix}-{kind}".removesuffix("-"))
    return tags


def drawn_spans(seed, types=("a", "b", "foo-bar", "")):
    """Stretches, many of them side by side, and the number of tokens."""
    draw = random.Random(seed)
    found, place = [], 0
    for _ in range(draw.randrange(7)):
        start = place + draw.choice([0, 0, 1, 3])
        place = start + draw.choice([1, 1, 2, 3, 5])
        found.append(Span(draw.choice(types), start, place))
    return found, place + draw.randrange(2)


def tag_at(place, found, scheme):
    """A token's tag, from the schemes' definitions: is it the first, the last, right behind?"""
    here = [span for span in found if span.start <= place < span.end]
    if not here:
        return "O"
    kind, first, last = here[0].type, here[0].start == place, here[0].end == place + 1
    behind = any(span.end == place and span.type == kind for span in found)
    letter = {
        "bio": "B" if first else "I",
        "iob1": "B" if first and behind else "I",
        "bioes": {(1, 1): "S", (1, 0): "B", (0, 1): "E", (0, 0): "I"}[first, last],
    }[scheme]
    return f"{letter}-{kind}" if kind else letter


def is_valid(tags, scheme):
    return re.fullmatch(GRAMMARS[scheme], "".join(f"{tag} " for tag in tags)) is not None


def all_tags(letters, types="ab"):
    return ["O", *(f"{letter}-{kind}" for letter in letters for kind in types)]


def all_sequences(tags, longest=4):
    for length in range(longest + 1):
        yield from itertools.product(tags, repeat=length)


@pytest.mark.parametrize("scheme", LETTERS)
def test_spans_are_the_stretches_of_the_conll_script_and_of_seqeval(scheme):
    broken = 0
    for seed in range(600):
        tags = drawn_tags(seed, LETTERS[scheme])
        found = spans(tags)
        assert found == conlleval_spans(tags), tags
        named = [(kind or "_", start, end - 1) for kind, start, end in found]
        assert named == get_entities(tags), tags
        broken += converted(tags, scheme) != tags
    assert 300 < broken < 600  # most keep to no scheme


def test_on_b_and_i_the_published_script_agrees_without_its_later_rules():
    for tags in all_sequences(all_tags("BI")):
        assert spans(tags) == conlleval_spans(tags, bioes=False), tags


def test_on_e_and_i_the_published_script_agrees_too():
    for tags in all_sequences(all_tags("IE")):
        assert spans(tags) == conlleval_spans(tags, bioes=False), tags


def test_s_is_read_as_seqeval_reads_it_and_not_as_the_published_script_does():
    tags = ("S-a", "S-a")
    assert spans(tags) == [("a", 0, 1), ("a", 1, 2)]
    assert conlleval_spans(tags, bioes=False) == [("a", 0, 2)]
    assert conlleval_spans(converted(tags, "bio"), bioes=False) == spans(tags)


def test_on_e_the_published_script_differs_only_where_b_follows_e():
    for tags in all_sequences(all_tags("BIE")):
        goes_on = any(
            (one, two) in (("E-a", "B-a"), ("E-b", "B-b")) for one, two in itertools.pairwise(tags)
        )
        assert (spans(tags) == conlleval_spans(tags, bioes=False)) is not goes_on, tags


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", []),
        ("O O", []),
        ("I-a I-a B-a", [("a", 0, 2), ("a", 2, 3)]),
        ("B-a I-b O I-b", [("a", 0, 1), ("b", 1, 2), ("b", 3, 4)]),
        ("B-a E-a E-a I-a", [("a", 0, 2), ("a", 2, 3), ("a", 3, 4)]),
        ("S-a I-a S-a", [("a", 0, 1), ("a", 1, 2), ("a", 2, 3)]),
        ("B-foo-bar I-foo-bar I-foo", [("foo-bar", 0, 2), ("foo", 2, 3)]),
        ("B I O B I-a", [("", 0, 2), ("", 3, 4), ("a", 4, 5)]),
        ("B-B I-B B-- I--", [("B", 0, 2), ("-", 2, 4)]),
    ],
)
def test_spans_of_tags_read_by_hand(tags, expected):
    assert spans(tags.split()) == expected


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("bio", "B-x I-x I-x B-x B-y O B-x B-x I-x"),
        ("iob1", "I-x I-x I-x B-x I-y O I-x B-x I-x"),
        ("bioes", "B-x I-x E-x S-x S-y O S-x B-x E-x"),
    ],
)
def test_tags_written_by_hand(scheme, expected):
    found = [("x", 0, 3), ("x", 3, 4), ("y", 4, 5), ("x", 6, 7), ("x", 7, 9)]
    assert tags_of([Span(*span) for span in found], 9, scheme) == expected.split()
    assert spans(expected.split()) == found


@pytest.mark.parametrize("scheme", LETTERS)
def test_tags_follow_each_schemes_definition(scheme):
    for seed in range(400):
        found, length = drawn_spans(seed)
        expected = [tag_at(place, found, scheme) for place in range(length)]
        assert tags_of(found, length, scheme) == expected
        assert spans(expected) == found


@pytest.mark.parametrize(("one", "other"), [*itertools.product(LETTERS, LETTERS)])
def test_valid_tags_come_back_from_every_other_scheme(one, other):
    for seed in range(300):
        found, length = drawn_spans(seed)
        tags = [tag_at(place, found, one) for place in range(length)]
        there = converted(tags, other)
        assert there == [tag_at(place, found, other) for place in range(length)]
        assert converted(there, one) == tags


@pytest.mark.parametrize("scheme", LETTERS)
def test_broken_tags_are_mended_and_keep_their_stretches(scheme):
    for seed in range(400):
        tags = drawn_tags(seed, "BIES", types=("a", "b", "foo-bar"))
        mended = converted(tags, scheme)
        assert is_valid(mended, scheme)
        assert spans(mended) == conlleval_spans(tags)


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 2), st.integers(1, 3))))
def test_types_may_be_any_text(drawn):
    found, place = [], 0
    for kind, gap, length in drawn:
        found.append(Span(kind, place + gap, place + gap + length))
        place += gap + length
    for scheme in LETTERS:
        assert spans(tags_of(found, place + 1, scheme)) == found


@pytest.mark.parametrize("scheme", LETTERS)
def test_a_sequence_is_allowed_if_and_only_if_it_keeps_to_the_scheme(scheme):
    tags = all_tags(LETTERS[scheme])
    random.Random(1).shuffle(tags)
    allowed = allowed_transitions(tags, scheme)
    counts = {True: 0, False: 0}
    for ids in all_sequences(range(len(tags))):
        names = [tags[place] for place in ids]
        passes = all(allowed.transitions[pair] for pair in itertools.pairwise(ids))
        passes = passes and (not ids or bool(allowed.start[ids[0]] and allowed.end[ids[-1]]))
        assert passes == (converted(names, scheme) == names) == is_valid(names, scheme), names
        counts[passes] += 1
    assert min(counts.values()) > 100
    assert allowed.transitions.dtype == allowed.start.dtype == allowed.end.dtype == bool


def test_allowed_transitions_of_bioes_by_hand():
    allowed = allowed_transitions(["O", "B-a", "I-a", "E-a", "S-a", "E-b", "B"], "bioes")
    assert allowed.transitions.astype(int).tolist() == [
        # O B I E S E-b B
        [1, 1, 0, 0, 1, 0, 1],  # O
        [0, 0, 1, 1, 0, 0, 0],  # B-a
        [0, 0, 1, 1, 0, 0, 0],  # I-a
        [1, 1, 0, 0, 1, 0, 1],  # E-a
        [1, 1, 0, 0, 1, 0, 1],  # S-a
        [1, 1, 0, 0, 1, 0, 1],  # E-b
        [0, 0, 0, 0, 0, 0, 0],  # B, whose I and E are not among the tags
    ]
    assert allowed.start.astype(int).tolist() == [1, 1, 0, 0, 1, 0, 1]
    assert allowed.end.astype(int).tolist() == [1, 0, 0, 1, 1, 1, 0]


def test_no_tags_make_empty_tables():
    assert [table.shape for table in allowed_transitions([], "bio")] == [(0, 0), (0,), (0,)]


def test_one_sentence_has_the_one_scheme_that_it_keeps_to():
    counts = dict.fromkeys([*LETTERS, None], 0)
    for tags in all_sequences(all_tags("BIES")):
        fitting = [scheme for scheme in LETTERS if is_valid(tags, scheme)]
        assert len(fitting) == 3 if set(tags) <= {"O"} else len(fitting) <= 1, tags
        if fitting:
            scheme = fitting[0] if tags else None
            assert detected([tags]) == scheme, tags
            counts[scheme] += 1
        else:
            with pytest.raises(InputError, match="follow no scheme"):
                detected([tags])
    # Stretches of 2 types cover T tokens in a(T) = a(T-1) + 2 (a(T-1) + .. + a(0)) ways, which are
    # 1, 3, 11, 41, 153. Each scheme writes each of these ways, and all O, 1 for each T, is BIO.
    ways = 3 + 11 + 41 + 153
    assert counts == {"bio": ways, "iob1": ways - 4, "bioes": ways - 4, None: 1}


@pytest.mark.parametrize("scheme", LETTERS)
def test_the_scheme_of_many_sentences_is_found_in_one_pass(scheme):
    sentences = [tags_of(*drawn_spans(seed), scheme) for seed in range(300)]
    assert detected(iter(sentences)) == scheme
    assert detected([["O", "O"], *sentences]) == scheme
    assert detected([tuple(tags) for tags in sentences]) == scheme


def test_one_sentence_of_another_scheme_is_an_error_that_names_the_places():
    bio = [["O"], ["B-a", "I-a"], ["O", "B-a"]]
    with pytest.raises(InputError) as caught:
        detected([*bio, ["O", "I-a"]])
    for part in [
        "'O I-a' in sentence 4 is not BIO",
        "'O B-a' in sentence 2 is not IOB1",
        "'I-a O' in sentence 2 is not BIOES",
    ]:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        ([], None),
        ([[], []], None),
        ([[], ["O"], []], "bio"),
        ([["S-a", "O"], ["S-b"]], "bioes"),
        ([["B-a", "B-a"]], "bio"),  # in BIOES a stretch that never ends
        ([["I-a", "B-a"]], "iob1"),
        ([["B", "I", "O"]], "bio"),  # without types
        ([["B", "E", "S", "O"]], "bioes"),
        ([["B-foo-bar", "I-foo-bar"]], "bio"),
        ([PARTS_OF_SPEECH], None),
        ([["NOUN", "VERB"], ["O"]], None),
        ([["B-a", "I-a"], ["NOUN"]], None),  # one that is none makes all of them plain
        ([["S", "I", "E"]], None),  # bare letters in no order
        ([["M", "U"], ["L"]], None),
        ([["B-a", "-X-"]], None),
        ([["B-", "O"]], None),
        ([["OUT", "B-a"]], None),
        ([["O-a", "B-a"]], None),
        ([["b-a", "i-a"]], None),
        ([["U-a", "NOUN"]], None),
    ],
)
def test_ties_and_tags_that_mark_no_stretches(sentences, expected):
    assert detected(sentences) == expected


@pytest.mark.parametrize("tags", [["B-a", "L-a", "O"], ["U-a"], ["B-a", "M-a", "E-a"]])
def test_bilou_and_bmes_are_errors_that_say_how_to_write_them(tags):
    sentences = [["O"], tags]
    with pytest.raises(InputError, match="write L- as E-, U- as S-, M- as I-"):
        detected(sentences)
    with pytest.raises(InputError, match="marks no span.*write L- as E-, U- as S-, M- as I-"):
        spans(tags)


class Counted(Sequence):
    """Tags that count how often one of them is looked at."""

    def __init__(self, tags):
        self.tags, self.reads = tags, 0

    def __len__(self):
        return len(self.tags)

    def __getitem__(self, place):
        self.reads += 1
        return self.tags[place]


@pytest.mark.parametrize("tags", [["NOUN", "VERB"], ["B-a", "I-a"], ["I-a", "B-a"], ["S-a", "O"]])
def test_detection_looks_at_each_token_once(tags):
    sentences = [Counted(tags * length) for length in (1, 10, 1000)]
    detected(sentences)
    for sentence in sentences:
        assert sentence.reads <= len(sentence) + 1  # the last one finds the end


@pytest.mark.parametrize(
    "tag", ["NOUN", "-X", "-", "", "B-", "O-a", "OUT", "b-a", "BI-a", "U-a", "L"]
)
def test_a_tag_of_another_form_is_an_error_wherever_it_stands(tag):
    for call in (
        lambda: parts(tag),
        lambda: spans(["B-a", tag]),
        lambda: converted(["O", tag, "O"], "bio"),
        lambda: allowed_transitions(["O", tag], "bioes"),
    ):
        with pytest.raises(InputError, match=re.escape(f"{tag!r} marks no span: expected O")):
            call()


@pytest.mark.parametrize("scheme", ["bio", "iob1"])
@pytest.mark.parametrize("tag", ["E-a", "S-a", "S"])
def test_a_tag_of_another_scheme_has_no_transitions(scheme, tag):
    with pytest.raises(InputError, match=f"{tag!r} is not a tag of the scheme {scheme}"):
        allowed_transitions(["O", "B-a", tag], scheme)


def test_an_unknown_scheme_is_an_error():
    for call in (
        lambda: tags_of([], 1, "iob2"),
        lambda: converted([], "iob2"),
        lambda: allowed_transitions(["O"], "iob2"),
    ):
        with pytest.raises(InputError, match="scheme must be one of bio, iob1, bioes; got 'iob2'"):
            call()


@pytest.mark.parametrize(
    "found",
    [
        [Span("a", 3, 5)],  # beyond the tokens
        [Span("a", 1, 1)],  # empty
        [Span("a", 2, 1)],
        [Span("a", -1, 1)],
        [Span("a", 0, 2), Span("a", 1, 3)],  # over each other
        [Span("a", 2, 3), Span("a", 0, 1)],  # out of order
    ],
)
def test_stretches_that_do_not_fit_are_errors(found):
    with pytest.raises(InputError, match=re.escape(f"the span {tuple(found[-1])} does not fit")):
        tags_of(found, 4)

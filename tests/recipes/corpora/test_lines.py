"""The built-in lines of the `generation` recipe: reproducible, right, and far to remember."""

import random
import re
from collections import Counter
from itertools import combinations

import pytest

from recipes.corpora.lines.corpus import EXAMPLES, generate, is_right, kind_of, pairs
from recipes.corpora.lines.lexicon import FAMILIES, NOUNS, RHYMES

KINDS = ("brackets", "couplet", "agreement")
FORMS = {"was": "were", "is": "are", "has": "have", "does": "do"}
OTHER_NUMBER = FORMS | {plural: singular for singular, plural in FORMS.items()}
VERB = re.compile(f" ({'|'.join(OTHER_NUMBER)}) ")

# Lines of each kind as a reader judges them, by hand.
RIGHT = {
    "brackets": ("()", "[ab]", "({})", "([{a}b]c)", "{(a)[b](c)}", "[[[[[[x]]]]]]"),
    "couplet": (
        "the old miller sat beside the mill / and watched the moon above the hill",
        "the old miller sat beside the mill / and every lamb was very ill",
        "one night the maid began to write / and saw, they say, the moon so bright",
        "a sea / the key",  # neither spelling nor meaning makes a rhyme
    ),
    "agreement": (
        "the cats, which the dog near the houses saw, were asleep",
        "the dog, which the cats near the houses saw, was asleep",
        "the oxen have gone home",
        "the child does not sleep",
        "the geese that saw the fox are hungry",
        "the small old city behind the bushes is rather strange",
        "the wolf that liked the mice that the women found near the barns was old",
        "the knives near the box beside the church, which the thief loved, have vanished",
        "the leaves, which hated the berries, are wet",
        "the woman behind the calves beyond the ponies does not want to leave",
    ),
}
WRONG = {
    "brackets": (
        *("(]", "([)]", "(", ")", "((a)", "(a))", "(a)(b)", "(a)b", "a(b)", "](", "a]", "{a[b}"),
        *("([{a}b)c]", "()]", "[(])"),
    ),
    "couplet": (
        "the old miller sat beside the mill / and watched the moon above the tree",
        "the old miller sat beside the mill / and watched the moon above the mill",
        "the old miller sat beside the mill / and watched the moon above the pill",  # unknown
        "the old miller sat beside the pill / and watched the moon above the hill",
        "beside the mill / above the hill / upon the sill",
        *("beside the mill / ", " / above the hill", " / ", " /  / ", "the mill /  the hill"),
        *("the mill / / the hill", "the mill, / the hill", "the mill / the hill ", "mill / hill"),
        *("the mill / the hill /", "the  mill / the hill", "the mill / the hill of"),
    ),
    "agreement": (
        "the cats, which the dog near the houses saw, was asleep",
        "the dog, which the cats near the houses saw, were asleep",
        *("the oxen has gone home", "the child do not sleep", "the geese that saw the fox is old"),
        "the small old city behind the bushes are rather strange",
        "the tall woman behind the calves do not want to leave",
        *("the zebras are old", "the cats are purple", "the cats near the zebra are old"),
        *("the cats", "the cats are", "the cats old", "the old are old", "the ", "the cats is are"),
        *("the cats, which the dog saw were asleep", "the cats which the dog saw, were asleep"),
        *("the cats that the dog were asleep", "the cats that saw were asleep", "the are asleep"),
        *("the cats near were asleep", "the cats are asleep near the", "the cats are asleep, "),
        *("the cats  are old", "the cats are old ", "the cats do sleep", "the cats have asleep"),
        *("the cats are asleep the cats are asleep", "the cat sees the dog", "the , are old"),
    ),
}
GARBAGE = (
    *("", " ", "a", "abc", "cats are old", "thecats are old", "The cats are old", "(a 7)", "(A)"),
    *("the cats are 7", "the cats are old.", "the cats are old\n", "([ the cats", "((a) / (b))"),
    *("mill/hill", "the mill/ the hill", "the Mill / the hill", "the cät is old", "/", "()\n"),
)


@pytest.fixture(scope="module")
def corpus():
    return generate()


@pytest.fixture(scope="module")
def lines(corpus):
    """Of each kind: its lines in all splits."""
    found = {kind: [] for kind in KINDS}
    for split in corpus:
        for line in split:
            found[kind_of(line)].append(line)
    return found


@pytest.fixture(scope="module")
def minimal():
    return pairs()


@pytest.mark.parametrize(("kind", "line"), [(kind, line) for kind in RIGHT for line in RIGHT[kind]])
def test_a_line_that_keeps_its_rule_is_right(kind, line):
    assert kind_of(line) == kind and is_right(line) is True


@pytest.mark.parametrize(("kind", "line"), [(kind, line) for kind in WRONG for line in WRONG[kind]])
def test_a_line_that_breaks_its_rule_keeps_its_kind_and_is_wrong(kind, line):
    assert kind_of(line) == kind and is_right(line) is False


@pytest.mark.parametrize("line", GARBAGE)
def test_what_fits_no_kind_is_other_and_wrong(line):
    assert kind_of(line) == "other" and is_right(line) is False


def test_no_mixture_of_pieces_raises_and_long_ones_are_judged_at_once():
    rng = random.Random(5)
    pieces = [*"()[]{}ab,/ ", "the ", "cats ", "that ", "saw ", "were ", " / ", "mill", "7"]
    for _ in range(3000):
        line = "".join(rng.choices(pieces, k=rng.randint(1, 12)))
        assert kind_of(line) in (KINDS if is_right(line) else (*KINDS, "other"))
    assert is_right("the cat" + " that saw the dogs near the boats" * 3000 + " was old")
    assert not is_right("the cat" + ", which saw the dogs near the boats," * 3000 + " was was")
    assert is_right("(" * 5000 + ")" * 5000) and not is_right("(" * 5000 + ")" * 4999)


def test_splits_have_their_sizes_and_share_no_line(corpus):
    assert [len(split) for split in corpus] == [36000, 1000, 1000]
    assert len({line for split in corpus for line in split}) == 38000
    assert 1_500_000 < sum(map(len, corpus[0])) < 1_860_000


def test_a_seed_gives_the_same_lines_and_another_one_others(corpus):
    assert generate(0) == corpus
    assert len(set(generate(1)[0]) & set(corpus[0])) < 1000  # short brackets, above all


def test_every_split_holds_a_third_of_each_kind_in_mixed_order(corpus):
    for split in corpus:
        kinds = [kind_of(line) for line in split]
        counts = Counter(kinds)
        assert set(counts) == set(KINDS) and max(counts.values()) - min(counts.values()) <= 1
        neighbours = sum(a == b for a, b in zip(kinds, kinds[1:], strict=False))
        assert 0.28 < neighbours / len(kinds) < 0.39


def test_lines_are_short_and_of_a_small_alphabet(corpus):
    letters = set("abcdefghijklmnopqrstuvwxyz ,/()[]{}")
    for split in corpus:
        assert set("".join(split)) <= letters
        assert all(3 <= len(line) <= 120 and line == line.strip() for line in split)


def test_every_line_is_right(corpus):
    assert [line for split in corpus for line in split if not is_right(line)] == []


def test_brackets_are_one_to_five_deep_and_the_last_opening_does_not_tell_the_closing(lines):
    depths, easy = Counter(), []
    for line in lines["brackets"]:
        deep = [0]
        for place, char in enumerate(line):
            deep.append(deep[-1] + (char in "([{") - (char in ")]}"))
            if char in ")]}":
                last = max(line[:place].rfind(opening) for opening in "([{")
                easy.append("([{".index(line[last]) == ")]}".index(char))
        depths[max(deep)] += 1
    assert set(depths) == {1, 2, 3, 4, 5} and min(depths.values()) > 0.05 * depths.total()
    assert 0.5 < sum(easy) / len(easy) < 0.75


def test_couplets_rhyme_over_a_distance_and_use_every_word(lines):
    words = Counter()
    for line in lines["couplet"]:
        first, second = (half.split()[-1] for half in line.split(" / "))
        assert RHYMES[first][0] == RHYMES[second][0] and first != second
        assert 25 <= line.rindex(second) - line.index(" / ") + len(first) <= 40
        words.update((first, second))
    assert words.keys() == RHYMES.keys()
    families = Counter(RHYMES[word][0] for word in words.elements())
    assert len(families) == 10 and min(families.values()) > 0.05 * words.total()


def test_rhyme_families_have_six_to_ten_words_and_share_none():
    families = [{word for words in family.values() for word in words} for family in FAMILIES]
    assert all(6 <= len(family) <= 10 for family in families)
    assert not any(a & b for a, b in combinations(families, 2))
    for trio in ("night kite polite", "sea tree key", "bear chair stair", "snow toe grow"):
        assert len({RHYMES[word][0] for word in trio.split()}) == 1, trio


def test_the_verb_is_far_from_its_noun_and_nouns_of_the_other_number_stand_between(lines):
    numbers = {form: i for table in NOUNS.values() for both in table for i, form in enumerate(both)}
    seen = Counter()
    for line in lines["agreement"]:
        before, verb, _ = VERB.split(line)
        found = [numbers[word] for word in re.findall("[a-z]+", before) if word in numbers]
        plural = verb in FORMS.values()
        assert found[0] == plural, line
        seen["plural"] += plural
        seen["lured"] += (1 - plural) in found
        seen["nearest agrees"] += found[-1] == plural
        seen["bare"] += len(found) == 1
        seen["far"] += len(before) > 40
    share = {name: count / len(lines["agreement"]) for name, count in seen.items()}
    assert 0.47 < share["plural"] < 0.53 and 0.05 < share["bare"] < 0.15
    assert 0.65 < share["lured"] < 0.85 and share["far"] > 0.4
    assert 0.35 < share["nearest agrees"] < 0.5  # so the nearest noun is a bad guide


def test_the_lexicon_is_rich_and_no_form_of_a_noun_stands_for_both_numbers():
    forms = [form for table in NOUNS.values() for both in table for form in both]
    assert len(forms) >= 80 and len(set(forms)) == len(forms)
    assert {("ox", "oxen"), ("mouse", "mice"), ("cat", "cats")} <= set(NOUNS["creature"])


def test_pairs_come_in_equal_shares_and_stand_in_no_split(corpus, minimal):
    assert [kind for kind, _, _ in minimal] == [*KINDS] * 100
    known = {line for split in corpus for line in split}
    rights = {right for _, right, _ in minimal}
    assert len(rights) == 300 and not rights & known
    assert not {wrong for _, _, wrong in minimal} & known
    assert pairs(0, 30) == minimal[:30] != pairs(1, 30)


def test_of_a_pair_one_line_is_right_and_the_other_keeps_its_kind_but_is_wrong(minimal):
    for kind, right, wrong in minimal:
        assert kind_of(right) == kind_of(wrong) == kind
        assert is_right(right) and not is_right(wrong), (right, wrong)


def test_the_lines_of_a_pair_differ_in_the_decisive_place_alone(minimal):
    for kind, right, wrong in minimal:
        parts = (list(right), list(wrong)) if kind == "brackets" else (right.split(), wrong.split())
        apart = [(i, a, b) for i, (a, b) in enumerate(zip(*parts, strict=True)) if a != b]
        assert len(apart) == 1, (right, wrong)
        place, old, new = apart[0]
        if kind == "brackets":
            assert old in ")]}" and new in ")]}"
        elif kind == "couplet":
            assert place == len(parts[0]) - 1
            assert RHYMES[old][1] == RHYMES[new][1] and RHYMES[old][0] != RHYMES[new][0]
        else:
            assert OTHER_NUMBER[old] == new


def test_each_example_is_the_beginning_of_a_right_line_that_no_split_holds(corpus):
    ends = ("])", ")}", " and saw the hill", " and saw the rain", " were old", " is gone")
    texts = [text + end for text, end in zip(EXAMPLES, ends, strict=True)]
    assert [kind_of(text) for text in texts] == [kind for kind in KINDS for _ in range(2)]
    assert all(map(is_right, texts)) and not any(map(is_right, EXAMPLES))
    assert not any(line.startswith(EXAMPLES[2:]) for split in corpus for line in split)

"""Cutting by hash: places that never change, cuts that are partitions, splits that make sense."""

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.data import splits as splitting
from recipes.data.items import Example
from recipes.data.labelled import check_labels
from recipes.data.splits import Splits, hash_fraction, share_of
from zoo.errors import InputError

cut = partial(splitting.cut, key=lambda example: example.text)
complete = partial(splitting.complete, key=lambda example: example.text)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
EXAMPLES = st.lists(st.builds(Example, TEXTS, st.sampled_from(["neg", "pos"])))
FRACTIONS = st.floats(0, 1)
SEEDS = st.integers()


def _many(count: int, start: int = 0) -> list[Example]:
    return [Example(f"review {i}", "pos" if i % 2 else "neg") for i in range(start, start + count)]


@pytest.mark.parametrize(
    ("text", "seed", "salt", "digest"),
    [
        ("hello", 0, "", 0x9DD6193E0AF894DB),  # printf '\0\60\0hello' | b2sum -l 64
        ("hello", 1, "", 0x0D1F2D9380D43AA7),  # printf '\0\61\0hello' | b2sum -l 64
        ("hello", -1, "", 0xD93679F5293759B5),  # printf '\0\55\61\0hello' | b2sum -l 64
        ("hello", 0, "test", 0x017E9D04B421B27C),  # printf 'test\0\60\0hello' | b2sum -l 64
        (" cafe\u0301\n", 0, "", 0xB0A8C9B49755B0F9),  # printf '\0\60\0caf\303\251' | b2sum -l 64
        ("", 0, "", 0xB740F06238AA5521),  # printf '\0\60\0' | b2sum -l 64
    ],
)
def test_places_are_those_of_blake2b_on_every_platform(
    text: str, seed: int, salt: str, digest: int
) -> None:
    assert hash_fraction(text, seed, salt) == pytest.approx(digest / 2**64, abs=1e-15)


def test_the_highest_place_is_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Highest:
        def __init__(self, data: bytes, digest_size: int) -> None:
            self.size = digest_size

        def digest(self) -> bytes:
            return b"\xff" * self.size

    monkeypatch.setattr("hashlib.blake2b", Highest)
    assert hash_fraction("any", 0) == 1 - 2**-53


def test_places_are_spread_evenly() -> None:
    places = sorted(hash_fraction(example.text, 5) for example in _many(2000))
    distance = max(abs(place - i / 2000) for i, place in enumerate(places))
    assert distance < 0.0364  # Kolmogorov-Smirnov at 1%: 1.63 / sqrt(2000)


@settings(deadline=None)
@given(EXAMPLES, FRACTIONS, SEEDS)
def test_a_cut_is_a_partition_in_the_given_order(
    examples: list[Example], fraction: float, seed: int
) -> None:
    kept, cut_off = cut(examples, fraction, seed)
    assert sorted(kept + cut_off, key=repr) == sorted(examples, key=repr)
    assert kept == [each for each in examples if hash_fraction(each.text, seed) >= fraction]
    assert cut_off == [each for each in examples if hash_fraction(each.text, seed) < fraction]


@settings(deadline=None)
@given(EXAMPLES, FRACTIONS, SEEDS, st.randoms())
def test_a_cut_does_not_depend_on_order_or_company(
    examples: list[Example], fraction: float, seed: int, random: object
) -> None:
    kept, cut_off = cut(examples, fraction, seed)
    shuffled = list(examples)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = cut([*shuffled, *_many(3)], fraction, seed)
    assert set(kept) <= set(again[0])
    assert set(cut_off) <= set(again[1])


@settings(deadline=None)
@given(TEXTS, FRACTIONS, SEEDS)
def test_the_same_text_is_always_on_the_same_side(text: str, fraction: float, seed: int) -> None:
    variants = [Example(f"\n{text} ", "pos"), Example(text, "neg"), Example(text, "pos")]
    assert [] in cut(variants, fraction, seed)


def test_nothing_and_everything_can_be_cut_off() -> None:
    assert cut(_many(50), 0.0, 3) == (_many(50), [])
    assert cut(_many(50), 1.0, 3) == ([], _many(50))
    border = hash_fraction("review 0", 3)
    assert cut(_many(1), border, 3) == (_many(1), [])


def test_both_missing_splits_are_shares_of_the_whole() -> None:
    splits = complete({"train": _many(10_000)}, 0.2, 0.3, seed=7)
    assert len(splits.test) == pytest.approx(3000, abs=150)  # three standard deviations
    assert len(splits.validation) == pytest.approx(2000, abs=120)
    assert len(splits.train) == pytest.approx(5000, abs=150)
    whole = splits.train + splits.validation + splits.test
    assert sorted(whole, key=repr) == sorted(_many(10_000), key=repr)


def test_the_two_cuts_are_independent() -> None:
    splits = complete({"train": _many(10_000)}, 0.1, 0.5, seed=7)
    # With one salt for both cuts, every text with a place below 0.1 would already be in test.
    assert len(splits.validation) == pytest.approx(1000, abs=90)
    halves = complete({"train": splits.validation}, 0.1, 0.5, seed=8)
    assert len(halves.test) == pytest.approx(len(splits.validation) / 2, abs=50)


def test_duplicates_never_stand_in_two_of_the_cut_splits() -> None:
    doubled = _many(500) + [Example(f" {each.text}", "other") for each in _many(500)]
    splits = complete({"train": doubled}, 0.3, 0.3, seed=1)
    parts = (splits.train, splits.validation, splits.test)
    texts = [{example.text.strip() for example in part} for part in parts]
    assert all(texts)
    assert not any(a & b for a, b in itertools.combinations(texts, 2))


def test_given_splits_stay_and_only_the_missing_one_is_cut() -> None:
    train, given_part = _many(1000), _many(3, start=5000)
    splits = complete({"train": train, "test": given_part}, 0.2, 99.0, seed=2)
    assert splits.test == given_part
    assert (splits.train, splits.validation) == cut(train, 0.2, 2, salt="validation")
    splits = complete({"train": train, "validation": given_part}, -1.0, 0.2, seed=2)
    assert splits.validation == given_part
    assert (splits.train, splits.test) == cut(train, 0.2, 2, salt="test")
    parts = {"train": train, "validation": given_part, "test": given_part}
    assert complete(parts, 0.0, 0.0, seed=2) == Splits(train, given_part, given_part)


def test_another_seed_cuts_other_examples() -> None:
    first, second = (complete({"train": _many(200)}, 0.2, 0.2, seed) for seed in (0, 1))
    assert set(first.test) != set(second.test)
    assert set(first.validation) != set(second.validation)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_needed_fraction_must_lie_between_0_and_1(fraction: float) -> None:
    with pytest.raises(InputError, match=f"validation_fraction must be .* got {fraction}: try 0.1"):
        complete({"train": _many(5)}, fraction, 0.1, seed=0)
    with pytest.raises(InputError, match=f"test_fraction must be .* got {fraction}: try 0.1"):
        complete({"train": _many(5)}, 0.1, fraction, seed=0)


def test_fractions_must_leave_something_to_train_on() -> None:
    sentence = "test_fraction 0.5 and validation_fraction 0.5 leave nothing to train on, .*: lower"
    with pytest.raises(InputError, match=sentence):
        complete({"train": _many(5)}, 0.5, 0.5, seed=0)


def _refusal(splits: Splits) -> str:
    with pytest.raises(InputError) as caught:
        check_labels(splits)
    return str(caught.value)


def test_good_splits_pass() -> None:
    check_labels(Splits(_many(2), _many(1), _many(1)))


def test_one_class_alone_is_refused() -> None:
    message = _refusal(Splits([Example("a", "pos")] * 4, [Example("b", "neg")], _many(1)))
    assert message.startswith("one class only: all 4 training examples are labelled 'pos'")
    assert "add examples of another class" in message


@pytest.mark.parametrize("name", ["validation", "test"])
def test_a_class_that_train_never_has_is_named_with_its_number(name: str) -> None:
    odd = [Example("so-so", "mixed"), Example("a", "pos"), Example("hm", "mixed")]
    parts = {"validation": _many(2), "test": _many(2), name: odd}
    message = _refusal(Splits(_many(4), parts["validation"], parts["test"]))
    assert message.startswith(f"{name} has 2 examples labelled 'mixed', a class that train lacks")
    assert "--split-seed" in message


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_an_empty_split_tells_how_many_examples_there_were(name: str) -> None:
    parts = {"train": _many(4), "validation": _many(2), "test": _many(1), name: []}
    counted = ", ".join(f"{len(part)} in {name}" for name, part in parts.items())
    assert _refusal(Splits(**parts)) == (
        f"too few examples: {counted}, expected at least 1 in each split: bring more, or choose "
        f"other fractions"
    )


def test_items_may_be_numbers_and_a_key_names_them() -> None:
    series = [(f"sensor {number}", np.full(3, number)) for number in range(50)]
    splits = splitting.complete({"train": series}, 0.2, 0.2, 3, key=lambda item: item[0])
    test = [item for item in series if hash_fraction(item[0], 3, "test") < 0.2]
    assert [name for name, _ in splits.test] == [name for name, _ in test] != []
    assert sum(len(part) for part in splits.parts().values()) == 50
    lengths = splits.map(lambda part: [len(values) for _, values in part])
    assert set(lengths.train) == {3}


def test_the_share_of_continuous_series_is_their_beginning() -> None:
    series = Splits([np.arange(6), np.arange(4)], [], [], continuous=True)
    assert [part.tolist() for part in share_of(series, 0.8, 0).train] == [
        [0, 1, 2, 3, 4, 5],
        [0, 1],
    ]

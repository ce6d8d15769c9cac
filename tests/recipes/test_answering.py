"""Texts in pools and batches: the order of the answers, their promptness, and the bounds."""

import queue
import threading
import time
import tracemalloc

import pytest

from recipes import answering
from recipes.answering import CHARACTERS, POOL_CHARACTERS, POOL_TEXTS, ROWS, answered, batches
from recipes.translation.config import Translating


@pytest.mark.parametrize(("rows", "most"), [(ROWS, CHARACTERS), (50, 10_000), (1, 1)])
def test_batches_hold_all_places_once_by_length_and_within_the_bounds(rows, most):
    lengths = [7 * place % 9000 for place in range(3000)] + [10**6, 0]
    found = list(batches(lengths, rows, most))
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    for batch in found:
        longest = max(lengths[place] for place in batch)
        assert len(batch) == 1 or (len(batch) <= rows and len(batch) * longest <= most)
    flat = [lengths[place] for batch in found for place in batch]
    assert flat == sorted(flat)
    assert found[-1] == [3000]  # the long one by itself


def test_no_text_gives_no_batch():
    assert list(batches([], ROWS)) == []
    assert answered(lambda texts: pytest.fail(), []) == []


def test_answers_come_in_the_order_of_the_texts():
    asked = []

    def answer(texts):
        asked.append(list(texts))
        return [{"text": text} for text in texts]

    texts = [f"{number} " + "x" * (number * 7919 % 5000) for number in range(500)]
    assert [rows[0]["text"] for rows in answered(answer, texts)] == texts
    assert len(asked) > 10


def test_each_text_gets_as_many_rows_as_there_are_of_it():
    def samples(texts):
        return [{"text": text, "n": n} for text in texts for n in range(3)]

    texts = ["ccc", "a", "bb"]
    assert [[row["text"] for row in rows] for rows in answered(samples, texts)] == [
        [text] * 3 for text in texts
    ]

    def ranked(texts):  # fewer where fewer are found
        return [{"text": text, "rank": n + 1} for text in texts for n in range(len(text))]

    found = answered(ranked, texts, Translating(n_best=3, beam_size=3))
    assert [[row["rank"] for row in rows] for rows in found] == [[1, 2, 3], [1], [1, 2]]
    assert [rows[0]["text"] for rows in found] == texts


def test_samples_and_beams_make_the_batches_smaller():
    sizes = []

    def answer(texts):
        sizes.append(len(texts))
        return [{"rank": 1} for _ in texts]

    answered(answer, ["abc"] * 200, Translating(beam_size=32))
    assert max(sizes) == ROWS // 32 and sum(sizes) == 200


def endless(lines):
    while True:
        line = lines.get()
        if line is None:
            return
        yield line


def test_texts_at_hand_are_given_while_the_next_is_waited_for():
    lines = queue.Queue()
    lines.put("one")
    lines.put("two")
    pools = answering.pools_of(endless(lines))
    start = time.monotonic()
    assert next(pools) == ["one", "two"]
    assert time.monotonic() - start < 5
    lines.put("three")
    assert next(pools) == ["three"]
    lines.put(None)
    assert list(pools) == []


def test_an_error_of_the_reader_comes_after_the_texts_before_it():
    def failing():
        yield "one"
        raise ValueError("line 2")

    pools = answering.pools_of(failing())
    assert next(pools) == ["one"]
    with pytest.raises(ValueError, match="line 2"):
        next(pools)


def test_a_pool_is_bounded_in_texts_and_in_characters():
    assert [len(pool) for pool in answering.pools_of(iter(["x"] * (2 * POOL_TEXTS + 1)))][:-1] == [
        POOL_TEXTS
    ] * 2
    assert [len(pool) for pool in answering.pools_of(["x"] * (POOL_TEXTS + 1))] == [POOL_TEXTS, 1]
    long = ["x" * (POOL_CHARACTERS // 2)] * 5
    assert [len(pool) for pool in answering.pools_of(iter(long))] == [2, 2, 1]


def test_endless_texts_take_a_bounded_memory():
    read = 0

    def texts():
        nonlocal read
        while True:
            read += 1
            yield f"{read} " + "x" * 10_000

    pools = answering.pools_of(texts())
    tracemalloc.start()
    try:
        for _ in range(30):
            next(pools)
            time.sleep(0.01)  # the reader would run ahead
        assert tracemalloc.get_traced_memory()[1] < 8 * POOL_CHARACTERS
    finally:
        tracemalloc.stop()
    assert read * 10_000 < 40 * POOL_CHARACTERS


def test_options_that_number_the_texts_get_them_in_one_pool():
    texts = ["x"] * (3 * POOL_TEXTS)
    assert [len(pool) for pool in answering.pools_of(iter(texts), whole=True)] == [len(texts)]


def test_the_reader_is_no_thread_that_holds_up_the_exit():
    answering.pools_of(endless(queue.Queue()))
    next_pool = answering.ReadAhead(endless(queue.Queue()))
    assert next_pool
    assert all(thread.daemon for thread in threading.enumerate() if "_read" in thread.name)


def test_texts_of_mostly_unknown_tokens_are_warned_of(capsys):
    warnings = answering.UnknownTokens()
    warnings.note("all is known", [{"unknown_share": 0.2}])
    warnings.note("an export without it", [{}])
    warnings.note("no answer", [])
    warnings.note("named by the recipe", [{"unknown_share": 1.0, "unknown": ["named"]}])
    for number in range(7):
        warnings.note(f"zxq {number}\nvv", [{"unknown_share": 0.75}, {"unknown_share": 0.75}])
    warnings.report()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "warning: text 5: the model does not know 75% of its tokens: zxq 0 vv"
    assert len(lines) == 6
    assert lines[5].startswith("warning: and 2 more of 11 texts")

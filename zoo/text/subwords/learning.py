"""Learns subwords and their scores from word counts, with `sentencepiece`."""

import io
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from zoo.errors import require_package

MARK = "\u2581"  # represents the blank before a word
RESERVED = (MARK, "\u2585")  # reserved by sentencepiece: in text they have no piece
BREAK = "\n"  # no word contains it


def learned_pieces(
    counts: Mapping[str, int], size: int, split_digits: bool = False
) -> dict[str, float]:
    """Finds at most `size` pieces under which the words are most probable; few words give fewer.

    `counts` has the number of occurrences of each word; the blank before a word belongs to it. With
    `split_digits` each digit is a separate piece, so that numbers are always read digit by digit.
    Returns log-probabilities in nats by piece, the largest first; in a piece the blank is U+2581.
    """
    known = _known_parts(counts, size)
    if not known:
        return {}
    try:
        proto = trained(known, size, split_digits)
        model = _sentencepiece().SentencePieceProcessor(model_proto=proto)
    except RuntimeError as error:
        if "no pieces are loaded" not in str(error):
            raise
        return _characters(known)  # too little text: every piece has an expected count below 0.5
    numbers = range(1, model.get_piece_size())  # 0 is its unknown piece
    return {model.id_to_piece(number): model.get_score(number) for number in numbers}


def trained(counts: Mapping[str, int], size: int, split_digits: bool = False) -> bytes:
    """Trains a sentencepiece model on words as they are, on one thread, without a log."""
    written = io.BytesIO()
    _sentencepiece().SentencePieceTrainer.train(
        sentence_iterator=(f"{word}\t{count}" for word, count in sorted(counts.items())),
        input_format="tsv",
        model_writer=written,
        model_type="unigram",
        vocab_size=size + 1,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        split_by_unicode_script=False,
        split_digits=split_digits,
        bos_id=-1,
        eos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    return written.getvalue()


def _sentencepiece() -> Any:
    return require_package("sentencepiece", "translation", "learning subwords")


def _characters(counts: Mapping[str, int]) -> dict[str, float]:
    """Pieces of one character each, scored by their frequency."""
    numbers = Counter("".join(word * count for word, count in counts.items()))
    return {character: math.log(n / numbers.total()) for character, n in numbers.most_common()}


def _known_parts(counts: Mapping[str, int], size: int) -> Counter[str]:
    """The words, cut at characters that can have no piece.

    These occur once, are reserved, or are the rarest ones if there are more than `size`.
    """
    characters: Counter[str] = Counter()
    for word, count in counts.items():
        for character in word:
            characters[character] += count
    often = [c for c, count in characters.items() if count > 1 and c not in RESERVED]
    often.sort(key=lambda character: (-characters[character], character))
    kept = {ord(character): character for character in often[:size]}
    table = {ord(character): BREAK for character in characters} | kept
    if " " in kept.values():
        table[ord(" ")] = MARK
    parts: Counter[str] = Counter()
    for word, count in counts.items():
        for part in word.translate(table).split(BREAK):
            parts[part] += count
    del parts[""]
    return parts

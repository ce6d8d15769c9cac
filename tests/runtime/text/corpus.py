"""The texts on which the runtime's text paths and the graph's must agree."""

import random
import sys

from tests.zoo.text import test_nfc, test_text_codec, test_vectorizer, test_word_tokens
from tests.zoo.text.subwords import test_codec
from zoo.export import ODD_TEXTS

# what the strategies of the text tests draw from
POOLS = (
    *("aeiouAEqs \0'", "abIiS \t\n\0\x0b\x1f\x85\xa0\u2028\u3000\u200d\ufeff"),
    "\u0301\u0300\u0323\u0327\u0308\u0302\u0345\u0338\u0334\u031b\u3099",
    "\u2018\u2019\u02bc'İßẞΣσςÅ\u212b\u212aĲǅﬁΆᾈЁЙ\u0345\u02b0\u0130ſ",
    ["<br>", "<BR />", "</p>", "<p>", "<", ">", "br", "/", "p", "http://a.b", "httpſ://x", "''"],
    "aB'’.,:;!?-=*~@# 12_/\n\t\u200d\u0301中の한é😀א\u00a0\0ʼ",
    "abeinlow12 .,'\u2581\u2585<>\t\n\r\0\x0b\x1f\x7f\x85\u2028\u200d\ufeff\ufffd",
    "\u0301\u0307\u0323e\u00e5A\u030a\uac00\u1100\u1161\u11a8\u11a7\u0130\U0001f44d\U0001f3fd",
    "ab \t\n\r\0\x0b\x1f\x7f\\[](){}$#%\u201c\u201d\u2026",
    ["[PAD]", "[UNK]", "<unk>", "<eos>", " ", "the ", "Hello", "isn't", "12", "é"],
    "سرטנדฉลไທ中日",
    *(test_nfc.SINGLETONS, test_nfc.EXCLUDED, test_nfc.INDIC, test_nfc.MARKS, test_nfc.PARTS),
)


def _any(draw: random.Random) -> str:
    code = draw.choice([draw.randrange(0x800), draw.randrange(0x10000), draw.randrange(0x110000)])
    return chr(code) if not 0xD800 <= code < 0xE000 else "?"


def drawn(count: int, seed: int) -> list[bytes]:
    """Random texts: characters of the pools and any others; every fourth has invalid bytes."""
    draw = random.Random(seed)
    texts = []
    for number in range(count):
        pools = draw.choices(POOLS, k=draw.randint(1, 3))
        parts = [
            _any(draw) if draw.random() < 0.1 else draw.choice(draw.choice(pools))
            for _ in range(draw.randrange(15))
        ]
        text = "".join(parts).encode()
        if number % 4 == 0:
            raw = [*text, *draw.choices(range(0x70, 0x100), k=draw.randrange(6))]
            draw.shuffle(raw)
            text = bytes(raw)
        texts.append(text)
    return texts


FIXED = [
    *ODD_TEXTS,
    *(text.encode() for text in test_vectorizer.TEXTS),
    *(text.encode() for text in test_text_codec.SENTENCES),
    *(text.encode() for text in test_codec.TEXTS),
    *(text.encode() for text in test_word_tokens.CASES),
    *(text.encode() for text in ("ΔΡΌΜΟΣ", "Σ", "ΑΣ Σ. ΑΣ'Α", "A\u0345Σ\u0301 ΌΣ\u00ad", "ГРОẞ ẞ")),
    *(
        text.encode()
        for text in ("Ꟁ Ⱟ 𐕰 \u1c89", "\u0897 \U00010efd e\U0001e08f\u0301", "\U000105d2\u0307")
    ),
    *(
        b"\x80\x80abc",
        b"cut \xe2\x82",
        b"\xed\xa0\x80 half",
        b"\xc0\xaf",
        b"\xf4\x90\x80\x80",
        b"\xf0\x9f\x98",
    ),
    b"<eos>",
    b"a b <eos>",
    b"<eos> <eos>",
    ("x" * 300 + " " + "y" * 70 + "1" * 130 + "é" * 65).encode(),
    "👩‍🚀".encode() * 200,
]
LONG = [
    ("word, " * 20_000).encode(),
    "שלום ".encode() * 14_000,
    b"\x80" * 70_000,
    "né".encode() * 40_000,
]
TEXTS = [*FIXED, *drawn(1200, seed=1)]
CODES = [code for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]

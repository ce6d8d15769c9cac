"""Tagger: text, or ready tokens -> a tag for each token."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_zoo_runtime.decoding import log_softmax, softmax
from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.graph import Answers, Graph, States
from rnn_zoo_runtime.pipelines.pipeline import Pipeline, Texts, joined, strings
from rnn_zoo_runtime.pipelines.stream import Stream
from rnn_zoo_runtime.text import UNK, TokenVectorizer, word_tokens
from rnn_zoo_runtime.text.limits import TAGGED, TOKEN, Text, is_long, read, shortened
from rnn_zoo_runtime.text.vocabulary import padded, padded_strings, share


class Tagger(Pipeline):
    """Predicts a tag for each token of a text.

    Args:
        graphs: `model`: `token_ids` (B, T), and `character_ids` and `casing_ids` where it takes
            them -> `logits` (B, T, C), with a CRF `tag_ids`, `confidence` and `log_probability`
            besides; `start` and `step` of a unidirectional tagger.
        vectorizer: Tokens -> ids.
        tags: The C tags, in the order of their ids.
    """

    def __init__(
        self, graphs: Mapping[str, Graph], vectorizer: TokenVectorizer, tags: Sequence[str]
    ) -> None:
        super().__init__(graphs)
        self.vectorizer, self.tags = vectorizer, list(tags)

    def __call__(self, texts: Texts) -> list[list[tuple[str, str]]]:
        """The tokens of each text, each with its tag."""
        found = self.tag(texts)
        return [
            [(token, tag) for token, tag in zip(*row, strict=True) if tag]
            for row in zip(found["tokens"], found["tags"], strict=True)
        ]

    def tag(self, texts: Texts) -> Answers:
        """The tags of texts.

        Returns:
            `tokens` and `tags` objects (B, T), "" in the padding; `starts` and `ends` int32 (B, T),
            each token's place in its text; `confidence` float32 (B, T), each tag's probability, 0
            in the padding; `log_probability` float32 (B,), in nats; `unknown_share` float32 (B,);
            `truncated` bool (B,), whether only the beginning was read.
        """
        return self.answers(self._tag_texts, text=texts)

    def tag_tokens(self, sentences: Sequence[Sequence[Text]]) -> Answers:
        """The tags of ready tokens, lists or (B, T) with "" as padding: as `tag`, without places.

        Raises:
            InputError: An empty token is before others.
        """
        rows = [list(sentence) for sentence in sentences]
        kept = [row[: next((at for at, t in enumerate(row) if not t), len(row))] for row in rows]
        for row, real in zip(rows, kept, strict=True):
            if any(row[len(real) :]):
                raise InputError(
                    f'the empty token {len(real)} of {row!r} is before others: "" is padding, on '
                    "the right alone"
                )
        parts = [self._tagged(kept[at : at + self.rows]) for at in range(0, len(kept), self.rows)]
        if not parts:
            return {name: value[:0] for name, value in self.tag_tokens([[]]).items()}
        return {name: joined([part[name] for part in parts]) for name in parts[0]}

    def stream(self, rows: int = 1) -> Stream:
        """Reads B texts a token at a time; `step` takes B tokens.

        Each step answers `tag` objects (B,) and `probabilities` float32 (B, C).

        Raises:
            InputError: The tagger is bidirectional.
        """
        states = self.graph("start")({"streams": np.zeros(rows, np.int32)})
        return Stream(self.step, states)

    def step(self, tokens: Sequence[Text], states: States) -> tuple[Answers, States]:
        """The answers to a token of each stream, and the states after it."""
        ids = self.vectorizer([[shortened(token, TOKEN)] for token in tokens])
        outputs, after = self.graph("step").step(
            {name: each[:, 0] for name, each in ids.items()}, states
        )
        probabilities = softmax(outputs["logits"])
        names = strings(self.tags)
        tag = names[np.argmax(probabilities, axis=-1)]
        return {"tag": tag, "probabilities": probabilities}, after

    def _tag_texts(self, text: list[Text]) -> Answers:
        found = [word_tokens(shortened(each)) for each in text]
        starts = padded([each.starts[:TAGGED].tolist() for each in found])
        ends = padded([each.ends[:TAGGED].tolist() for each in found])
        answer = self._tagged([each.tokens for each in found])
        answer["truncated"] |= [is_long(each) for each in text]
        return {**answer, "starts": starts, "ends": ends}

    def _tagged(self, tokens: Sequence[Sequence[Text]]) -> Answers:
        """The answers to rows of tokens without padding."""
        rows = [row[:TAGGED] for row in tokens]
        ids = self.vectorizer([[shortened(token, TOKEN) for token in row] for row in rows])
        mask = np.arange(ids["token_ids"].shape[1])[None] < [[len(row)] for row in rows]
        path = _path(self.graph("model")(ids), mask)
        tags = strings(["", *self.tags])[np.where(mask, path["tag_ids"] + 1, 0)]
        unknown = [[each == UNK for each in row] for row in ids["token_ids"].tolist()]
        return {
            "tokens": padded_strings([[read(token) for token in row] for row in rows]),
            "tags": tags,
            "confidence": np.where(mask, path["confidence"], np.float32(0)),
            "log_probability": np.where(mask[:, 0], path["log_probability"], np.float32(0)),
            "unknown_share": share(
                [flags[: len(row)] for flags, row in zip(unknown, rows, strict=True)]
            ),
            "truncated": np.array([len(row) > TAGGED for row in tokens]),
        }


def _path(outputs: Answers, mask: np.ndarray) -> dict[str, Any]:
    """The best tags: the path of the CRF, or the most likely tag of each token by itself."""
    if "tag_ids" in outputs:
        return outputs
    each = log_softmax(outputs["logits"])
    best = np.max(each, axis=-1)
    return {
        "tag_ids": np.argmax(each, axis=-1),
        "confidence": np.exp(best),
        "log_probability": np.sum(np.where(mask, best, np.float32(0)), axis=1),
    }

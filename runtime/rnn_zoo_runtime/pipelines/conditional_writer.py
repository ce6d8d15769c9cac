"""ConditionalWriter: a decoder writes a text to a label and scores texts of a label."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_zoo_runtime.decoding import Filter, generate, guided, softmax
from rnn_zoo_runtime.decoding.filtering import RULED_OUT
from rnn_zoo_runtime.errors import InputError
from rnn_zoo_runtime.graph import Answers, Graph, States
from rnn_zoo_runtime.pipelines.pipeline import Pipeline, Texts, strings
from rnn_zoo_runtime.pipelines.stream import Stream
from rnn_zoo_runtime.pipelines.writer import (
    NEVER,
    Codec,
    split_texts,
    target_scores,
    token_answers,
    totals,
    unknown_answers,
)
from rnn_zoo_runtime.text import BOS, EOS
from rnn_zoo_runtime.text.characters import composed
from rnn_zoo_runtime.text.limits import TAGGED, TOKEN, Text, is_long, read, shortened
from rnn_zoo_runtime.text.vocabulary import padded

SHOWN = 20  # labels that an error names
LONGEST = 100  # characters of an unknown label that an error shows
ASCII_BLANKS = "\t\n\v\f\r "


class ConditionalWriter(Pipeline):
    """Writes a text to a label, and scores texts of a label.

    Args:
        graphs: `start`: `label_ids` -> the states before a text; `start_unconditional`: `streams`
            -> those without a label; `step`: `token_ids` (B,) and the states -> `logits` (B, V) and
            the states; `model`: `label_ids` and `token_ids` (B, T) -> `logits` (B, T, V).
        codec: Strings <-> ids.
        labels: The classes' names, in the order of their ids.
    """

    rows = 1024

    def __init__(self, graphs: Mapping[str, Graph], codec: Codec, labels: Sequence[str]) -> None:
        super().__init__(graphs)
        self.codec, self.labels = codec, list(labels)

    def __call__(self, texts: Texts) -> list[str]:
        """A text to each label, drawn by `generate`'s defaults."""
        return list(self.generate(texts)["text"])

    def generate(
        self,
        labels: Texts,
        max_tokens: Any = 100,
        temperature: Any = 1.0,
        top_k: Any = 0,
        top_p: Any = 1.0,
        min_p: Any = 0.0,
        guidance: Any = 0.0,
        seed: Any = 0,
    ) -> Answers:
        """Writes a text to each label; an option may differ by row.

        Returns:
            `text` objects (B,); `log_probability` float32 (B,), in nats, under the model itself;
            `num_tokens` int32 (B,), the end counted; `tokens` objects (B, T), these as the
            vocabulary spells them, "" as padding; `token_probabilities` float32 (B, T), that of
            each under the model itself, 0 in the padding; `finished` bool (B,); `unknown_share`
            float32 (B,), 0.

        Raises:
            InputError: A label is unknown, or an option is out of its range.
        """
        options = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}
        options |= {"max_tokens": max_tokens, "guidance": guidance, "seed": seed}
        return self.answers(self._generate, {"label": self.labels[0]}, label=labels, **options)

    def score(self, labels: Texts, texts: Texts) -> Answers:
        """Scores texts of labels.

        Returns:
            `log_probability` float32 (B,), in nats, of the text and its end; `num_tokens` int32
            (B,); `perplexity` float32 (B,); `num_unknown` int32 (B,); `unknown_share` float32 (B,);
            `unknown_tokens` objects (B, U); `truncated` bool (B,).

        Raises:
            InputError: A label is unknown.
        """
        blank = {"label": self.labels[0]}
        return self.answers(self._score, blank, label=labels, text=texts)

    def stream(self, labels: Texts) -> Stream:
        """Reads a text for each label a token at a time; `step` takes B tokens, first "[BOS]".

        Each step answers `probabilities` float32 (B, V) of what follows; `tokens` names them.
        """
        names = [labels] if isinstance(labels, str | bytes) else list(labels)
        return Stream(self.step, self.graph("start")({"label_ids": self.label_ids(names)}))

    def step(self, tokens: Sequence[Text], states: States) -> tuple[Answers, States]:
        """The answers to a token of each stream, and the states after it."""
        ids = self.codec.vocabulary.ids(read(token) for token in tokens)
        logits, after = self._step(np.array(ids, np.int32), states)
        return {"probabilities": softmax(logits)}, after

    @property
    def tokens(self) -> list[str]:
        """What the V probabilities are of."""
        return list(self.codec.vocabulary.tokens)

    def label_ids(self, labels: Sequence[Text]) -> np.ndarray:
        """The ids of labels in any Unicode normal form, without blanks around: int32 (B,).

        Raises:
            InputError: A label is unknown.
        """
        unicode = self.codec.unicode or unicodedata.unidata_version
        most = max([TOKEN, *map(len, self.labels)])
        places = {composed(name, unicode): at for at, name in reversed([*enumerate(self.labels)])}
        exact = {name: at for at, name in enumerate(self.labels)}
        found = []
        for label in labels:
            name = read(shortened(label, most))
            alike = composed(name.strip(ASCII_BLANKS), unicode)
            place = exact.get(name, places.get(alike))
            if place is None:
                more = f", ... ({len(self.labels)} in all)" if len(self.labels) > SHOWN else ""
                shown = ", ".join(self.labels[:SHOWN])
                raise InputError(f"label must be one of {shown}{more}; got {name[:LONGEST]}")
            found.append(place)
        return np.array(found, np.int32)

    def _step(self, token_ids: np.ndarray, states: States) -> tuple[np.ndarray, States]:
        outputs, after = self.graph("step").step({"token_ids": token_ids}, states)
        return outputs["logits"], after

    def _allowed_step(self, token_ids: np.ndarray, states: States) -> tuple[np.ndarray, States]:
        """A step after which tokens that are not generated are ruled out."""
        logits, states = self._step(token_ids, states)
        logits = np.array(logits)
        logits[:, list(NEVER)] = RULED_OUT
        return logits, states

    def _generate(
        self,
        label: list[Text],
        max_tokens: np.ndarray,
        temperature: np.ndarray,
        top_k: np.ndarray,
        top_p: np.ndarray,
        min_p: np.ndarray,
        guidance: np.ndarray,
        seed: np.ndarray,
    ) -> Answers:
        rows, class_ids = len(label), self.label_ids(label)
        step: Any = self._allowed_step
        states: Any = self.graph("start")({"label_ids": class_ids})
        if guidance.any() or min_p.any():
            step = guided(step, guidance, min_p)
            free = self.graph("start_unconditional")({"streams": np.zeros(rows, np.int32)})
            states = states, free
        logits, states = step(np.full(rows, BOS, np.int32), states)
        choose = Filter(temperature, top_k, top_p)
        limits: dict[str, Any] = {"end": EOS, "max_tokens": max_tokens}
        drawn = generate(step, logits, states, choose=choose, seed=seed, **limits)
        # the model's own probability: the tokens were drawn from another distribution
        targets = [row[:n] for row, n in zip(drawn.token_ids.tolist(), drawn.lengths, strict=True)]
        each = self._log_probabilities(class_ids, targets)
        size = drawn.token_ids.shape[1]
        each = np.pad(each, [(0, 0), (0, max(0, size - each.shape[1]))])[:, :size]
        return {
            "text": strings([self.codec.text(row) for row in drawn.token_ids]),
            "log_probability": np.sum(each, axis=1),
            "num_tokens": drawn.lengths,
            **token_answers(self.codec, drawn.token_ids, each),
            "finished": drawn.finished,
            "unknown_share": np.zeros(rows, np.float32),
        }

    def _score(self, label: list[Text], text: list[Text]) -> Answers:
        tokens, whole = split_texts(self.codec, [shortened(each) for each in text])
        targets = [[*row[:TAGGED], EOS] for row in whole]
        each = self._log_probabilities(self.label_ids(label), targets)
        return {
            **totals(np.sum(each, axis=1), targets),
            **unknown_answers(self.codec, tokens, whole),
            "truncated": np.array([is_long(each) for each in text])
            | [len(row) > TAGGED for row in whole],
        }

    def _log_probabilities(self, class_ids: np.ndarray, targets: list[list[int]]) -> np.ndarray:
        """The log-probability of each row's targets, after BOS: (B, T), 0 in the padding."""
        token_ids = padded([[BOS, *row[:-1]] if row else [] for row in targets])
        found = self.graph("model")({"label_ids": class_ids, "token_ids": token_ids})
        return target_scores(found["logits"], padded(targets))

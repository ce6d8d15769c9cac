"""Translator: text -> its translation by beam search."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rnn_zoo_runtime.decoding import Hypotheses, beam_search, coverage_penalty
from rnn_zoo_runtime.graph import Answers, Graph, States
from rnn_zoo_runtime.pipelines.pipeline import Pipeline, Texts, strings
from rnn_zoo_runtime.pipelines.writer import Codec, target_scores
from rnn_zoo_runtime.text import BOS, EOS, PAD, UNK
from rnn_zoo_runtime.text.limits import TRANSLATED, Text, is_long, shortened
from rnn_zoo_runtime.text.vocabulary import padded, padded_strings, share

CHARACTERS = 16 * TRANSLATED  # of a source, a target or a prefix that are read


class _Source(NamedTuple):
    """Sources as the model reads them."""

    tokens: np.ndarray  # objects (B, T_x), "[EOS]" at the end, "" as padding
    ids: np.ndarray  # int32 (B, T_x)
    truncated: np.ndarray  # bool (B,), whether only the beginning was read


class Translator(Pipeline):
    """Translates a text, and scores given translations.

    Args:
        graphs: `start`: the source's ids (B, T_x) -> the decoder's states before BOS, and the
            memory that it attends to; `step`: `token_ids` (R,), the states of R rows and the memory
            of B rows, n rows for each, -> `logits` (R, V) and the states.
        source: The source's codec.
        target: The target's codec.
        search: How a translation is searched for where the caller does not say: `beam_size`,
            `alpha`, `penalty`, `beta`, `no_repeat`, `min_tokens`, `ratio`, `extra` and
            `replace_unknown`; see `zoo.pipelines.BeamSearch`.
    """

    rows = 32

    def __init__(
        self, graphs: Mapping[str, Graph], source: Codec, target: Codec, search: Mapping[str, Any]
    ) -> None:
        super().__init__(graphs)
        self.source, self.target, self.search = source, target, dict(search)

    def __call__(self, texts: Texts) -> list[str]:
        """The best translation of each text."""
        return list(self.answers(self._best, text=texts)["translation"])

    def translate(
        self,
        texts: Texts,
        beam_size: Any = None,
        length_penalty: Any = None,
        max_tokens: Any = 0,
        prefixes: Texts | None = None,
    ) -> Answers:
        """Translates texts; an option may differ by row.

        Args:
            texts: Texts in the source's language.
            beam_size: 1 = greedy; by default that of `search`.
            length_penalty: alpha, by default that of `search`.
            max_tokens: 0 = as many as the source's length allows.
            prefixes: The translations begin with them; None = with anything.

        Returns:
            `translations` objects (B, n) with n the largest `beam_size`, best first, "" where a row
            has fewer; `log_probabilities` float32 (B, n), -1e20 there; `source_tokens` objects
            (B, T_x) and `target_tokens` objects (B, n, T_y); `attention` float32 (B, n, T_y, T_x);
            `unknown_share` float32 (B,) and `truncated` bool (B,).
        """
        options = {
            "beam_size": self.search["beam_size"] if beam_size is None else beam_size,
            "length_penalty": self.search["alpha"] if length_penalty is None else length_penalty,
            "max_tokens": max_tokens,
        }
        more: dict[str, Any] = {} if prefixes is None else {"prefix": prefixes}
        return self.answers(self._translate, text=texts, **more, **options)

    def score(self, texts: Texts, translations: Texts) -> Answers:
        """Scores given translations.

        Returns:
            `log_probability` float32 (B,), in nats; `num_tokens` int32 (B,), the end counted;
            `perplexity` float32 (B,); `unknown_share` float32 (B,); `truncated` bool (B,).
        """
        return self.answers(self._score, text=texts, translation=translations)

    def _translate(
        self,
        text: list[Text],
        beam_size: np.ndarray,
        length_penalty: np.ndarray,
        max_tokens: np.ndarray,
        prefix: list[Text] | None = None,
    ) -> Answers:
        most = np.where(max_tokens > 0, max_tokens, np.iinfo(np.int32).max)
        prefix_ids = (
            None if prefix is None else padded([self._target_ids(each)[0] for each in prefix])
        )
        return self._n_best(text, beam_size, length_penalty, most, prefix_ids, beam_size)

    def _best(self, text: list[Text]) -> Answers:
        search = self.search
        found = self._n_best(text, search["beam_size"], search["alpha"], None, None, 1)
        return {
            "translation": found["translations"][:, 0],
            "log_probability": found["log_probabilities"][:, 0],
            "unknown_share": found["unknown_share"],
            "truncated": found["truncated"],
        }

    def _n_best(
        self,
        text: list[Text],
        beam_size: Any,
        alpha: Any,
        max_tokens: Any,
        prefix: np.ndarray | None,
        n_best: Any,
    ) -> Answers:
        """The outputs of `translate`, with N = `n_best` translations each."""
        source = self._source(text)
        states, memory = self._encoded(source.ids)
        found, weights = self._searched(
            source.ids, states, memory, beam_size, alpha, max_tokens, prefix, n_best
        )
        longest = int(np.max(found.lengths, initial=1))
        ids = np.pad(found.token_ids, [(0, 0), (0, 0), (0, 1)])[:, :, :longest]
        attention = _attention(source.ids, ids, found.origins, weights)
        tokens = self._tokens(source, ids, attention)
        return {
            "translations": self._texts(ids, tokens),
            "log_probabilities": found.log_probabilities,
            "source_tokens": source.tokens,
            "target_tokens": tokens,
            "attention": attention,
            "unknown_share": self._unknown_share(source.ids),
            "truncated": source.truncated,
        }

    def _searched(
        self,
        source_ids: np.ndarray,
        states: States,
        memory: States,
        beam_size: Any,
        alpha: Any,
        max_tokens: Any,
        prefix: np.ndarray | None,
        n_best: Any,
    ) -> tuple[Hypotheses, list[np.ndarray]]:
        """The best target ids of source ids (B, T_x), and the attention of each step."""
        search, graph = self.search, self.graph("step")
        rows, beams = len(source_ids), int(np.max(beam_size, initial=1))
        beta = search["beta"] if "attention" in states else 0.0
        if beta:
            states = {**states, "covered": np.zeros_like(states["attention"])}
        mask = np.repeat(source_ids != PAD, beams, axis=0)
        weights: list[np.ndarray] = []

        def step(token_ids: np.ndarray, before: States) -> tuple[np.ndarray, States]:
            outputs, after = graph.step({"token_ids": token_ids, **memory}, before)
            if "attention" in after:
                weights.append(after["attention"])
            if beta:
                after["covered"] = before["covered"] + after["attention"]
            return outputs["logits"], after

        def uncovered(after: States) -> np.ndarray:
            return coverage_penalty(after["covered"], mask, beta)

        logits, states = step(np.full(rows, BOS, np.int32), states)
        weights[:] = [np.repeat(each, beams, axis=0) for each in weights]
        limits = self._limits(source_ids)
        found = beam_search(
            step,
            logits,
            states,
            end=EOS,
            max_tokens=limits if max_tokens is None else np.minimum(limits, max_tokens),
            beam_size=beam_size,
            n_best=n_best,
            min_tokens=search["min_tokens"],
            alpha=alpha,
            penalty=search["penalty"],
            bonus=uncovered if beta else None,
            prefix=prefix,
            no_repeat=search["no_repeat"],
            forbidden=(PAD, BOS) if search["replace_unknown"] else (PAD, UNK, BOS),
        )
        return found, weights

    def _encoded(self, source_ids: np.ndarray) -> tuple[States, States]:
        """The states before BOS, and the memory."""
        found = self.graph("start")({"token_ids": source_ids})
        names = self.graph("step").states
        states = {name: found[name] for name in names}
        return states, {name: each for name, each in found.items() if name not in names}

    def _limits(self, source_ids: np.ndarray) -> np.ndarray:
        """The tokens at most of each row's translation, int32 (B,)."""
        count = np.sum(source_ids != PAD, axis=1).astype(np.float32)
        most = (count * np.float32(self.search["ratio"])).astype(np.int32)
        return most + np.int32(self.search["extra"])

    def _source(self, texts: list[Text]) -> _Source:
        """Ids of sources, EOS at the end of each row."""
        rows = [self.source.tokens_and_ids(shortened(text, CHARACTERS)) for text in texts]
        most = TRANSLATED - 1
        return _Source(
            padded_strings([[*tokens[:most], "[EOS]"] for tokens, _ in rows]),
            padded([[*ids[:most], EOS] for _, ids in rows]),
            np.array(
                [
                    is_long(text, CHARACTERS) or len(ids) > most
                    for text, (_, ids) in zip(texts, rows, strict=True)
                ]
            ),
        )

    def _target_ids(self, text: Text) -> tuple[list[int], bool]:
        """The target's ids, without BOS and EOS, and whether only the beginning was read."""
        ids = self.target.tokens_and_ids(shortened(text, CHARACTERS))[1]
        cut = is_long(text, CHARACTERS) or len(ids) >= TRANSLATED
        return ids[: TRANSLATED - 1], cut

    def _unknown_share(self, source_ids: np.ndarray) -> np.ndarray:
        rows = [[each for each in row if each not in (PAD, EOS)] for row in source_ids.tolist()]
        return share([self.source.unknown(row) for row in rows])

    def _tokens(self, source: _Source, ids: np.ndarray, attention: np.ndarray) -> np.ndarray:
        """Target ids (B, N, T_y) -> objects, "" as padding, the end "[EOS]"."""
        tokens = strings(["", *self.target.vocabulary.tokens[1:]])[ids]
        if not self.search["replace_unknown"]:
            return tokens
        real = (source.ids != EOS) & (source.ids != PAD)
        place = np.argmax(np.where(real[:, None, None], attention, -1.0), axis=-1)
        seen = source.tokens[np.arange(len(place))[:, None, None], place]
        return np.where(ids == UNK, seen, tokens)

    def _texts(self, ids: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Target ids (B, N, T_y) -> objects (B, N)."""
        found = np.full(ids.shape[:2], "", object)
        for place in np.ndindex(*found.shape):
            if self.search["replace_unknown"]:
                inner = (ids[place] == UNK) | (ids[place] > EOS)
                found[place] = self.target.joined(tokens[place][inner])
            else:
                found[place] = self.target.text(ids[place])
        return found

    def _score(self, text: list[Text], translation: list[Text]) -> Answers:
        source = self._source(text)
        rows = [self._target_ids(each) for each in translation]
        targets = [[*ids, EOS] for ids, _ in rows]
        read, wanted = padded([[BOS, *ids] for ids, _ in rows]), padded(targets)
        states, memory = self._encoded(source.ids)
        total = np.zeros(len(text), np.float32)
        for place in range(wanted.shape[1]):
            inputs = {"token_ids": read[:, place], **memory}
            outputs, states = self.graph("step").step(inputs, states)
            total += target_scores(outputs["logits"][:, None], wanted[:, place, None])[:, 0]
        counts = np.array([len(row) for row in targets], np.int32)
        return {
            "log_probability": total,
            "num_tokens": counts,
            "perplexity": np.exp(-total / counts).astype(np.float32),
            "unknown_share": self._unknown_share(source.ids),
            "truncated": source.truncated | [cut for _, cut in rows],
        }


def _attention(
    source_ids: np.ndarray, ids: np.ndarray, origins: np.ndarray, weights: list[np.ndarray]
) -> np.ndarray:
    """Attention weights of tokens (B, N, T_y): (B, N, T_y, T_x); 0 in the padding.

    `weights` are those of each step's rows (R, T_x), `origins` the row that predicted a token.
    """
    found = np.zeros([*ids.shape, source_ids.shape[1]], np.float32)
    for place, each in enumerate(weights[: ids.shape[2]]):
        real = ids[:, :, place] != PAD
        found[real, place] = each[origins[:, :, place][real]]
    return found

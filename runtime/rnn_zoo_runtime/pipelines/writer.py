"""Writer: a language model continues a text and scores texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_zoo_runtime.decoding import Filter, generate, log_softmax, softmax
from rnn_zoo_runtime.graph import NEXT, Answers, Graph, States
from rnn_zoo_runtime.pipelines.pipeline import Pipeline, Texts, strings
from rnn_zoo_runtime.pipelines.stream import Stream
from rnn_zoo_runtime.text import BOS, EOS, PAD, UNK, SubwordCodec, TextCodec
from rnn_zoo_runtime.text.limits import SCORED, TEXT, Text, is_long, read, shortened
from rnn_zoo_runtime.text.vocabulary import first_unknown, padded, share

NUMBERS = 2**23  # logits that are held at once when texts are scored
NEVER = (PAD, UNK, BOS)  # tokens that are not generated
Codec = TextCodec | SubwordCodec


class Writer(Pipeline):
    """Continues a text, and scores texts.

    Args:
        graphs: `start`: `streams` -> the states before a text; `step`: `token_ids` (B,) and the
            states -> `logits` (B, V) and the states; `read` and `model`: `token_ids` (B, T) and the
            states -> the states after them, `model` with `logits` (B, T, V).
        codec: Strings <-> ids.
        ends: Whether a scored text ends where it ends: EOS is one of its tokens then.
    """

    def __init__(self, graphs: Mapping[str, Graph], codec: Codec, ends: bool = True) -> None:
        super().__init__(graphs)
        self.codec, self.ends = codec, ends

    def __call__(self, texts: Texts) -> list[str]:
        """Each prompt with what follows it, drawn by `generate`'s defaults."""
        return list(self.generate(texts)["text"])

    def generate(
        self,
        prompts: Texts,
        max_tokens: Any = 100,
        temperature: Any = 1.0,
        top_k: Any = 0,
        top_p: Any = 1.0,
        seed: Any = 0,
    ) -> Answers:
        """Continues prompts; an option may differ by row.

        Returns:
            `text` objects (B,), the prompt and what follows; `log_probability` float32 (B,), in
            nats, of what follows; `num_tokens` int32 (B,), the end counted; `tokens` objects
            (B, T), these as the vocabulary spells them, "" as padding; `token_probabilities`
            float32 (B, T), that of each under the model, 0 in the padding; of the prompt
            `unknown_share` float32 (B,), `unknown_tokens` objects (B, U) and `truncated` bool (B,).
        """
        options = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
        return self.answers(self._generate, prompt=prompts, max_tokens=max_tokens, **options)

    def score(self, texts: Texts) -> Answers:
        """Scores texts.

        Returns:
            `log_probability` float32 (B,), in nats; `num_tokens` int32 (B,); `perplexity` float32
            (B,); `num_unknown` int32 (B,); `unknown_share` float32 (B,); `unknown_tokens` objects
            (B, U); `truncated` bool (B,).
        """
        return self.answers(self._score, text=texts)

    def stream(self, rows: int = 1) -> Stream:
        """Reads B texts a token at a time; `step` takes B tokens, first "[BOS]".

        Each step answers `probabilities` float32 (B, V) of what follows; `tokens` names them.
        """
        return Stream(self.step, self.start(rows))

    def start(self, rows: int = 1) -> States:
        """The states before B texts."""
        return self.graph("start")({"streams": np.zeros(rows, np.int32)})

    def step(self, tokens: Sequence[Text], states: States) -> tuple[Answers, States]:
        """The answers to a token of each stream, and the states after it."""
        ids = self.codec.vocabulary.ids(read(token) for token in tokens)
        logits, after = self._step(np.array(ids, np.int32), states)
        return {"probabilities": softmax(logits)}, after

    @property
    def tokens(self) -> list[str]:
        """What the V probabilities are of."""
        return list(self.codec.vocabulary.tokens)

    def _step(self, token_ids: np.ndarray, states: States) -> tuple[np.ndarray, States]:
        outputs, after = self.graph("step").step({"token_ids": token_ids}, states)
        return outputs["logits"], after

    def _generate(
        self,
        prompt: list[Text],
        max_tokens: np.ndarray,
        temperature: np.ndarray,
        top_k: np.ndarray,
        top_p: np.ndarray,
        seed: np.ndarray,
    ) -> Answers:
        tokens, ids = split_texts(self.codec, [shortened(each, TEXT, "tail") for each in prompt])
        kept = [row[-SCORED:] for row in ids]
        logits, states = self._prompted(kept)
        drawn = generate(
            self._step,
            logits,
            states,
            end=EOS,
            max_tokens=max_tokens,
            choose=Filter(temperature, top_k, top_p, forbidden=NEVER),
            seed=seed,
        )
        pairs = zip(prompt, drawn.token_ids, strict=True)
        return {
            "text": strings([self.codec.continued(text, row) for text, row in pairs]),
            "log_probability": drawn.log_probability,
            "num_tokens": drawn.lengths,
            **token_answers(self.codec, drawn.token_ids, drawn.log_probabilities),
            **unknown_answers(self.codec, tokens, ids),
            "truncated": np.array([is_long(text) for text in prompt])
            | [len(row) > SCORED for row in ids],
        }

    def _prompted(self, ids: list[list[int]]) -> tuple[np.ndarray, States]:
        """The logits after BOS and the prompts' ids, and the states with which they came."""
        states = self.start(len(ids))
        if any(ids):
            # all but the last token are read at once, the last by a step, which gives the logits
            before = padded([[BOS, *row][:-1] for row in ids])
            after = self.graph("read")({"token_ids": before, **states})
            states = {name: after[f"{NEXT}{name}"] for name in states}
        last = np.array([[BOS, *row][-1] for row in ids], np.int32)
        return self._step(last, states)

    def _score(self, text: list[Text]) -> Answers:
        tokens, whole = split_texts(self.codec, [shortened(each) for each in text])
        ids = [row[:SCORED] for row in whole]
        targets = [[*row, EOS] if self.ends else row for row in ids]
        inputs = [[BOS, *row][: len(target)] for row, target in zip(ids, targets, strict=True)]
        total = self._log_probability(padded(inputs), padded(targets))
        return {
            **totals(total, targets),
            **unknown_answers(self.codec, tokens, whole),
            "truncated": np.array([is_long(each) for each in text])
            | [len(row) > SCORED for row in whole],
        }

    def _log_probability(self, token_ids: np.ndarray, target_ids: np.ndarray) -> np.ndarray:
        """The sum over a row's targets, (B,), in windows that bound the logits held at once."""
        rows, time = token_ids.shape
        width = max(16, NUMBERS // max(1, rows * len(self.codec.vocabulary)))
        states, total = self.start(rows), np.zeros(rows, np.float32)
        for place in range(0, time, width):
            part = slice(None), slice(place, place + width)
            found = self.graph("model")({"token_ids": token_ids[part], **states})
            states = {name: found[f"{NEXT}{name}"] for name in states}
            total += np.sum(target_scores(found["logits"], target_ids[part]), axis=1)
        return total


def split_texts(codec: Codec, texts: list[Text]) -> tuple[list[list[str]], list[list[int]]]:
    """The tokens and the ids of texts."""
    found = [codec.tokens_and_ids(text) for text in texts]
    return [tokens for tokens, _ in found], [ids for _, ids in found]


def unknown_answers(codec: Codec, tokens: list[list[str]], ids: list[list[int]]) -> Answers:
    """The answers about unknown tokens."""
    flags = [codec.unknown(row) for row in ids]
    return {"unknown_share": share(flags), "unknown_tokens": first_unknown(tokens, flags)}


def token_answers(codec: Codec, token_ids: np.ndarray, log_probabilities: np.ndarray) -> Answers:
    """The answers about each token drawn, (B, T) each, 0 = PAD; T is at least 1."""
    missing = [(0, 0), (0, max(0, 1 - token_ids.shape[1]))]
    ids, each = np.pad(token_ids, missing), np.pad(log_probabilities, missing)
    return {
        "tokens": np.array(["", *codec.vocabulary.tokens[1:]], object)[ids],
        "token_probabilities": np.where(ids == PAD, np.float32(0), np.exp(each)),
    }


def target_scores(logits: np.ndarray, target_ids: np.ndarray) -> np.ndarray:
    """The log-probabilities of targets (B, T), 0 = PAD, in logits (B, T, V): (B, T)."""
    each = np.take_along_axis(log_softmax(logits), target_ids[:, :, None], axis=2)[:, :, 0]
    return np.where(target_ids == PAD, np.float32(0), each)


def totals(log_probability: np.ndarray, targets: list[list[int]]) -> Answers:
    """The answers of `score` that count tokens, (B,) each."""
    counts = np.array([len(row) for row in targets], np.int32)
    return {
        "log_probability": log_probability,
        "num_tokens": counts,
        "perplexity": np.exp(-log_probability / np.maximum(counts, 1)).astype(np.float32),
        "num_unknown": np.array([row.count(UNK) for row in targets], np.int32),
    }

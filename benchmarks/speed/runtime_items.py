"""What `benchmarks/runtimes.py` gives to a model, what it should answer, and a score."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from recipes.run import Run
from zoo.decoding import ctc
from zoo.metrics import word_error_rate
from zoo.text import BOS, EOS

WRITERS = ("Writer", "ConditionalWriter")
SERIES = ("SignalClassifier", "Transcriber", "SeriesForecaster")
METRICS = {
    "Classifier": "accuracy",
    "Tagger": "accuracy",
    "Translator": "exact match",
    "Writer": "nats a token",
    "ConditionalWriter": "nats a token",
    "SignalClassifier": "accuracy",
    "Transcriber": "word error rate",
    "SeriesForecaster": "MAE",
}
Answers = Sequence[Mapping[str, Any]]


class Items(NamedTuple):
    """A part of the test split.

    Attributes:
        given: Texts, token ids of texts that begin with `BOS`, or dicts of `values` (T, F) and
            covariates.
        truths: What each should be answered with.
    """

    given: list[Any]
    truths: list[Any]


def items_of(pipeline: Any, run: Run, count: int) -> Items:
    """The first items of a run's test split; the tokens of its first texts for a writer."""
    kind = type(pipeline).__name__
    prepared = run.load_data()
    if kind in SERIES:
        return _series(pipeline, run, prepared, count)
    examples = prepared.splits.test[:count]
    if kind in WRITERS:
        return _tokens(pipeline, examples, count)
    if kind == "Tagger":
        return Items([" ".join(each.tokens) for each in examples], [each.tags for each in examples])
    if kind == "Translator":
        return Items([each.source for each in examples], [each.target for each in examples])
    return Items([each.text for each in examples], [each.label for each in examples])


def _tokens(pipeline: Any, examples: Sequence[Any], count: int) -> Items:
    """The tokens of texts, each after `BOS`; of a conditional writer those of its first label."""
    texts = [each if isinstance(each, str) else each.text for each in examples]
    if hasattr(pipeline, "labels"):
        first = pipeline.labels[0]
        texts = [each.text for each in examples if each.label == first] or texts
    given: list[int] = []
    truths: list[int] = []
    for ids in pipeline.codec.encode(texts):
        given += [BOS, *ids.tolist()]
        truths += [*ids.tolist(), EOS]
    return Items(given[:count], truths[:count])


def _series(pipeline: Any, run: Run, prepared: Any, count: int) -> Items:
    """Series of the test split as its batches have them, without their padding."""
    given: list[Any] = []
    truths: list[Any] = []
    for inputs, labels, *_ in run.recipe.batches(pipeline.model, run.config, prepared, "test")():
        rows = {name: np.asarray(each) for name, each in inputs.items() if name != "targets"}
        lengths = rows.pop("lengths")
        for row, length in enumerate(lengths):
            item = {name: each[row].tolist() for name, each in rows.items()}
            item["values"] = rows["values"][row, :length].tolist()
            given.append(item)
            truths.append(_truth(pipeline, np.asarray(labels)[row]))
        if len(given) >= count:
            break
    return Items(given[:count], truths[:count])


def _truth(pipeline: Any, label: Any) -> Any:
    kind = type(pipeline).__name__
    if kind == "SignalClassifier":
        return pipeline.classes[int(label)]
    if kind == "Transcriber":
        return pipeline.separator.join(pipeline.labels[each - 1] for each in label if each > 0)
    return np.asarray(label)[..., 0].tolist() if np.ndim(label) == 3 else np.asarray(label).tolist()


def score(pipeline: Any, answers: Answers, truths: Sequence[Any]) -> float | None:
    """How good answers are, one for each item, in the metric of `METRICS`; None if not known.

    Answers are those of a pipeline, or `logits`, and `quantiles`, of its model.
    """
    kind = type(pipeline).__name__
    if kind in WRITERS:
        losses = []
        for answer, truth in zip(answers, truths, strict=True):
            logits = np.asarray(answer["logits"], np.float64)[0]
            losses.append(
                np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[truth]
            )
        return float(np.mean(losses))
    if kind == "SeriesForecaster":
        found = [_median(pipeline, answer) for answer in answers]
        errors = np.abs(np.array(found) - np.array(truths, np.float64))
        return float(np.nanmean(errors))
    if kind == "Transcriber":
        texts = [_transcript(pipeline, answer) for answer in answers]
        return float(word_error_rate(list(truths), texts))
    if kind == "Tagger":
        return _tag_accuracy(pipeline, answers, truths)
    if kind == "Translator":
        first = [np.asarray(answer["translations"])[0] for answer in answers]
        return float(np.mean([str(a[0]) == b for a, b in zip(first, truths, strict=True)]))
    labels = [
        answer["label"][0] if "label" in answer else pipeline.classes[_best(answer)[0]]
        for answer in answers
    ]
    return float(np.mean([str(a) == b for a, b in zip(labels, truths, strict=True)]))


def _best(answer: Mapping[str, Any]) -> Any:
    return np.asarray(answer["logits"]).argmax(axis=-1)


def _median(pipeline: Any, answer: Mapping[str, Any]) -> Any:
    if "forecast" in answer:
        return np.asarray(answer["forecast"])[0]
    levels = pipeline.model.head.quantiles
    return np.asarray(answer["quantiles"])[0, ..., levels.index(0.5)]


def _transcript(pipeline: Any, answer: Mapping[str, Any]) -> str:
    if "text" in answer:
        return str(answer["text"][0])
    found = ctc.greedy(tf.constant(answer["logits"], tf.float32))
    ids = [each for each in found.label_ids.numpy()[0] if each > 0]
    return str(pipeline.separator.join(pipeline.labels[each - 1] for each in ids))


def _tag_accuracy(pipeline: Any, answers: Answers, truths: Sequence[Any]) -> float | None:
    """The share of tokens with the right tag; of a CRF's emissions none is known."""
    right = total = 0
    for answer, truth in zip(answers, truths, strict=True):
        if "tags" in answer:
            found = [str(each) for each in answer["tags"][0]]
        elif getattr(pipeline.model, "crf", None) is not None:
            return None
        else:
            found = [pipeline.tags[each] for each in _best(answer)[0]]
        right += sum(a == b for a, b in zip(found, truth, strict=False))
        total += len(truth)
    return right / total

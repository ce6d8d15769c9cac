"""What a whole run says at its end: examples of answers, and what a built-in model is good for."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from zoo.text import SPECIAL

NOTES = {
    "sentiment": "It learned generated reviews of films and products and knows {known} words; "
    "all others are unknown to it. Train on real reviews before you use it: "
    "python -m recipes sentiment --data reviews.tsv --text-column review --label-column stars",
    "ner": "It learned generated sentences about persons, cities and products and knows {known} "
    "words. Train on real sentences before you use it: "
    "python -m recipes ner --data mine.conll",
    "pos": "It learned generated sentences, many of whose words are made up, and knows {known} "
    "words. Train on real sentences before you use it: python -m recipes pos --data mine.conllu",
    "origin": "It learned invented names of invented nations ({classes}), not of real ones. Train "
    "on real names before you use it: "
    "python -m recipes origin --data names.tsv --text-column name --label-column country",
    "names": "It writes names of invented nations ({classes}), not of real ones. Train on real "
    "names before you use it: "
    "python -m recipes names --data names.tsv --text-column name --label-column country",
    "melodies": "It learned generated melodies of four bars in a major key. Train on real ones "
    "before you use it: python -m recipes melodies --data FOLDER, of MIDI or JSON files",
    "generation": "It learned generated lines of three kinds (brackets, couplets and sentences "
    "whose verb agrees with the first noun) and can write no others. Train on real text before "
    "you use it: python -m recipes generation --data mine.txt",
    "translation": "It learned generated English dates from 1900 to 2049, the day before the month "
    "where both are numbers, and translates nothing else. Train on real pairs of texts before you "
    "use it: python -m recipes translation --data pairs.tsv --source 0 --target 1",
}


def is_builtin(config: Any) -> bool:
    """Whether a run's data is the built-in corpus, not a data set or files."""
    return config.data == "builtin" and not getattr(config, "source_file", "")


def note(task: ModuleType, config: Any, prepared: Any) -> str:
    """What a model of the built-in corpus is good for, and how to train one on real data.

    Args:
        task: The recipe's module.
        config: The run's options.
        prepared: What the recipe's `prepare` returned.

    Returns:
        A few sentences, or an empty string where the data is the user's own.
    """
    if not is_builtin(config):
        return ""
    classes = ", ".join(getattr(prepared, "classes", ()))
    text = NOTES[task.NAME].format(known=f"{_known_words(prepared):,}", classes=classes)
    return f"about this model: {text}"


def _known_words(prepared: Any) -> int:
    """The words of the run's vocabulary, without special tokens; 0 where there is none."""
    vocabulary = getattr(getattr(prepared, "vectorizer", None), "vocabulary", SPECIAL)
    return len(vocabulary) - len(SPECIAL)


def line_of(task: ModuleType) -> Callable[[dict[str, Any]], str]:
    """How the recipe's answers are shown at the end of a run: by its `example_line` or `line`."""
    shown: Callable[[dict[str, Any]], str] = getattr(task, "example_line", task.line)
    return shown

"""What trained models there are, read from their configurations without TensorFlow."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo import catalog
from zoo.errors import InputError, nearest
from zoo.pretrained import places
from zoo.system.artefact import read_config

HEADS = ("name", "task", "language", "metric", "size", "licence")
MIB = 1 << 20


@dataclass(frozen=True)
class Model:
    """A trained model, as its configuration describes it.

    Attributes:
        name: What `zoo.load` takes.
        folder: Where it is.
        task: What it does, in a few words; by default its recipe's name.
        language: Codes such as `en`, or `en-fr`; "" if it reads no language.
        licence: Of its weights, an SPDX identifier.
        metric: The name of the metric of its test split; "" if unknown.
        value: Its value, from 0 to 1, BLEU from 0 to 100, losses in nats.
        size: Bytes of its files.
        topology: The architecture's way from input to output; "" if unknown.
        cell: The recurrent cell; "" for a model without one, or if unknown.
    """

    name: str
    folder: Path
    task: str
    language: str = ""
    licence: str = ""
    metric: str = ""
    value: float | None = None
    size: int = 0
    topology: str = ""
    cell: str = ""

    @classmethod
    def of(cls, name: str, folder: Path) -> "Model":
        """A model from its folder.

        Raises:
            InputError: A newer version wrote it.
            DamagedFile: Its configuration is damaged.
        """
        content = read_config(folder, verified=False)
        about, model = _dict(content.get("about")), _dict(content.get("model"))
        options, metric = _dict(model.get("options")), _dict(about.get("metric"))
        topologies = {entry.name: entry.topology for entry in catalog.architectures()}
        return cls(
            name=name,
            folder=folder,
            task=str(about.get("task") or content.get("recipe") or ""),
            language=str(about.get("language", "")),
            licence=str(about.get("licence", "")),
            metric=str(metric.get("name", "")),
            value=metric.get("value"),
            size=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
            topology=topologies.get(str(model.get("name"))) or "",
            cell=str(options.get("cell") or ""),
        )

    def cells(self) -> tuple[str, ...]:
        """What a line of the table shows, in the order of `HEADS`."""
        value = "" if self.value is None else f"{self.metric} {self.value:.4g}"
        size = f"{self.size / MIB:.1f} MB"
        return self.name, self.task, self.language, value, size, self.licence


def models(
    task: str | None = None,
    language: str | None = None,
    topology: str | None = None,
    cell: str | None = None,
) -> list[Model]:
    """The trained models by name, all of them or those with the given attributes.

    Raises:
        InputError: No trained model has an attribute; the sentence names the nearest one.
    """
    found = [Model.of(name, folder) for name, folder in sorted(places.folders().items())]
    given = {"task": task, "language": language, "topology": topology, "cell": cell}
    for key, value in given.items():
        known = {getattr(each, key) for each in found} - {""}
        if value is not None and known and value not in known:
            raise InputError(f"no trained model has the {key} {value!r}: {nearest(value, known)}")
    return [
        each
        for each in found
        if all(value in (None, getattr(each, key)) for key, value in given.items())
    ]


def names(
    task: str | None = None,
    language: str | None = None,
    topology: str | None = None,
    cell: str | None = None,
) -> list[str]:
    """The names of the trained models that are installed, in alphabetical order.

    Args:
        task: Only those for a task, as `python -m zoo list --pretrained` prints it.
        language: Only those for a language, such as `en`, or a pair, such as `en-fr`.
        topology: Only those of a topology, such as `many_to_many`.
        cell: Only those with a recurrent cell, such as `lstm`.

    Raises:
        InputError: No trained model has an attribute; the sentence names the nearest one.
    """
    return [each.name for each in models(task, language, topology, cell)]


def table(found: list[Model]) -> str:
    """The models as text: name, task, language, metric on the test split, size, licence."""
    if not found:
        return f"none: `pip install {places.PACKAGE}` installs some"
    rows = [HEADS, *(each.cells() for each in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", f"zoo.load({json.dumps(found[0].name)}) loads one of them."])


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

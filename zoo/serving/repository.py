"""The served models: loads versions, replaces them, frees the old ones."""

import gc
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo import export
from zoo.errors import DamagedFile, Failure, InputError
from zoo.serving.refusals import Refused, wrong
from zoo.serving.served import Version
from zoo.serving.settings import Settings

GRAPH = "saved_model.pb"
Stamp = tuple[Any, ...]


@dataclass
class Model:
    """A model's loaded versions, and why others could not be loaded.

    Attributes:
        name: Its name.
        versions: Number -> version, those that answer.
        broken: Number -> the sentence of the error, and the folder's stamp at that time.
        labels: Label -> number.
    """

    name: str
    versions: dict[int, Version] = field(default_factory=dict)
    broken: dict[int, tuple[str, Stamp]] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)

    @property
    def newest(self) -> Version | None:
        """The version that answers by default."""
        return self.versions[max(self.versions)] if self.versions else None


class Repository:
    """The models in a folder `saved_models`, or the one in `saved_models/NAME`.

    `look` runs in a thread of its own. What it changes are whole entries of dicts, so that a
    request sees the old version or the new one.
    """

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
    ) -> None:
        self.settings, self.say = settings, say
        self.models: dict[str, Model] = {}
        self._retired = False

    def folders(self) -> dict[str, Path]:
        """The folder of each model, by name: those that have a version of a SavedModel."""
        root = self.settings.folder
        found = {path.name: path for path in _subfolders(root) if _numbers(path)}
        if not found and _numbers(root):
            found = {root.resolve().name: root}
        return {name: path for name, path in sorted(found.items()) if not set(name) & set("/:")}

    def look(self) -> None:
        """Loads new versions, and retires those that are no longer wanted or have gone."""
        if self._retired:  # a graph is part of cycles; by now its last requests have been answered
            self._retired = False
            gc.collect()
        folders = self.folders()
        for name, folder in folders.items():
            model = self.models.get(name)
            if model is None:
                model = Model(name, labels=dict(self.settings.labels.get(name, {})))
            self._update(model, folder)
            if model.versions or model.broken:
                self.models[name] = model
        for name in set(self.models) - set(folders):
            for version in self.models.pop(name).versions.values():
                self._retire(version, ": its folder has gone")

    def _update(self, model: Model, folder: Path) -> None:
        there = _numbers(folder)
        labelled = set(model.labels.values()) & set(there)
        working = 0
        wanted = set()
        for number in sorted(there, reverse=True):
            if working >= self.settings.keep and number not in labelled:
                continue
            if number in model.versions or self._load(model, number, folder / str(number)):
                wanted.add(number)
                working += 1
        model.broken = {number: why for number, why in model.broken.items() if number in there}
        for number in set(model.versions) - wanted:
            version = model.versions[number]
            model.versions = {n: each for n, each in model.versions.items() if n != number}
            self._retire(version)

    def _retire(self, version: Version, why: str = "") -> None:
        self.say(f"no longer serves {version}{why}")
        version.retire()
        self._retired = True

    def _load(self, model: Model, number: int, path: Path) -> bool:
        """Whether a version works now; one that failed is tried again when its files change."""
        stamp = _stamp(path)
        if model.broken.get(number, ("", ()))[1] == stamp:
            return False
        try:
            version = Version(model.name, number, path)
            try:
                warmed = version.warm_up()
            except Failure:
                version.retire()
                raise
        except (DamagedFile, Failure, OSError) as error:
            # without the folder's name: clients see the sentence, too
            reason = str(error).replace(f"{path}/", "").replace(str(path), "its folder")
            model.broken = {**model.broken, number: (reason, stamp)}
            older = f"; version {max(model.versions)} goes on" if model.versions else ""
            self.say(f"refused {model.name} version {number}: {reason}{older}")
            return False
        model.broken = {n: why for n, why in model.broken.items() if n != number}
        model.versions = {**model.versions, number: version}
        self.say(f"serves {version} (warm-up requests: {warmed})")
        return True

    def close(self) -> None:
        """Frees all versions."""
        for model in self.models.values():
            for version in model.versions.values():
                version.retire()
        self.models = {}

    def find(self, name: str, number: int | None = None, label: str | None = None) -> Version:
        """The version that a request names, by default the newest one.

        Raises:
            Refused: It is not served.
        """
        model = self.models.get(name)
        if label is not None and model is not None:
            if label not in model.labels:
                raise wrong(f"Unrecognized servable version label: {label}")
            number = model.labels[label]
        found = model and (model.newest if number is None else model.versions.get(number))
        if not found:
            wanted = f"Latest({name})" if number is None else f"Specific({name}, {number})"
            raise Refused(404, f"Servable not found for request: {wanted}")
        return found


def labels(words: list[str]) -> Mapping[str, dict[str, int]]:
    """Labels from words `NAME:LABEL=VERSION`.

    Raises:
        InputError: A word has another form.
    """
    found: dict[str, dict[str, int]] = {}
    for word in words:
        name, _, rest = word.partition(":")
        label, _, number = rest.partition("=")
        if not (name and label and number.isdecimal() and ":" not in label):
            raise InputError(f"--label must be NAME:LABEL=VERSION, got {word!r}")
        found.setdefault(name, {})[label] = int(number)
    return found


def _subfolders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]


def _numbers(folder: Path) -> list[int]:
    """The versions in a folder that hold a SavedModel."""
    return [n for n in export.versions(folder) if (folder / str(n) / GRAPH).is_file()]


def _stamp(path: Path) -> Stamp:
    """What changes when a version's files change: names, sizes, times."""
    return tuple(
        (str(each), stat.st_size, stat.st_mtime_ns)
        for each in sorted(path.rglob("*"))
        if (stat := each.stat())
    )

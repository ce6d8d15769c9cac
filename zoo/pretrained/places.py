"""Where trained models are: a folder, an installed package, the user's own folder, a hub."""

import os
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from zoo.errors import InputError, nearest
from zoo.pretrained import hub
from zoo.system.artefact import CONFIG, is_artefact

GROUP = "rnn_zoo.models"  # entry points; the value is a package whose folders are models
HOME = "RNN_ZOO_HOME"
PACKAGE = "rnn-zoo-models"
KNOWN = "a name that zoo.pretrained() lists, a folder that Pipeline.save wrote, or a run's folder"


def home() -> Path:
    """The folder of the user's own models: `RNN_ZOO_HOME`, or `rnn-zoo` in the cache folder."""
    given = os.environ.get(HOME, "")
    if given:
        return Path(given).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache) and os.name == "nt":
        cache = os.environ.get("LOCALAPPDATA", "")
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "rnn-zoo"


def folders() -> dict[str, Path]:
    """The folder of each trained model by its name; of equal names the first place counts."""
    found: dict[str, Path] = {}
    for place in (*_packages(), home()):
        if place.is_dir():
            for folder in sorted(place.iterdir()):
                if not folder.name.startswith(".") and is_artefact(folder):
                    found.setdefault(folder.name, folder)
    return found


def _packages() -> Iterator[Path]:
    """The folders of the installed packages of models, which are not imported."""
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        spec = find_spec(entry.value)
        for place in (spec.submodule_search_locations if spec else None) or ():
            yield Path(place)


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a recipe's run."""
    return (folder / CONFIG).is_file() and not is_artefact(folder)


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """The folder of a trained model: an artefact, or a run of a recipe.

    Args:
        name_or_path: A folder; else a name that `zoo.pretrained()` lists; or `hf://USER/NAME`,
            optionally with `@REVISION`, of a repository that is downloaded with `huggingface_hub`.

    Raises:
        InputError: There is no such model; the sentence names the nearest one.
    """
    text = os.fspath(name_or_path)
    if "://" in text:
        return hub.folder(text)
    path = Path(text)
    if is_artefact(path) or is_run(path):
        return path
    known = folders()
    if text in known:
        return known[text]
    if path.exists() or path.name != text:
        raise _no_model(path)
    hint = nearest(text, known) if known else f"install some with `pip install {PACKAGE}`"
    raise InputError(f"there is no trained model {text!r}, neither as a folder nor by name: {hint}")


def _no_model(path: Path) -> InputError:
    if not path.exists():
        return InputError(f"{path} does not exist: give {KNOWN}")
    if (path / "saved_model.pb").is_file():
        return InputError(
            f"{path} is an exported model, which tf.saved_model.load loads: give {KNOWN}"
        )
    runs = sorted(each.parent for each in path.glob(f"*/{CONFIG}") if is_run(each.parent))
    hint = f"give one of its runs, such as {runs[-1]}" if runs else f"give {KNOWN}"
    return InputError(f"{path} holds no trained model: {hint}")

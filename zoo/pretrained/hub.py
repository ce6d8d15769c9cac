"""Models of the Hugging Face Hub, which `huggingface_hub` downloads into its own cache."""

import re
from pathlib import Path

from zoo.errors import InputError, require_package
from zoo.system.artefact import is_artefact

SCHEME = "hf://"
# what an artefact has: other files of a repository are not downloaded
PATTERNS = ("*.json", "*.txt", "*.md", "*.h5", "*.keras", "SHA256SUMS")
_NAME = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


def folder(name: str) -> Path:
    """The folder of a repository, downloaded unless it is in the cache.

    Args:
        name: `hf://USER/NAME` or `hf://USER/NAME@REVISION`.

    Raises:
        InputError: It is no such name, the package is not installed, or the repository cannot be
            read or holds no model of the project.
    """
    found = _NAME.fullmatch(name.removeprefix(SCHEME))
    if not name.startswith(SCHEME) or not found:
        raise InputError(
            f"{name} is no address of a model: give hf://USER/NAME or hf://USER/NAME@REVISION"
        )
    library = require_package("huggingface_hub", "hub", f"loading {name}")
    try:
        place = Path(
            library.snapshot_download(found[1], revision=found[2], allow_patterns=PATTERNS)
        )
    except (OSError, ValueError) as error:  # the classes of its errors are among these
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"{name} cannot be downloaded ({lines[0][:200].rstrip('.:')}): check the name, the "
            "network and your access to it"
        ) from error
    if not is_artefact(place):
        raise InputError(f"{name} holds no model that Pipeline.save wrote: give another repository")
    return place

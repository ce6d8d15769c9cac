"""What is known of a saved model, for a page of text and for JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from zoo.system import checksums, stored

PROVENANCE = "assets.extra/provenance.json"
ADVICE = "export again, or put back a copy"
SPECIAL = "[PAD]"  # the first token of each vocabulary
SHOWN = 40  # signatures' tensors are listed up to this number


@dataclass(frozen=True)
class Tensor:
    """An input or an output.

    Attributes:
        name: Its name.
        dtype: Its type, as NumPy names it; `string` for text.
        shape: The size of each axis, or its name, None where it is neither known nor named.
    """

    name: str
    dtype: str
    shape: Sequence[int | str | None]

    def __str__(self) -> str:
        axes = ["?" if size is None else str(size) for size in self.shape]
        return f"{self.name}: {self.dtype} ({', '.join(axes)})"


@dataclass(frozen=True)
class Signature:
    """A function of a model: its inputs and outputs."""

    inputs: list[Tensor]
    outputs: list[Tensor]


@dataclass
class Report:
    """What is known of a saved model.

    Attributes:
        kind: What it is, such as `SavedModel`.
        path: Its file or folder.
        signatures: Its functions by name.
        parameters: Numbers in its weights; None if it does not say.
        vocabularies: Name -> number of tokens.
        details: More that the format says, such as an ONNX file's opset.
        provenance: The run and the data that it comes from, as the export stored them.
        checksums: Whether `SHA256SUMS` was compared, or is not there.
        files: Name -> bytes, relative to the folder.
    """

    kind: str
    path: Path
    signatures: dict[str, Signature] = field(default_factory=dict)
    parameters: int | None = None
    vocabularies: dict[str, int] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    checksums: str = ""
    files: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fills in sizes and where it comes from, and compares the checksums.

        Raises:
            DamagedFile: A file differs from its checksum, or is missing.
        """
        folder = self.path if self.path.is_dir() else self.path.parent
        found = sorted(folder.rglob("*")) if self.path.is_dir() else [self.path]
        self.files = {
            path.relative_to(folder).as_posix(): path.stat().st_size
            for path in found
            if path.is_file()
        }
        if self.path.is_dir():
            checksums.verify_tree(folder)
            compared = (folder / checksums.NAME).exists()
        else:
            checksums.verify(self.path, ADVICE)
            compared = self.path.name in checksums.recorded(folder)
        self.checksums = "verified" if compared else "none"
        if (folder / PROVENANCE).is_file() and self.path.is_dir():
            self.provenance = stored.read_json(folder / PROVENANCE, dict, missing=ADVICE)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(self.files.values())

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "path": str(self.path), "bytes": self.size}

    def __str__(self) -> str:
        lines = [f"{self.kind}  {self.path}", f"size: {self.size:,} bytes"]
        if self.parameters is not None:
            lines.append(f"parameters: {self.parameters:,}")
        facts = {**self.details, **self.vocabularies}
        lines += [
            f"{name}: {_shown(value)}"
            for name, value in facts.items()
            if value not in ([], "[]", "", None)
        ]
        lines.append(f"checksums: {self.checksums}")
        if self.provenance:
            lines += ["", "comes from", *_indented(self.provenance)]
        for name, signature in self.signatures.items():
            lines += ["", name]
            for title, tensors in (("in ", signature.inputs), ("out", signature.outputs)):
                lines += [f"  {title}  {tensor}" for tensor in tensors[:SHOWN]]
                if len(tensors) > SHOWN:
                    lines.append(f"  {title}  ... and {len(tensors) - SHOWN} more")
        lines += ["", "files", *_indented({k: f"{v:,}" for k, v in self.files.items()})]
        return "\n".join(lines)


def _indented(values: Mapping[str, Any]) -> Iterable[str]:
    return [f"  {name}: {_shown(value)}" for name, value in values.items()]


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def text_path_sizes(folder: Path, described: Mapping[str, Any]) -> dict[str, int]:
    """The vocabulary sizes of the text paths that `TextPath.save` wrote into a folder.

    `described` are the text paths by name, as `pipeline.json` has them.
    """
    found = {}
    for name in described:
        path = folder / f"{name}.txt"
        if path.is_file():
            with path.open("rb") as file:
                found[f"vocabulary of {name}"] = sum(1 for _ in file)
    return found

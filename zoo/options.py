"""Options: each is declared once, and flags, help, checks and `describe` follow from that.

An option is a builder's keyword argument, with its meaning in the builder's docstring, or a field
of a dataclass made by `option`. A builder's argument whose default is such a dataclass stands for
all its fields: `options_of` lists them flat, and `gathered` collects flat values into it again.
"""

import argparse
import dataclasses
import inspect
import json
import re
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import require_choice

REQUIRED = inspect.Parameter.empty  # the default of an option that must be given
SCALARS = (bool, int, float, str)
METAVARS: dict[Any, str] = {str: "TEXT", int: "N", float: "X"}


@dataclass(frozen=True)
class Condition:
    """The values of another option with which an option has an effect.

    Attributes:
        option: The other option.
        among: The values that give an effect.
        excluded: Or the values that give none.
        least: Or the smallest number that gives an effect.
    """

    option: str
    among: Sequence[Any] = ()
    excluded: Sequence[Any] = ()
    least: float | None = None

    def __post_init__(self) -> None:
        """Takes lists, as JSON has them."""
        object.__setattr__(self, "among", tuple(self.among))
        object.__setattr__(self, "excluded", tuple(self.excluded))

    def holds(self, value: Any) -> bool:
        """Whether the other option's value gives an effect."""
        if self.least is not None:
            return bool(value >= self.least)
        return value in self.among if self.among else value not in self.excluded

    def __str__(self) -> str:
        if self.least is not None:
            return f"at least {self.least}"
        words = [str(value).lower() for value in self.among or self.excluded]
        return ("" if self.among else "not ") + " or ".join(words)


@dataclass(frozen=True)
class Option:
    """One option, by whatever it was declared.

    Attributes:
        name: Its name as a Python argument.
        annotation: Its type as declared.
        default: Its value when it is not given; `REQUIRED` for one that must be.
        help: Its meaning.
        only_if: When it has an effect; None for always.
        late: Whether lists show it after the more common ones.
    """

    name: str
    annotation: Any = Any
    default: Any = REQUIRED
    help: str = ""
    only_if: Condition | None = None
    late: bool = False

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED

    @property
    def flag(self) -> str:
        """Its command line flag."""
        return "--" + self.name.replace("_", "-")

    def field(self) -> Any:
        """Returns a dataclass field that declares it again; one that is required is None there."""
        metadata = {"help": self.help, "only_if": self.only_if, "late": self.late}
        default = None if self.required else self.default
        if isinstance(default, list | dict | set):
            return dataclasses.field(default_factory=lambda: default, metadata=metadata)
        return dataclasses.field(default=default, metadata=metadata)

    @property
    def type_name(self) -> str:
        """Its type as text."""
        return getattr(self.annotation, "__name__", str(self.annotation))

    @property
    def kind(self) -> type | None:
        """The class of its values: a scalar's, list or dict; None where it may be anything.

        Of `int | None` it is int, of `Sequence[int]` list, of `dict[str, Any]` dict. Without an
        annotation the default decides, and an option without both is an int.
        """
        annotation = self.annotation
        union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
        parts = typing.get_args(annotation) if union else (annotation,)
        kinds = [typing.get_origin(part) or part for part in parts if part is not types.NoneType]
        for kind in kinds:
            if kind in SCALARS or kind is dict:
                return typing.cast(type, kind)
            if isinstance(kind, type) and issubclass(kind, Sequence):
                return list
        if isinstance(self.default, tuple | list):
            return list
        if isinstance(self.default, (*SCALARS, dict)):
            return type(self.default)
        return int if annotation is REQUIRED and self.required else None


def option(
    default: Any,
    help: str,
    *,
    check: Callable[[str, Any], None] | None = None,
    choices: Sequence[str] = (),
    only_if: Condition | None = None,
    late: bool = False,
) -> Any:
    """Returns a dataclass field that declares an `Option`.

    `check`, called with the option's name and value, raises an InputError for a wrong value;
    `choices` are the values that it may have.
    """
    if choices:
        check = lambda name, value: require_choice(name, value, choices)  # noqa: E731
    metadata = {"help": help, "check": check, "only_if": only_if, "late": late}
    return dataclasses.field(default=default, metadata=metadata)


def validate(options: Any) -> None:
    """Checks each field of a dataclass of options by its own `check`.

    Raises:
        InputError: A value is wrong.
    """
    for field in dataclasses.fields(options):
        check = field.metadata.get("check")
        if check is not None:
            check(field.name, getattr(options, field.name))


def options_of(target: Any) -> dict[str, Option]:
    """Returns the options of a builder or of a dataclass by their names.

    The values of a dataclass's instance are the defaults.
    """
    if dataclasses.is_dataclass(target):
        return {each.name: each for each in _fields(target)}
    meanings = meanings_of(inspect.getdoc(target) or "")
    found = []
    for name, parameter in _parameters(target).items():
        if _is_group(parameter.default):
            found += [
                dataclasses.replace(each, help=meanings.get(each.name, each.help))
                for each in _fields(parameter.default)
            ]
        else:
            text = meanings.get(name, "")
            found.append(Option(name, parameter.annotation, parameter.default, text))
    return {each.name: each for each in found}


def gathered(builder: Callable[..., Any], flat: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a builder's arguments from flat options: those of a dataclass are put into it.

    Raises:
        InputError: A dataclass refuses a value.
    """
    arguments = {}
    for name, parameter in _parameters(builder).items():
        if _is_group(parameter.default):
            own, _ = divided(type(parameter.default), flat)
            arguments[name] = dataclasses.replace(parameter.default, **own)
        elif name in flat:
            arguments[name] = flat[name]
    return arguments


def divided(options: Any, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the values of a dataclass's fields, and all others."""
    names = {field.name for field in dataclasses.fields(options)}
    own = {name: value for name, value in values.items() if name in names}
    return own, {name: value for name, value in values.items() if name not in names}


def meanings_of(text: str) -> dict[str, str]:
    """Returns each argument's meaning from the Args section of a Google-style docstring."""
    match = re.search(r"^Args:\n((?: .*\n?|\n)*)", text, re.M)
    body = textwrap.dedent(match[1]) if match else ""
    entries = re.findall(r"^(\w+): (.*(?:\n[ ]+.*)*)", body, re.M)
    return {argument: " ".join(meaning.split()) for argument, meaning in entries}


def add_arguments(
    parser: Any,
    options: Iterable[Option],
    several: str = "",
    other_defaults: Mapping[str, str] | None = None,
) -> None:
    """Adds a flag for each option; one that is not given is missing from the parsed result.

    `several` explains how to write several values of an option; the parsed value is then the text.
    `other_defaults` has, by name, text about a default that applies elsewhere. The parser may be a
    group of one.
    """
    for each in options:
        text, other = each.help.removesuffix("."), (other_defaults or {}).get(each.name, "")
        if each.default not in (None, "") and not each.required:
            text += f" (default: {shown(each.default)}{other and '; '}{other})"
        elif other:
            text += f" ({other})"
        if several:
            text += f"; one value, or {several}"
        reading: dict[str, Any] = {
            "type": each.kind if each.kind in (str, int, float) else _read_json,
            "metavar": METAVARS.get(each.kind, "JSON"),
        }
        if several:
            reading = {"metavar": "VALUES"}
        elif each.kind is bool:
            reading = {"action": argparse.BooleanOptionalAction}
        parser.add_argument(
            each.flag, default=argparse.SUPPRESS, help=text.replace("%", "%%"), **reading
        )
        if several and each.kind is bool:
            parser.add_argument(
                each.flag.replace("--", "--no-", 1),
                dest=each.name,
                action="store_const",
                const="false",
                default=argparse.SUPPRESS,
                help=argparse.SUPPRESS,
            )


def shown(value: Any) -> str:
    """Returns a value as a command line takes it."""
    return json.dumps(value) if isinstance(value, list | tuple | dict) else str(value)


def _read_json(word: str) -> Any:
    try:
        return json.loads(word)
    except json.JSONDecodeError:
        raise argparse.ArgumentTypeError(
            f'must be JSON such as {{"reset_after": false}}, got {word}'
        ) from None


def _parameters(target: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(target, eval_str=True).parameters
    except NameError:  # an annotation that was imported for type checkers alone
        return inspect.signature(target).parameters


def _is_group(default: Any) -> bool:
    return dataclasses.is_dataclass(default) and not isinstance(default, type)


def _fields(options: Any) -> list[Option]:
    """The fields of a dataclass, or of an instance that has the defaults; the late ones last."""
    hints = typing.get_type_hints(options if isinstance(options, type) else type(options))
    found = [
        Option(
            field.name,
            hints[field.name],
            _default(field) if isinstance(options, type) else getattr(options, field.name),
            field.metadata.get("help", ""),
            field.metadata.get("only_if"),
            field.metadata.get("late", False),
        )
        for field in dataclasses.fields(options)
    ]
    return sorted(found, key=lambda each: each.late)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return REQUIRED if field.default is dataclasses.MISSING else field.default

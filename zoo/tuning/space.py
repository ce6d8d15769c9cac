"""What is searched: `16:512:log`, `gru,lstm` -> axes, and which of them depend on others."""

import dataclasses
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import InputError
from zoo.options import Condition
from zoo.system.commas import separated
from zoo.tuning.values import SCALARS, label, plain

NOTATION = "A,B,C or LOW:HIGH, LOW:HIGH:STEP, LOW:HIGH:log, LOW:HIGH:log:FACTOR"
MOST = 10_000  # values of a range
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Axis:
    """One option that is searched: some values, or a range of real numbers.

    Attributes:
        name: The option.
        values: The values in their order, or none for a range; each is JSON's, so a list for a
            tuple.
        low: The range's lower end.
        high: Its upper end.
        log: Whether it is drawn evenly in the logarithm.
        only_if: When the option has an effect; None for always. JSON's form is accepted as well.

    Raises:
        InputError: JSON has no such value.
    """

    name: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    only_if: Condition | None = None

    def __post_init__(self) -> None:
        """Puts the values into JSON's types, each once."""
        if isinstance(self.only_if, dict):
            object.__setattr__(self, "only_if", Condition(**self.only_if))
        values = {label(value): value for value in plain(self.name, self.values)}
        object.__setattr__(self, "values", tuple(values.values()))

    @property
    def numeric(self) -> bool:
        """Whether its values have an order and distances."""
        return all(type(value) in (int, float) for value in self.values)

    @property
    def labels(self) -> tuple[Any, ...]:
        """What stands for the values in KerasTuner, which takes one plain type: text for others."""
        kinds = {type(value) for value in self.values}
        if len(kinds) <= 1 and kinds <= set(SCALARS[:-1]):
            return self.values
        return tuple(label(value) for value in self.values)

    def value(self, found: Any) -> Any:
        """The value that a label stands for, or a number from a range as it is."""
        pairs = zip(self.labels, self.values, strict=True)
        return next((own for text, own in pairs if text == found), found)

    def place(self, value: Any) -> Any:
        """Where a value stands among all: what values are sorted and grouped by."""
        if value is None and None not in self.values:
            return -math.inf  # the option is not searched there
        return self.values.index(value) if self.values else value


def parse(name: str, text: str, kind: type | None) -> Axis | Any:
    """Reads one option.

    Args:
        name: The option, for the error.
        text: `NOTATION`, or a single value. Text in double quotes is one value whatever it holds,
            so `"2,3"` is no list, and `"2,3","4"` is a list of two. The path of a file or folder
            that exists is one value without quotes as well.
        kind: The option's type: str, bool, int or float; of any other the text is JSON, and a list
            of values means several.

    Returns:
        An axis, or the value itself where there is but one.

    Raises:
        InputError: The text is not of that form.

    Example:
        >>> parse("units", "16:128:log", int).values
        (16, 32, 64, 128)
        >>> parse("cell", "gru,lstm", str).values
        ('gru', 'lstm')
        >>> parse("units", "64", int)
        64
        >>> parse("ngrams", '"1,2,3"', str)
        '1,2,3'
        >>> parse("ngrams", '"1,2,3",2', str).values
        ('1,2,3', '2')
    """
    if ":" in text and kind in (int, float):
        return _range(name, text, kind)
    if kind not in SCALARS:
        return axis_or_value(name, _json_values(name, text, kind))
    parts = separated(name, text) if kind is str else text.split(",")
    return axis_or_value(name, [_value(name, part, kind) for part in parts])


def axis_or_value(name: str, values: Sequence[Any]) -> Axis | Any:
    """An axis of several values, or the value itself where there is but one.

    Raises:
        InputError: There is none.
    """
    axis = Axis(name, tuple(values))
    if not axis.values:
        raise InputError(f"{name} has no value: give at least one")
    return axis.values[0] if len(axis.values) == 1 else axis


def _json_values(name: str, text: str, kind: type | None) -> list[Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{name} must be JSON, or a JSON list of values, got {text!r}") from error
    scalars = all(isinstance(part, SCALARS) for part in value) if isinstance(value, list) else True
    return [value] if scalars and (kind is list or not isinstance(value, list)) else value


def _value(name: str, text: str, kind: type) -> Any:
    try:
        value = (
            TRUTH[text.strip().lower()]
            if kind is bool
            else kind(text if kind is str else text.strip())
        )
        if kind is float and not math.isfinite(value):
            raise ValueError
        return value
    except (ValueError, KeyError) as error:
        expected = "true or false" if kind is bool else f"of type {kind.__name__}"
        raise InputError(
            f"{name} must be {expected}, or several to search over ({NOTATION}), got {text!r}"
        ) from error


def _range(name: str, text: str, kind: type) -> Axis | Any:
    low_text, high_text, *rest = text.split(":")
    low, high = _value(name, low_text, kind), _value(name, high_text, kind)
    log = rest[:1] == ["log"]
    steps = rest[1:] if log else rest
    if len(steps) > 1 or low > high or (log and low <= 0):
        raise InputError(f"{name} must be {NOTATION} with LOW <= HIGH, got {text!r}")
    if not steps and kind is float:
        return low if low == high else Axis(name, (), low, high, log)
    step = _value(name, steps[0], float if log else kind) if steps else 2 if log else 1
    if step <= (1 if log else 0):
        raise InputError(f"{name}'s step must be above {1 if log else 0}, got {step!r} in {text!r}")
    count = math.floor((math.log(high / low, step) if log else (high - low) / step) + 1e-9)
    if count >= MOST:
        raise InputError(
            f"{name} has {count + 1:,} values in {text!r}, at most {MOST:,}: set a STEP"
        )
    numbers = [low * step**n if log else low + step * n for n in range(count + 1)]
    return axis_or_value(name, [round(n) if kind is int else float(f"{n:.10g}") for n in numbers])


@dataclass(frozen=True)
class Space:
    """The axes of a search, each behind the one it depends on.

    Attributes:
        axes: What is searched.
        parents: For an axis that does something only where another one has such a value: that
            one's name and those values.
    """

    axes: tuple[Axis, ...]
    parents: dict[str, tuple[str, tuple[Any, ...]]] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, axes: Sequence[Axis], fixed: Mapping[str, Any]) -> "Space":
        """Puts axes in any order together; `fixed` are the values of all other options.

        Raises:
            InputError: An axis would change nothing, since what it depends on is switched off.
        """
        searched = {axis.name: axis for axis in axes}
        parents = {}
        for axis in axes:
            condition = axis.only_if
            if condition is None:
                continue
            parent = searched.get(condition.option)
            values = parent.values if parent else (fixed.get(condition.option, None),)
            if parent is None and condition.option not in fixed:
                continue  # an architecture of the user's own
            active = tuple(filter(condition.holds, values))
            if not active:
                raise InputError(
                    f"{axis.name} changes nothing unless {condition.option} is {condition}, got "
                    f"{condition.option} {parent.values if parent else values[0]}: leave "
                    f"{axis.name} out, or search over {condition.option} too"
                )
            if parent:
                parents[axis.name] = (condition.option, active)
        ordered = [axis for axis in axes if axis.name not in parents]
        return cls((*ordered, *(searched[name] for name in parents)), parents)

    def active(self, name: str, values: Mapping[str, Any]) -> bool:
        """Whether an axis does something, given the values of the others."""
        if name not in self.parents:
            return True
        parent, needed = self.parents[name]
        return values.get(parent) in needed

    def grid(self) -> Iterator[dict[str, Any]]:
        """All combinations in which something differs.

        Raises:
            InputError: An axis is a range without steps.
        """
        for axis in self.axes:
            if not axis.values:
                raise InputError(
                    f"a grid needs steps, got {axis.name} from {axis.low:g} to {axis.high:g} "
                    f"without any: give --{axis.name.replace('_', '-')} LOW:HIGH:log:FACTOR, or "
                    "--algorithm random"
                )
        seen = set()
        for values in itertools.product(*(axis.values for axis in self.axes)):
            point = dict(zip((axis.name for axis in self.axes), values, strict=True))
            point = {name: value for name, value in point.items() if self.active(name, point)}
            key = label(point)
            if key not in seen:
                seen.add(key)
                yield point

    def main(self) -> Axis:
        """The axis that a report is drawn over: `units`, or the first one that is searched."""
        return next((axis for axis in self.axes if axis.name == "units"), self.axes[0])

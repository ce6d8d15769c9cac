"""Several forecasters as one: their quantiles are averaged."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from zoo import blueprint
from zoo.architectures.checked_model import CheckedModel
from zoo.architectures.forecaster_model import Forecaster
from zoo.errors import InputError

ENSEMBLE = "forecaster_ensemble"  # its name in a blueprint


@keras.saving.register_keras_serializable("zoo")
class ForecasterEnsemble(CheckedModel):
    """Forecasters of the same inputs and levels; `forecast` gives the mean of their quantiles.

    Its outputs are those of its members, a list. It has no `__init__`, so that Keras restores it
    from its functional configuration; `ForecasterEnsemble.of_members` makes one.

    Source: Lichtendahl, Grushka-Cockayne and Winkler, Is It Better to Average Probabilities or
        Quantiles? (2013).
    """

    built_by = "ForecasterEnsemble.of_members"

    @classmethod
    def of_members(cls, members: Sequence[keras.Model], name: str = "ensemble") -> Any:
        """Makes an ensemble of one forecaster or more.

        Raises:
            InputError: There is none, or they differ in inputs, horizon or levels.
        """
        if not members:
            raise InputError("an ensemble needs one forecaster or more, got none")
        first = members[0]
        for number, each in enumerate(members):
            if _form(each) != _form(first):
                raise InputError(
                    f"the forecasters of an ensemble must have the same inputs, horizon and "
                    f"quantiles; member {number} (from 0) differs from the first"
                )
        inputs = {
            key: keras.Input(each.shape[1:], dtype=each.dtype, name=key)
            for key, each in first.input.items()
        }
        named = [
            Forecaster(each.input, each.output, name=f"member_{number}")
            for number, each in enumerate(members)
        ]
        made = cls(inputs, [each(inputs) for each in named], name=name)
        found = [each.as_json() for each in map(blueprint.of, members) if each]
        if len(found) == len(members):
            blueprint.attach(made, ENSEMBLE, {"members": found})
        return made

    @property
    def members(self) -> list[Any]:
        """The forecasters."""
        return [layer for layer in self.layers if isinstance(layer, Forecaster)]

    @property
    def head(self) -> Any:
        """The head of the first member, with the levels of all."""
        return self.members[0].head

    @property
    def draws(self) -> bool:
        """Whether the members forecast by drawing paths."""
        return bool(self.members[0].draws)

    def forecast(
        self, inputs: Mapping[str, Any], samples: int = 200, seed: int = 0
    ) -> dict[str, Any]:
        """The mean of the members' forecasts; see `Forecaster.forecast`."""
        found = [each.forecast(inputs, samples, seed) for each in self.members]
        return {
            name: ops.mean(ops.stack([each[name] for each in found]), axis=0) for name in found[0]
        }


def _form(model: Any) -> Any:
    shapes = {key: (each.shape, each.dtype) for key, each in model.input.items()}
    return shapes, model.head.horizon, model.head.targets, model.head.quantiles

"""One cell over time, in one direction: the part of the recurrent body that holds weights."""

import contextlib
import inspect
from typing import Any

import keras
from keras import ops

from zoo import masking
from zoo.errors import InputError, nearest, require_bool
from zoo.layers.recurrent_options import DirectionOptions
from zoo.options import divided
from zoo.recurrence import branches, keras_cell
from zoo.recurrence.dispatch import run_cell, way
from zoo.recurrence.stepwise import Step, Zoneout
from zoo.recurrence.tracing import on_tensorflow
from zoo.registry import cell_class

if on_tensorflow():
    from zoo.recurrence import compiled

# each size of batch takes XLA a second: very small cells do not earn it back
COMPILED_FROM = 32  # units


@keras.saving.register_keras_serializable("zoo")
class Direction(masking.MaskedLayer):
    """One cell over time, forwards or backwards.

    inputs (B, T, E) and mask (B, T) -> outputs (B, T, K), and the final states, (B, K) each, in a
    flat list. Without a mask all steps are real. With `lookup`, the token ids and the table that
    the inputs come from, training is faster where the table is small; the result is the same.

    Args:
        cell: A registered cell's name; any cell that `keras.layers.RNN` takes can be registered.
        units: Hidden size K.
        backwards: Read each row from its last real token to its first.
        learned_initial_state: Learn the states before the first step; they are zero otherwise.
        shards: Parts of the batch that compiled loops run in parallel.
        **kwargs: The other fields of `DirectionOptions`, and the Keras layer's own arguments.

    Attributes:
        options: The `DirectionOptions`.

    Raises:
        InputError: An option has a wrong value, or the cell has nothing that it could act on.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        *,
        backwards: bool = False,
        learned_initial_state: bool = False,
        shards: int = 1,
        **kwargs: Any,
    ) -> None:
        require_bool("backwards", backwards)
        require_bool("learned_initial_state", learned_initial_state)
        own, kwargs = divided(DirectionOptions, kwargs)
        super().__init__(**kwargs)
        self.options = DirectionOptions(cell, units, **own)
        self.backwards = backwards
        self.learned_initial_state = learned_initial_state
        self.shards = shards
        self.cell = make_cell(cell, units, self.options.cell_options or {}, self.dtype_policy)
        self.output_size = keras_cell.output_size(self.cell)
        self.checks_mask = True  # a body checks the mask once for all its directions
        self.runner: Any = run_cell  # `zoo.diagnostics` puts one that keeps the states in its place
        self._require_product("recurrent_dropout")
        self._require_product("weight_drop")
        self.seed_generator = keras.random.SeedGenerator()
        self.initial_state: list[Any] = []
        self.supports_jit = way(self.cell, training=False, zoneout=self.options.zoneout) != "op"

    def _require_product(self, option: str) -> None:
        has = keras_cell.is_zoo_cell(self.cell) and self.cell.has_recurrent_kernel
        if getattr(self.options, option) and not has:
            raise InputError(
                f"{option} acts on the recurrent product of a zoo cell, which "
                f"{self.options.cell!r} has not: set {option} to 0 or take another cell"
            )

    def build(self, inputs_shape: Any, **_shapes: Any) -> None:
        self.output_size = keras_cell.build_cell(self.cell, inputs_shape[-1])
        if self.learned_initial_state:
            self.initial_state = [
                self.add_weight((size,), "zeros", name=f"initial_state_{number}")
                for number, size in enumerate(self.state_sizes)
            ]

    @property
    def state_sizes(self) -> list[int]:
        """The sizes of the cell's states, flat."""
        return keras_cell.state_sizes(self.cell)

    @property
    def has_own_output(self) -> bool:
        """Whether the output may be another tensor than the first state."""
        return keras_cell.has_own_output(self.cell)

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states before the first step, (B, K) each."""
        states = keras.tree.flatten(keras_cell.initial_states(self.cell, batch_size))
        if not self.initial_state:
            return states
        return [state + start for state, start in zip(states, self.initial_state, strict=True)]

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        initial_state: Any = None,
        lookup: Any = None,
        training: bool = False,
        whole: bool = False,
    ) -> tuple[Any, list[Any]]:
        """The outputs and the final states; with `whole` no step is padding, whatever the mask."""
        if self.checks_mask:
            whole = whole or masking.is_whole(mask, inputs)
            mask = masking.real_mask(mask, inputs)
        lengths = masking.lengths(mask)
        if initial_state is None:
            initial_state = self.get_initial_state(ops.shape(inputs)[0])
        if self.backwards:
            inputs = masking.reverse_within_lengths(inputs, lengths)
        if lookup is not None and self.backwards:
            ids, table = lookup
            lookup = masking.reverse_within_lengths(ids, lengths), table
        options, kernel, recurrent_mask = self.options, None, None
        if training and options.input_dropout:
            ones = ops.ones((ops.shape(inputs)[0], 1, inputs.shape[-1]), dtype=inputs.dtype)
            inputs = inputs * self._dropped(ones, options.input_dropout)
        if training and options.weight_drop:
            kernel = ops.convert_to_tensor(self.cell.recurrent_kernel)
            kernel = self._dropped(kernel, options.weight_drop)
        if training and options.recurrent_dropout:
            ones = ops.ones_like(initial_state[0])
            recurrent_mask = self._dropped(ones, options.recurrent_dropout)
        outputs, final = self.runner(
            self.cell,
            inputs,
            list(initial_state),
            lengths,
            training=bool(training),
            recurrent_kernel=kernel,
            recurrent_mask=recurrent_mask,
            zoneout=self._zoneout(training),
            shards=self.shards,
            compiled=options.units >= COMPILED_FROM,
            lookup=None if options.input_dropout else lookup,
            width=self.output_size,
            whole=whole,
        )
        if self.backwards:
            outputs = masking.reverse_within_lengths(outputs, lengths)
        return ops.where(mask[:, :, None], outputs, 0), final

    def branch(
        self, inputs: Any, states: list[Any], training: bool = False
    ) -> tuple[Any, list[Any]]:
        """One step of each of m inputs (P, m, E) from the same states (R, K), R a multiple of P.

        Row r has the inputs of row r mod P. Returns the outputs (R, m, K) and the states, (R, m, K)
        each. The dropouts of the recurrent product and of inputs are drawn for each branch.
        """
        options = self.options
        altered = options.input_dropout or options.weight_drop or options.recurrent_dropout
        if branches.available(self.cell) and not (training and altered) and not options.zoneout:
            fused = options.units >= COMPILED_FROM
            after = branches.branch(self.cell, inputs, list(states), training, fused)
            return after[0], after
        period, count, size = inputs.shape
        rows = ops.shape(states[0])[0]
        every = ops.reshape(ops.tile(inputs, (rows // period, 1, 1)), (-1, 1, size))
        starts = [ops.repeat(state, count, axis=0) for state in states]
        mask = masking.real_mask(None, every)
        outputs, after = self.call(every, mask, initial_state=starts, training=training)
        apart = lambda part: ops.reshape(part, (-1, count, part.shape[-1]))  # noqa: E731
        return apart(outputs), [apart(state) for state in after]

    def last_output(self, outputs: Any, final: list[Any], mask: Any) -> Any:
        """The output (B, K) at the step that was read last; 0 for a row without a real token."""
        if not self.has_own_output:
            return final[0]
        lengths = masking.lengths(mask)
        nothing = ops.zeros_like(outputs[:, 0])
        if self.backwards:
            return ops.where(lengths[:, None] > 0, outputs[:, 0], nothing)
        return masking.last_real(outputs, lengths, nothing)

    def project(self, inputs: Any) -> Any:
        """The part of a step that does not depend on the state, of inputs (..., E).

        It is (..., D), and None for a cell that has no such part, such as one of Keras.
        """
        return self.cell.project(inputs) if keras_cell.is_zoo_cell(self.cell) else None

    def step(
        self, inputs: Any, states: list[Any], training: bool = False, projected: bool = False
    ) -> tuple[Any, list[Any]]:
        """One step: inputs (B, E), states -> output (B, K), states.

        `training` is for a Keras cell that has its own dropout; the layer's dropouts act on all
        steps at once and are left out. With `projected` the inputs are what `project` returned.
        """
        zoneout = self._zoneout(training=False)
        if keras_cell.is_zoo_cell(self.cell):
            step = Step(self.cell, zoneout=zoneout)
            read = inputs if projected else self.cell.project(inputs)
            return step(list(states), [read], step.weights())
        form = keras_cell.CellForm(self.cell, training)
        masks: Any = contextlib.nullcontext()
        if training:
            masks = keras_cell.dropout_masks(self.cell, ops.shape(inputs)[0], inputs.shape[-1])
        with masks:
            return Step(self.cell, zoneout=zoneout, form=form)(list(states), [inputs], {})

    def _dropped(self, values: Any, rate: float) -> Any:
        return keras.random.dropout(values, rate, seed=self.seed_generator)

    def _zoneout(self, training: bool) -> Zoneout | None:
        if not self.options.zoneout:
            return None
        return Zoneout(self.options.zoneout, self.seed_generator if training else None)

    def compute_mask(self, inputs: Any, mask: Any = None, *_arguments: Any, **_named: Any) -> Any:
        return masking.continued_mask(inputs, mask)

    def compute_output_spec(self, inputs: Any, mask: Any = None, **_arguments: Any) -> Any:
        batch, time = inputs.shape[:2]
        dtype = self.compute_dtype
        outputs = keras.KerasTensor((batch, time, self.output_size), dtype)
        return outputs, [keras.KerasTensor((batch, size), dtype) for size in self.state_sizes]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **vars(self.options),
            "backwards": self.backwards,
            "learned_initial_state": self.learned_initial_state,
            "shards": self.shards,
        }


def make_cell(name: str, units: int, options: dict[str, Any], dtype: Any) -> Any:
    """A registered cell with its own options; an unknown one is an error that names the nearest."""
    cell = cell_class(name)
    known = _options(cell)
    for option in options:
        if option not in known:
            raise InputError(
                f"the cell {name!r} has no option {option!r}: {nearest(option, known)}"
            )
    given: dict[str, Any] = {"dtype": dtype, "name": "cell"}
    if not _takes_all(cell):
        given = {name: value for name, value in given.items() if name in known}
    made = cell(units, **given, **options)
    if dtype is not None and "dtype" not in given and isinstance(made, keras.layers.Layer):
        made.dtype_policy = dtype
    return made


def _takes_all(cell: Any) -> bool:
    """Whether a cell's constructor hands further arguments to Keras' layer."""
    parameters = inspect.signature(cell.__init__).parameters.values()
    return any(p.kind is p.VAR_KEYWORD for p in parameters)


def _options(cell: Any) -> list[str]:
    """What a cell's constructor takes besides `units`, also by way of its `**kwargs`."""
    known: list[str] = []
    for ancestor in cell.__mro__:
        if ancestor is keras.layers.Layer:
            break
        if "__init__" not in vars(ancestor):
            continue
        parameters = inspect.signature(ancestor.__init__).parameters.values()
        known += [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return sorted(set(known) - {"self", "units", "kwargs"})


def default_shards(directions: int) -> int:
    """The number of shards of each direction, where the directions run in parallel anyway."""
    return max(1, compiled.cores() // directions) if on_tensorflow() else 1

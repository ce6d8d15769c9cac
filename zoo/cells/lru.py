"""The linear recurrent unit: a complex diagonal recurrence that no gate rules."""

import math
from typing import Any

import keras
from keras import ops

from zoo.cells.cell import initializer_of
from zoo.cells.read import ReadCell, Scans, as_states, precise
from zoo.errors import InputError
from zoo.registry import register


@register("lru")
@keras.saving.register_keras_serializable("zoo")
class LRUCell(ReadCell):
    """The linear recurrent unit (LRU): complex factors that neither grow nor depend on the input.

        lambda = exp(-exp(nu) + i exp(theta))               so that |lambda| < 1
        s_t = lambda * s_(t-1) + exp(gamma) * (B x_t)       s and B are complex
        h_t = Re(C s_t) + D x_t

    The states are the real and the imaginary part of s, which the paper calls x as it calls the
    input u and the output y. `kernel` is Re B, Im B, D side by side, (E, 3 K); `output_kernel` is
    Re C above Im C, (2 K, K). No number of complex type is used. D is the paper's matrix of the
    general linear recurrence (its code has a diagonal one, which needs E = K).

    exp(gamma) starts at sqrt(1 - |lambda|^2), which keeps the states as large as the inputs, and
    lambda uniformly on the ring between `min_radius` and `max_radius`, up to the angle `max_phase`.

    Args:
        units: Hidden size K, the number of complex states and of outputs.
        min_radius: Smallest initial |lambda|, from 0; the closer to 1, the longer the memory.
        max_radius: Largest initial |lambda|, below or equal to 1.
        max_phase: Largest initial angle of lambda, in radians, above 0 up to 2 pi.
        output_initializer: Of C. By default normal with variance 1 / K, as in the paper.
        **kwargs: `kernel_initializer` and the Keras layer's arguments; see `RecurrentCell`. The
            default gives B the paper's variance, 1 / (2 K), where E = K.

    Raises:
        InputError: A radius or the angle is out of its range.

    Source: Orvieto et al., arXiv:2303.06349, sections 3.2 to 3.4 (lemma 3.2 for the ring,
    equation 7 for the recurrence), and the code in its appendix A.
    """

    num_gates = 3
    num_states = 2

    def __init__(
        self,
        units: int,
        min_radius: float = 0.0,
        max_radius: float = 1.0,
        max_phase: float = 2 * math.pi,
        output_initializer: Any = "he_normal",
        **kwargs: Any,
    ) -> None:
        for name, value in (("min_radius", min_radius), ("max_radius", max_radius)):
            if not _is_number(value) or not 0 <= value <= 1:
                raise InputError(f"{name} must be a number from 0 to 1, got {value!r}")
        if min_radius >= max_radius:
            raise InputError(
                f"min_radius must be below max_radius {max_radius!r}, got {min_radius!r}"
            )
        if not _is_number(max_phase) or not 0 < max_phase <= 2 * math.pi:
            raise InputError(
                f"max_phase must be a number above 0 up to 2 pi = 6.2832, got {max_phase!r}"
            )
        super().__init__(units, **kwargs)
        self.min_radius, self.max_radius = min_radius, max_radius
        self.max_phase = max_phase
        self.output_initializer = initializer_of(output_initializer)

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1], 3 * self.units)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.output_kernel = self.add_weight(
            (2 * self.units, self.units), self.output_initializer, name="output_kernel"
        )
        self.nu = self.add_weight((self.units,), self._initial_nu, name="nu")
        self.theta = self.add_weight((self.units,), self._initial_theta, name="theta")
        self.gamma = self.add_weight((self.units,), self._initial_gamma, name="gamma")

    def _initial_nu(self, shape: Any, dtype: Any = None) -> Any:
        """Makes |lambda|^2 uniform, and |lambda| < 1 in float32 too."""
        low, high = self.min_radius**2, self.max_radius**2
        square = keras.random.uniform(shape, low, high, "float32")
        square = ops.clip(square, 1e-6, 1 - 1e-6)
        return ops.cast(ops.log(-0.5 * ops.log(square)), dtype)

    def _initial_theta(self, shape: Any, dtype: Any = None) -> Any:
        share = keras.random.uniform(shape, 1e-6, 1.0, "float32")
        return ops.cast(ops.log(self.max_phase * share), dtype)

    def _initial_gamma(self, shape: Any, dtype: Any = None) -> Any:
        """The logarithm of sqrt(1 - |lambda|^2)."""
        nu = ops.cast(self.nu, "float32")
        return ops.cast(ops.log(-ops.expm1(-2 * ops.exp(nu))) / 2, dtype)

    def vectors(self) -> list[Any]:
        """Both parts of lambda, exp(gamma), and C."""
        nu, theta, gamma = (
            precise(ops.convert_to_tensor(each)) for each in (self.nu, self.theta, self.gamma)
        )
        radius, angle = ops.exp(-ops.exp(nu)), ops.exp(theta)
        factors = [radius * ops.cos(angle), radius * ops.sin(angle), ops.exp(gamma)]
        return [*factors, ops.convert_to_tensor(self.output_kernel)]

    def _entered(self, projected: Any, gamma: Any) -> tuple[Any, Any]:
        """Both parts of exp(gamma) * (B x), (..., K) each."""
        real, imaginary, _ = ops.split(precise(projected), 3, axis=-1)
        return gamma * real, gamma * imaginary

    def combine(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> list[Any]:
        a, b, gamma, _ = vectors
        real, imaginary = self._entered(projected, gamma)
        x, y = precise(states[0]), precise(states[1])
        return as_states([a * x - b * y + real, a * y + b * x + imaginary], states)

    def through_time(self, projected: Any, start: list[Any], scans: Scans) -> list[Any]:
        a, b, gamma, _ = self.vectors()
        entered = self._entered(projected, gamma)
        states = scans.complex((a, b), entered, [precise(each) for each in start])
        return [ops.cast(each, projected.dtype) for each in states]

    def read(self, projected: Any, before: list[Any], after: list[Any], vectors: list[Any]) -> Any:
        real, imaginary = ops.split(vectors[3], 2, axis=0)
        shown = ops.matmul(after[0], real) - ops.matmul(after[1], imaginary)
        return shown + ops.split(projected, 3, axis=-1)[2]

    def gates(
        self, projected: Any, recurrent: Any, states: list[Any], vectors: list[Any]
    ) -> dict[str, Any]:
        """The size of lambda, the factor of the old state."""
        size = ops.sqrt(vectors[0] ** 2 + vectors[1] ** 2)
        return {"kept": size + ops.zeros_like(projected[..., : self.units])}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "min_radius": self.min_radius,
            "max_radius": self.max_radius,
            "max_phase": self.max_phase,
            "output_initializer": keras.initializers.serialize(self.output_initializer),
        }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

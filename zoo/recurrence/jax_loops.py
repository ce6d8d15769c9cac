"""Fast training on JAX: a scan over time with an explicit gradient.

The scan backwards goes over the saved values and writes the gradients of x W and h U; those of U
and of its bias are then one product and one sum over all steps.
"""

from typing import Any

import jax
from jax import numpy as jnp
from keras import ops

from zoo.recurrence.cell_step import forward_step, reads_inputs


def available(cell: Any) -> bool:
    """Whether the loops can run this cell: `separable`, in float32."""
    return getattr(cell, "separable", False) and cell.compute_dtype == "float32"


def run(
    cell: Any,
    inputs: Any,
    initial_state: list[Any],
    lengths: Any,
    recurrent_kernel: Any = None,
    recurrent_mask: Any = None,
) -> tuple[Any, list[Any]]:
    """Runs a cell over all steps.

    Args:
        cell: A built cell with `combine`.
        inputs: (B, T, E).
        initial_state: The states before the first step, (B, K) each.
        lengths: int32 (B,), real tokens of each row; after them its states stay constant. None if
            all steps are real.
        recurrent_kernel: U, if it is not the cell's own (weight drop).
        recurrent_mask: (B, K), multiplied into h before the product, or None.

    Returns:
        The outputs (B, T, K), and the final states, (B, K) each.
    """
    kernel = cell.recurrent_kernel if recurrent_kernel is None else recurrent_kernel
    read = {"kernel": kernel, "bias": cell.recurrent_bias, "mask": recurrent_mask}
    weights: dict[str, Any] = {
        name: ops.convert_to_tensor(value) for name, value in read.items() if value is not None
    }
    weights["vectors"] = [ops.convert_to_tensor(vector) for vector in cell.vectors()]
    projected = cell.project(jnp.moveaxis(inputs, 1, 0))
    active = None
    if lengths is not None:
        active = (jnp.arange(inputs.shape[1])[:, None] < lengths[None])[:, :, None]
    outputs, final = _through_time(cell)(projected, weights, list(initial_state), active)
    return jnp.moveaxis(outputs, 0, 1), final


def _through_time(cell: Any) -> Any:
    """`projected (T, B, G K), weights, states, active -> outputs (T, B, K), final states`."""

    def states_after(states: list[Any], slices: Any, weights: Any) -> tuple[Any, Any]:
        x, on = slices
        r = _product(states[0], weights)
        new, kept = forward_step(cell, x, r, states, weights["vectors"])
        return [_chosen(on, a, b) for a, b in zip(new, states, strict=True)], kept

    @jax.custom_vjp
    def through_time(projected: Any, weights: Any, initial: Any, active: Any) -> Any:
        def step(states: Any, slices: Any) -> Any:
            states, _ = states_after(states, slices, weights)
            return states, states[0]

        final, outputs = jax.lax.scan(step, initial, (projected, active))
        return outputs, final

    def forward(projected: Any, weights: Any, initial: Any, active: Any) -> Any:
        def step(states: Any, slices: Any) -> Any:
            new, kept = states_after(states, slices, weights)
            return new, (new, kept)

        final, (reached, kept) = jax.lax.scan(step, initial, (projected, active))
        read = projected if reads_inputs(cell) else None
        return (reached[0], final), (weights, initial, active, reached, kept, read)

    def backward(residuals: Any, cotangents: Any) -> Any:
        weights, initial, active, reached, kept, read = residuals
        d_outputs, d_final = cotangents
        before = [
            jnp.concatenate([first[None], after[:-1]])
            for first, after in zip(initial, reached, strict=True)
        ]

        def step(carry: Any, slices: Any) -> Any:
            d_states, d_vectors = carry
            on, d_output, now_kept, now_read, previous, now = slices
            d_states = [d_states[0] + d_output, *d_states[1:]]
            masked = [_chosen(on, d_state, 0) for d_state in d_states]
            d_x, d_r, d_previous, d_new = _backward_step(
                cell, now_kept, now_read, previous, now, weights["vectors"], masked
            )
            if "kernel" in weights:
                d_h = d_r @ weights["kernel"].T
                d_previous[0] += d_h * weights["mask"] if "mask" in weights else d_h
            d_states = [_chosen(on, a, b) for a, b in zip(d_previous, d_states, strict=True)]
            d_vectors = [a + b for a, b in zip(d_vectors, d_new, strict=True)]
            return (d_states, d_vectors), (d_x, None if cell.additive else d_r)

        start = (list(d_final), [jnp.zeros_like(vector) for vector in weights["vectors"]])
        slices = (active, d_outputs, kept, read, before, reached)
        (d_initial, d_vectors), (d_x, d_r) = jax.lax.scan(step, start, slices, reverse=True)
        d_weights = _weight_gradients(weights, before[0], d_x if d_r is None else d_r)
        return d_x, {**d_weights, "vectors": d_vectors}, d_initial, None

    through_time.defvjp(forward, backward)
    return through_time


def _chosen(on: Any, a: Any, b: Any) -> Any:
    """`a` where a row goes on, else `b`; `a` everywhere if no row ends early."""
    return a if on is None else jnp.where(on, a, b)


def _product(h: Any, weights: Any) -> Any:
    """The recurrent product h U + c, or 0 for a cell without one."""
    if "kernel" not in weights:
        return 0.0
    product = (h * weights["mask"] if "mask" in weights else h) @ weights["kernel"]
    return product + weights["bias"] if "bias" in weights else product


def _weight_gradients(weights: Any, h: Any, d_r: Any) -> dict[str, Any]:
    """The gradients of U and its bias, from the states before all steps."""
    found = {}
    if "kernel" in weights:
        seen = h * weights["mask"] if "mask" in weights else h
        found["kernel"] = _flat(seen).T @ _flat(d_r)
    if "bias" in weights:
        found["bias"] = jnp.sum(d_r, axis=(0, 1))
    if "mask" in weights:
        found["mask"] = jnp.zeros_like(weights["mask"])  # it is drawn, not learned
    return found


def _flat(values: Any) -> Any:
    return jnp.reshape(values, (-1, values.shape[-1]))


def _backward_step(
    cell: Any, kept: Any, x: Any, previous: Any, now: Any, vectors: Any, d_states: Any
) -> Any:
    """One step back: by the cell's own gradient, or that of `combine`."""
    if getattr(cell, "backward", None):
        d_x, d_r, d_previous = cell.backward(kept, previous, now, d_states)
        return d_x, d_r, list(d_previous), []
    r = jnp.zeros_like(kept[0]) if cell.additive else kept[0]
    x = kept[0] if cell.additive else x
    _, gradient = jax.vjp(cell.combine, x, r, previous, vectors)
    d_x, d_r, d_previous, d_vectors = gradient(d_states)
    return d_x, d_r, list(d_previous), d_vectors

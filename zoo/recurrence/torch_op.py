"""All steps of a cell as one PyTorch op, with PyTorch's own gradient."""

from typing import Any

import keras

from zoo import masking
from zoo.cells.elman import SimpleRNNCell
from zoo.cells.gru import GRUCell
from zoo.cells.lstm import LSTMCell

SHUT = 1e4  # of a gate's sum: the sigmoid is then 0 or 1, and its gradient 0
# biases, layers, dropout, training, bidirectional, rows first
FORM = (True, 1, 0.0, False, False, True)


def available(cell: Any) -> bool:
    """Whether PyTorch has an op for all steps of this cell, in full precision."""
    if cell.compute_dtype not in ("float32", "float64"):
        return False
    if type(cell) is LSTMCell:
        return cell.cell_clip is None
    if type(cell) is SimpleRNNCell:
        return cell.activation is keras.activations.tanh
    return type(cell) is GRUCell and cell.reset_after


def run(cell: Any, inputs: Any, initial_state: list[Any], lengths: Any) -> tuple[Any, list[Any]]:
    """Runs the cell over all steps.

    Args:
        cell: A built cell that is `available`.
        inputs: (B, T, E).
        initial_state: The states, (B, K) each.
        lengths: int32 (B,), the real tokens of each row.

    Returns:
        The outputs (B, T, K), undefined in the padding, and the states at each row's last real
        token, (B, K) each.
    """
    import torch  # this module is read where it is not installed, too

    inputs = inputs.contiguous()
    read = (cell.kernel, cell.recurrent_kernel, cell.bias)
    w, u, bias = (keras.ops.convert_to_tensor(each) for each in read)
    w, u = w.T, u.T
    start = [state.contiguous()[None] for state in initial_state]
    if type(cell) is LSTMCell:
        padded = bool((lengths < inputs.shape[1]).any())
        if padded:
            inputs, w = _frozen(cell, inputs, w, lengths)
        weights = [w.contiguous(), u.contiguous(), bias, torch.zeros_like(bias)]
        outputs, _, last = torch._VF.lstm(inputs, start, weights, *FORM)
        final = masking.last_real(outputs, lengths, initial_state[0])
        return outputs, [final, last[0]]
    if type(cell) is GRUCell:  # the gates z, r, h are r, z, h there
        weights = [_swapped(part, cell.units) for part in (w, u, bias[0], bias[1])]
        outputs, _ = torch._VF.gru(inputs, start[0], weights, *FORM)
    else:
        weights = [w.contiguous(), u.contiguous(), bias, torch.zeros_like(bias)]
        outputs, _ = torch._VF.rnn_tanh(inputs, start[0], weights, *FORM)
    return outputs, [masking.last_real(outputs, lengths, initial_state[0])]


def _frozen(cell: LSTMCell, inputs: Any, w: Any, lengths: Any) -> tuple[Any, Any]:
    """Inputs and W with a feature of padding that keeps c as it was.

    The op returns c after the last step alone. In the padding the feature shuts the input gate and
    opens the forget gate, so that this is c at the last real token.
    """
    import torch

    steps = torch.arange(inputs.shape[1], device=inputs.device)
    padding = (steps[None] >= lengths[:, None]).to(inputs.dtype)[:, :, None]
    gates = torch.tensor([-SHUT, SHUT, 0.0, 0.0], dtype=w.dtype, device=w.device)
    feature = gates.repeat_interleave(cell.units)[:, None]
    return torch.cat([inputs, padding], dim=-1), torch.cat([w, feature], dim=1)


def _swapped(part: Any, units: int) -> Any:
    """Rows of three gates, the first two the other way round."""
    import torch

    first, second, third = part.split(units)
    return torch.cat([second, first, third])

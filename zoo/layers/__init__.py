"""The layers that architectures are built from; and weights from and to stock Keras layers.

Each layer also takes the arguments of any Keras layer: `name`, `dtype`, `trainable`.
"""

from zoo.crf.layer import CRF
from zoo.crf.loss import CRFAccuracy, CRFLoss
from zoo.layers.activation_regularization import ActivationRegularization
from zoo.layers.attention import Attention, Memory
from zoo.layers.bridges import EncoderBridge, RowDropout, StateBridge
from zoo.layers.decoder import Decoder, ScheduledSampling
from zoo.layers.direction import Direction
from zoo.layers.distributions import (
    DISTRIBUTIONS,
    Distribution,
    NegativeBinomial,
    Normal,
    OrderedQuantiles,
    StudentT,
)
from zoo.layers.embedding import TokenEmbedding
from zoo.layers.pooling import AttentionPooling, MaxPooling, MeanPooling
from zoo.layers.recurrent import Recurrent
from zoo.layers.recurrent_options import (
    BodyOptions,
    DecoderOptions,
    RecurrentOptions,
    StackOptions,
)
from zoo.layers.stock import from_stock, to_stock
from zoo.layers.token_logits import TokenLogits
from zoo.recurrence.states import States, named_states, nested_states

__all__ = [
    "CRF",
    "DISTRIBUTIONS",
    "ActivationRegularization",
    "Attention",
    "AttentionPooling",
    "BodyOptions",
    "CRFAccuracy",
    "CRFLoss",
    "Decoder",
    "DecoderOptions",
    "Direction",
    "Distribution",
    "EncoderBridge",
    "MaxPooling",
    "MeanPooling",
    "Memory",
    "NegativeBinomial",
    "Normal",
    "OrderedQuantiles",
    "Recurrent",
    "RecurrentOptions",
    "RowDropout",
    "ScheduledSampling",
    "StackOptions",
    "StateBridge",
    "States",
    "StudentT",
    "TokenEmbedding",
    "TokenLogits",
    "from_stock",
    "named_states",
    "nested_states",
    "to_stock",
]

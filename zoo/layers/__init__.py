"""What architectures are made of: embedding, recurrent body, pooling; stock weights."""

from zoo.crf.layer import CRF
from zoo.crf.loss import CRFAccuracy, CRFLoss
from zoo.layers.activation_regularization import ActivationRegularization
from zoo.layers.attention import Attention, Memory
from zoo.layers.bridge import RowDropout, StateBridge
from zoo.layers.decoder import Decoder
from zoo.layers.direction import Direction
from zoo.layers.embedding import TokenEmbedding
from zoo.layers.encoder_bridge import EncoderBridge
from zoo.layers.pooling import AttentionPooling, MaxPooling, MeanPooling
from zoo.layers.recurrent import Recurrent
from zoo.layers.scheduled_sampling import ScheduledSampling
from zoo.layers.state_names import States, named_states, nested_states
from zoo.layers.stock import from_stock, to_stock
from zoo.layers.token_logits import TokenLogits

__all__ = [
    "CRF",
    "ActivationRegularization",
    "Attention",
    "AttentionPooling",
    "CRFAccuracy",
    "CRFLoss",
    "Decoder",
    "Direction",
    "EncoderBridge",
    "MaxPooling",
    "MeanPooling",
    "Memory",
    "Recurrent",
    "RowDropout",
    "ScheduledSampling",
    "StateBridge",
    "States",
    "TokenEmbedding",
    "TokenLogits",
    "from_stock",
    "named_states",
    "nested_states",
    "to_stock",
]

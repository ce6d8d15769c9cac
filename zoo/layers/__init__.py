"""What architectures are made of: embedding, recurrent body, pooling; stock weights."""

from zoo.layers.crf import CRF
from zoo.layers.crf_loss import CRFAccuracy, CRFLoss
from zoo.layers.direction import Direction
from zoo.layers.embedding import TokenEmbedding
from zoo.layers.pooling import AttentionPooling, MaxPooling, MeanPooling
from zoo.layers.recurrent import Recurrent
from zoo.layers.stock import from_stock, to_stock

__all__ = [
    "CRF",
    "AttentionPooling",
    "CRFAccuracy",
    "CRFLoss",
    "Direction",
    "MaxPooling",
    "MeanPooling",
    "Recurrent",
    "TokenEmbedding",
    "from_stock",
    "to_stock",
]

"""What architectures are made of: embedding, recurrent body, pooling."""

from zoo.layers.embedding import TokenEmbedding
from zoo.layers.pooling import AttentionPooling, MaxPooling, MeanPooling
from zoo.layers.recurrent import Direction, Recurrent

__all__ = [
    "AttentionPooling",
    "Direction",
    "MaxPooling",
    "MeanPooling",
    "Recurrent",
    "TokenEmbedding",
]

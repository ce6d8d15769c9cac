"""One to one: x -> y. A feed-forward network, the baseline of the recurrent ones."""

import keras

from zoo.architectures.checked_model import CheckedModel
from zoo.cells.cell import activation_of
from zoo.errors import require_positive_int, require_rate
from zoo.registry import register


@register(topology="one_to_one")
def one_to_one(
    *,
    num_features: int,
    num_classes: int,
    units: int = 128,
    num_layers: int = 1,
    activation: str = "relu",
    dropout: float = 0.0,
    name: str = "one_to_one",
) -> keras.Model:
    """Predicts one label for an input of fixed size: a feed-forward network.

    features (B, D) -> hidden (B, K), L times -> logits (B, C)

        h = g(W x + b),   logits = V h + c

    Args:
        num_features: D, number of features of an example.
        num_classes: C, number of classes.
        units: Hidden size K of each layer.
        num_layers: L, number of hidden layers.
        activation: g, a Keras activation's name.
        dropout: Fraction of the features and of each hidden layer dropped, in training.
        name: The model's name.

    Returns:
        A Keras model: float (B, D) -> float (B, C), logits.

    Raises:
        InputError: An option has an invalid value.

    Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors
        (1986).
    """
    for option, value in (
        ("num_features", num_features),
        ("num_classes", num_classes),
        ("units", units),
        ("num_layers", num_layers),
    ):
        require_positive_int(option, value)
    require_rate("dropout", dropout)
    activation_of(activation)  # an unknown one is named
    features = keras.Input((num_features,), dtype="float32", name="features")
    values = keras.layers.Dropout(dropout, name="features_dropout")(features)
    for number in range(num_layers):
        values = keras.layers.Dense(units, activation, name=f"hidden_{number}")(values)
        values = keras.layers.Dropout(dropout, name=f"hidden_dropout_{number}")(values)
    logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(values)
    return CheckedModel(features, logits, name=name)

"""Weights that hide no fault: all random, so that no two gates or directions look alike."""

from tests.references.reference import random_values


def assign_random(layer, seed=1, scale=0.5):
    """Gives every weight of a layer or model random values; returns the layer."""
    for number, weight in enumerate(layer.trainable_weights):
        weight.assign(random_values(*weight.shape, seed=100 * seed + number, scale=scale))
    return layer


def arrays(layer):
    """The trainable weights as arrays, in the layer's order."""
    return [weight.numpy() for weight in layer.trainable_weights]


def by_path(model):
    """A weight's path -> its array."""
    return {weight.path: weight.numpy() for weight in model.trainable_weights}

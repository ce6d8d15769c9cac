"""Metrics of predictions: classes, confusions, calibration, tags and entities."""

from zoo.metrics.classification import (
    Confusion,
    classification_scores,
    confusion_matrix,
    count_confusions,
    cross_entropy,
    log_softmax,
)
from zoo.metrics.tagging import (
    count_tag_confusions,
    entity_scores,
    tag_confusion,
    token_accuracy,
    unseen_accuracy,
)

__all__ = [
    "Confusion",
    "classification_scores",
    "confusion_matrix",
    "count_confusions",
    "count_tag_confusions",
    "cross_entropy",
    "entity_scores",
    "log_softmax",
    "tag_confusion",
    "token_accuracy",
    "unseen_accuracy",
]

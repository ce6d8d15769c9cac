"""A cell over time: functions that run any cell along a sequence, no Keras layers."""

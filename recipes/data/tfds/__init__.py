"""Readers of tensorflow-datasets."""

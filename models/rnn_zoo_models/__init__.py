"""Trained models for `zoo.load`: each folder here is one, in plain files, without code."""

VERSION = "0.1.0"

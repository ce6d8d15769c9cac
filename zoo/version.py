"""The version, apart from all else, so that building a package needs no TensorFlow."""

VERSION = "0.1.0"

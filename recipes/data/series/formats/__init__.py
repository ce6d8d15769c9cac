"""Readers of one file (or folder) each: `(path, options) -> SeriesSet`."""

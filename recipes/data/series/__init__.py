"""Numeric sequences: files of series -> values, splits that respect time, and windows."""

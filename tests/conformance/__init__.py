"""Sweeps over everything that is registered."""

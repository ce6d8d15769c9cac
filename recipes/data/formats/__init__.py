"""Readers of file formats; their errors name file and line."""

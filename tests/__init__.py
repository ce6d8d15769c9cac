"""The tests; run as `python -m pytest` from the root."""

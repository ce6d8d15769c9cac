"""Generated lines for language models."""

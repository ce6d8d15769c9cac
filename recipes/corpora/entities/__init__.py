"""Generated sentences with named entities."""

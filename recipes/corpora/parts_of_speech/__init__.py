"""Generated sentences with parts of speech."""

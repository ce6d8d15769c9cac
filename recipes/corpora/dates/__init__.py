"""Generated dates and times, written out and as numbers."""

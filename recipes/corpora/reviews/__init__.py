"""Generated reviews with a sentiment."""

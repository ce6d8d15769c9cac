"""Models as LiteRT files of fixed sizes, for phones and small devices; needs the extra `litert`."""

"""Many to many of two lengths: a text -> its translation, by an encoder and a decoder."""

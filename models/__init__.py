"""Trains and packages the models of the distribution `rnn-zoo-models`; see `README.md`."""

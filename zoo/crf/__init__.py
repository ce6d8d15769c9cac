"""The linear-chain conditional random field: algebra, Keras layer, losses."""

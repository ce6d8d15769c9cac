"""The models on every backend of Keras, each in a process of its own."""

"""What is done to a SavedModel once TensorFlow has written it."""

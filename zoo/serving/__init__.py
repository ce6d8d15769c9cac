"""A local server for exported models: TensorFlow Serving's REST API and Open Inference V2."""

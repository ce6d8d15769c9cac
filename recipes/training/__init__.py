"""Training loops, batches, replicas, checkpoints, optimizers and progress."""

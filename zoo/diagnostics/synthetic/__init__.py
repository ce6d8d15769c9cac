"""Made-up tasks and texts, small models for them, and their training."""

"""The `tune` command: searches over a recipe's options."""

"""What the recipes that tag tokens share: `ner` and `pos`."""

"""What the recipes that give a text one label share: `sentiment` and `origin`."""

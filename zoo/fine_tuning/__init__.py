"""Fine-tuning: pretrained weights in a model with a larger vocabulary, and what of it trains when.

The recipes' `--init` and `Pipeline.fine_tune` share it. The recipes train in their own loop, with
validation and checkpoints; `fitting` is the short loop of `Pipeline.fine_tune`, since the zoo does
not import the recipes.
"""

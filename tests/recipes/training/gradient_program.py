"""`python -m tests.recipes.training.gradient_program`: three steps over windows, as JSON."""

import json

import keras
import numpy as np

import zoo
from recipes.families.language.steps import initial_states, inputs_of, mean_loss
from recipes.families.language.windows import Window
from recipes.training.gradient_step import gradient_step
from zoo.architectures.language_model import LanguageModel


def main():
    """Prints the losses, the states after them, and all weights."""
    draw = np.random.default_rng(5)
    options = {"cell": "lstm", "units": 6, "embedding_dim": 5, "num_layers": 2, "ar": 0.5}
    model = zoo.build("language_model", vocabulary_size=12, explicit_states=True, **options)
    for weight in model.weights:
        weight.assign(draw.normal(size=weight.shape) * 0.5)
    model.compile(keras.optimizers.SGD(0.5))
    step = gradient_step(model, LanguageModel.of(model).with_losses(), mean_loss)
    states, losses = initial_states(model, 3), []
    for _ in range(3):
        ids = draw.integers(1, 12, (3, 7)).astype("int32")
        ids[1, 4:] = 0
        loss, states = step(inputs_of(Window(ids, np.roll(ids, -1, axis=1), False), states))
        losses.append(float(loss))
    arrays = [*(states[name] for name in sorted(states)), *(each.value for each in model.weights)]
    found = [keras.ops.convert_to_numpy(each).ravel().tolist() for each in arrays]
    print(json.dumps({"losses": losses, "arrays": found}))


if __name__ == "__main__":
    main()

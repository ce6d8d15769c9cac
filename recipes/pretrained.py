"""`--init`: a recipe starts from the weights of a trained model.

The model's description decides the options of the new one before any data is read. Its vocabulary
and its labels are extended when the data is prepared, and its weights are copied into the new model
when that is built. A run's folder has all of it afterwards: nothing reads the pretrained model
again.
"""

import functools
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from recipes.config import read_json, write_json
from recipes.run_files import INIT
from recipes.training.checkpoint import BEST
from zoo.errors import InputError
from zoo.fine_tuning.optimizers import gradual
from zoo.fine_tuning.parts import freeze_layers, schedule
from zoo.fine_tuning.start import Start
from zoo.options import Option, options_of
from zoo.pretrained import find, is_run
from zoo.pretrained.loading import open_folder
from zoo.registry import architecture
from zoo.system.artefact import read_config

if TYPE_CHECKING:
    from recipes.recipe import Recipe

WEIGHTS = ("model.weights.h5", "model.keras", f"checkpoints/{BEST}")  # of an artefact, of a run
# options of builders that change how a model trains, and not what it is
FREE = {
    *("dropout", "word_dropout", "rare_dropout", "type_dropout", "output_dropout"),
    *("input_dropout", "recurrent_dropout", "weight_drop", "class_dropout", "character_dropout"),
    *("ar", "tar", "sampled", "scheduled_sampling", "spec_augment"),
    *("auxiliary", "neighbour_words", "constrained", "pretrained_trainable", "name"),
}


@dataclass(frozen=True)
class Description:
    """What a pretrained model is, from its small files.

    Attributes:
        folder: Where it is.
        recipe: The recipe that trained it; "" if unknown.
        architecture: Its architecture's name.
        options: The options of its architecture, and those of its run.
        content: The configuration of what `Pipeline.save` wrote; empty for a run.
    """

    folder: Path
    recipe: str
    architecture: str
    options: Mapping[str, Any]
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Pretrained(Start):
    """A pretrained model.

    Attributes:
        name: What the user called it.
        sha256: Of the file of its weights.
    """

    name: str
    sha256: str

    def extended(self, name: str, learned: Any) -> Any:
        """See `Start.extended`."""
        try:
            return super().extended(name, learned)
        except InputError as error:
            raise InputError(f"--init {self.name}: {error}") from error


def describe(name: str) -> Description:
    """Reads what a pretrained model is.

    Raises:
        InputError: There is no such model, or it cannot be started from.
    """
    folder = find(name)
    if is_run(folder):
        stored = read_json(folder / "config.json", dict)
        recipe, options = stored.pop("recipe", ""), stored
        built, content = stored.get("architecture", ""), {}
    else:
        content = read_config(folder)
        model = content.get("model") or {}
        recipe, built = content.get("recipe") or "", model.get("name", "")
        options = model.get("options", {})
    if not built:
        raise InputError(
            f"--init {name}: its files do not say which architecture it has: give a run's folder, "
            "or what Pipeline.save wrote of a model that zoo.build made"
        )
    return Description(folder, str(recipe), str(built), options, content)


def of(name: str) -> Pretrained:
    """Loads a pretrained model.

    Raises:
        InputError: There is no such model, or it cannot be started from.
    """
    folder = find(name)
    paths = [folder / each for each in WEIGHTS if (folder / each).is_file()]
    if not paths:
        raise InputError(f"--init {name} has no trained weights: train it first, or give another")
    return _loaded(name, folder, hashlib.sha256(paths[0].read_bytes()).hexdigest())


@functools.lru_cache(maxsize=1)
def _loaded(name: str, folder: Path, sha256: str) -> Pretrained:
    state = random.getstate()  # seeds of layers are drawn from it: a model in the cache draws none
    try:
        return Pretrained.of(open_folder(folder), name=name, sha256=sha256)
    finally:
        random.setstate(state)


def completed(recipe: "Recipe", options: Mapping[str, Any]) -> dict[str, Any]:
    """The user's options with those that the pretrained model of `--init` decides, if there is one.

    Raises:
        InputError: The recipe cannot start from it, or an option contradicts it.
    """
    name = options.get("init", "")
    if not name:
        return dict(options)
    kept = kept_options(recipe, name)
    for option, value in kept.items():
        if option in options and options[option] != value:
            given = options[option]
            flag = ("--no-" if given is False else "--") + option.replace("_", "-")
            shown = "" if isinstance(given, bool) else f" {given}"
            raise InputError(
                f"{flag}{shown} contradicts --init {name}, which has {option} {value}: leave "
                f"{flag} out, or start from another model"
            )
    return {**kept, **options}


def kept_options(recipe: "Recipe", name: str) -> dict[str, Any]:
    """The options of a recipe that a pretrained model decides: what it is, and how it reads texts.

    Raises:
        InputError: The recipe cannot start from it.
    """
    if not recipe.starts_from_pretrained:
        raise InputError(f"{recipe.name} cannot start from pretrained weights: leave --init out")
    found = describe(name)
    topology = architecture(found.architecture).topology
    own = architecture(recipe.config.architecture).topology
    if topology != own:
        trained = f" of the recipe {found.recipe}" if found.recipe else ""
        raise InputError(
            f"--init {name} is a model{trained} with the topology {topology}, but {recipe.name} "
            f"trains {own}: start from a model of this topology"
        )
    config = recipe.config_for(found.architecture)
    builder = set(architecture(found.architecture).options) - set(recipe.sized_by_data) - FREE
    if found.recipe not in ("", recipe.name):
        builder -= {"head"}
    texts = recipe.text_options_of(found.content) if found.content else found.options
    values = {option: found.options[option] for option in builder if option in found.options}
    values |= {option: texts[option] for option in recipe.text_options if option in texts}
    known = options_of(config)
    return {
        "architecture": found.architecture,
        **{key: _as_option(known[key], value) for key, value in values.items() if key in known},
    }


def architecture_of(recipe: "Recipe", name: str) -> str:
    """The architecture of a pretrained model that a recipe starts from; "" without a name.

    Raises:
        InputError: The recipe cannot start from it.
    """
    return str(kept_options(recipe, name)["architecture"]) if name else ""


def _as_option(option: Option, value: Any) -> Any:
    """A builder's value as a recipe's option has it: some lists of numbers are texts there."""
    is_text = option.kind is str and isinstance(value, list | tuple)
    return ",".join(map(str, value)) if is_text else value


def initial_model(recipe: "Recipe", config: Any, prepared: Any) -> keras.Model:
    """The compiled model that a training begins with: with pretrained weights if it has `init`.

    Raises:
        InputError: The pretrained weights do not fit.
    """
    model = recipe.build(config, prepared)
    if not config.init:
        return model
    start = of(config.init)
    try:
        start.give(model, _paths_of(start, prepared), prepared.classes)
    except InputError as error:
        raise InputError(f"--init {config.init} does not fit: {error}") from error
    if config.unfreeze_every == 0:
        freeze_layers(model, config.freeze)
    if config.unfreeze_every or config.layer_decay != 1:
        plan = schedule(model, config.freeze, config.unfreeze_every, config.layer_decay)
        compiled = model.get_compile_config()
        compiled["optimizer"] = keras.optimizers.serialize(gradual(model.optimizer, *plan))
        model.compile_from_config(compiled)
    model.optimizer.build(model.trainable_variables)  # a state is complete before the first step
    return model


def _paths_of(start: Pretrained, prepared: Any) -> dict[str, Any]:
    """The text paths of prepared data by the pipeline's names."""
    paths = prepared.text_path
    return paths if isinstance(paths, dict) else dict.fromkeys(start.text_paths, paths)


def record(config: Any, prepared: Any, model: keras.Model, run: Path) -> None:
    """Writes into a run's folder what it started from, and prints it."""
    start = of(config.init)
    new = start.has_new_head(model, prepared.classes)
    rows = {
        growth.layers[0]: growth.after - growth.before
        for growth in start.growths(_paths_of(start, prepared), prepared.classes)
        if growth.after > growth.before and growth.layers[0] in start.weights
    }
    head = "a new head" if new else "the whole model"
    more = "".join(f", {count:,} new rows of {layer}" for layer, count in rows.items())
    print(f"init: {config.init}: {head}{more}", flush=True)
    write_json(
        run / INIT,
        {
            "init": config.init,
            "pipeline": start.pipeline,
            "weights_sha256": start.sha256,
            "head": "new" if new else "pretrained",
            "new_rows": rows,
        },
        checked=True,
    )

"""`Recipe`: what a task says about itself, so that the commands can train, measure and serve it."""

import abc
import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import keras

import zoo
from recipes import pretrained
from recipes.config import Answering, DataOptions, TrainingConfig, from_mapping, with_options
from recipes.data.splits import Splits
from recipes.predictions import Measured
from recipes.registry import BUILTIN
from recipes.training import loop
from recipes.training.batches import LabelledBatches
from recipes.training.epochs import settled
from zoo.errors import InputError, nearest
from zoo.layers.numeric import NumberOptions
from zoo.options import Option, options_of, shown
from zoo.pipelines import Pipeline
from zoo.registry import architecture, preset_options
from zoo.text import SPECIAL

Made = TypeVar("Made")
# the builders' options of models that read or predict numbers
NUMBERS = frozenset(
    {
        *(field.name for field in dataclasses.fields(NumberOptions)),
        *("num_outputs", "instance_norm"),
    }
)
_CONFIGS: dict[Any, type[TrainingConfig]] = {}  # of each recipe and architecture
zoo.import_models()  # a recipe has the options of its architecture


@dataclass(frozen=True)
class Prepared:
    """A data set as numbers, with what turned it into numbers.

    Attributes:
        splits: The examples: `train`, `validation`, `test`.
        batches: The batches of each split, by its name.
        text_path: What turns texts into numbers: a vectorizer, or one codec or several.
        classes: The labels in the order of their ids; empty where there are none.
        summary: The line about the data that is printed before training.
    """

    splits: Splits[Any]
    batches: Mapping[str, Any]
    text_path: Any
    classes: Sequence[str] = field(default=())
    summary: str = ""


class OfModel(Generic[Made]):
    """Makes something from a model, such as a traced function, and reuses it for the same model.

    `make` gets a model and further arguments. Tracing takes seconds, and validation comes after
    every epoch.
    """

    def __init__(self, make: Callable[..., Made]) -> None:
        self._make = make
        self._made: tuple[tuple[Any, ...], Made] | None = None

    def __call__(self, *arguments: Any) -> Made:
        """The thing for these arguments, the first of which is the model."""
        if self._made is None or any(
            a is not b and a != b for a, b in zip(self._made[0], arguments, strict=True)
        ):
            self._made = None  # before the next one takes memory
            self._made = arguments, self._make(*arguments)
        return self._made[1]


class Recipe(abc.ABC):
    """A task from its data to a served model.

    A configuration is one flat dataclass. Its options are those that a recipe declares as `config`
    and those of the architecture's builder, which go to `zoo.build`. Those in `data_options` say
    what the data is and how it becomes numbers; `load` and `prepare` get these alone.

    Attributes:
        name: What the command line calls it.
        summary: One line for the list of recipes.
        config: The recipe's own options, a dataclass of fields made by `recipes.config.option`; the
            subclass gets the usual architecture's options added to it.
        model_defaults: The defaults of the builder's options that are not the builder's own.
        data_options: The options that `load` and `prepare` get, a dataclass whose fields `config`
            has, too.
        builtin: The defaults that apply to the built-in corpus.
        sized_by_data: The builder's options that the data decide and that have no flag, each with
            a small value, with which `check` tries the other options.
        unused: The builder's options that the recipe does not have; by default those of numbers.
        answering: The options of `predict`.
        example_options: Those with which the examples at the end of a run are answered.
        metric: The validation metric by which a search compares settings, by default the loss; a
            recipe whose options choose it overrides `objective`.
        texts_to_try: Texts to predict at the end of a run on the built-in corpus; by default some
            of the test split.
        note: What a model of the built-in corpus is good for; it may name `{known}`, the number of
            known words, and `{classes}`.
        labelled: Whether examples have a right answer that predictions can be compared with.
        reads_files: Whether `predict` takes the paths of files in place of texts.
        trains_anywhere: Whether `train` runs on each of Keras' backends; `zoo.layers` and Keras'
            own training do, loops of TensorFlow do not.
        starts_from_pretrained: Whether `--init` is for it: `prepare` extends the vocabulary and the
            labels of the pretrained model that `data.init` names; see `recipes.pretrained`.
        text_options: Its options of how texts are read, which a pretrained model decides.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    config: ClassVar[type[TrainingConfig]]
    declared: ClassVar[type[TrainingConfig]]
    data_options: ClassVar[type[DataOptions]]
    model_defaults: ClassVar[Mapping[str, Any]] = {}
    builtin: ClassVar[Mapping[str, Any]] = {}
    sized_by_data: ClassVar[Mapping[str, Any]] = {}
    unused: ClassVar[Collection[str]] = NUMBERS
    answering: ClassVar[type[Answering]] = Answering
    example_options: ClassVar[Mapping[str, Any]] = {}
    metric: ClassVar[str] = "loss"
    texts_to_try: ClassVar[Sequence[str]] = ()
    note: ClassVar[str] = ""
    labelled: ClassVar[bool] = True
    reads_files: ClassVar[bool] = False
    trains_anywhere: ClassVar[bool] = True
    starts_from_pretrained: ClassVar[bool] = False
    text_options: ClassVar[Collection[str]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Gives a built-in recipe its summary, and the configuration the builder's options."""
        super().__init_subclass__(**options)
        if "config" in vars(cls):
            cls.declared = cls.config
        if hasattr(cls, "declared"):
            cls.config = cls.config_for(cls.declared.architecture)
        if "name" in vars(cls) and "summary" not in vars(cls):
            cls.summary = BUILTIN.get(cls.name, "")

    @abc.abstractmethod
    def load(self, data: Any, whole: bool = False) -> Any:
        """The examples that `data.data` names, of the `data_options`, as `Splits`.

        With `whole` all examples are `test`, for measuring, and the others are empty.

        Raises:
            InputError: There is no such data, or it cannot be used.
        """

    @abc.abstractmethod
    def prepare(self, data: Any, splits: Any, directory: Path) -> Prepared:
        """Turns examples into numbers and batches.

        What is learned from the training split (vocabularies, labels) is written into the run's
        folder `directory` and read from there if it is there already.
        """

    @abc.abstractmethod
    def sizes(self, prepared: Any) -> dict[str, Any]:
        """The values of the builder's options that the data decide: those of `sized_by_data`."""

    @abc.abstractmethod
    def compile(self, model: keras.Model, config: Any, prepared: Any) -> None:
        """Gives the model its optimizer and its loss."""

    @abc.abstractmethod
    def validate(self, model: keras.Model, config: Any, prepared: Any) -> dict[str, float]:
        """The validation split's metrics; the first one chooses the best epoch."""

    @abc.abstractmethod
    def evaluate(
        self, model: keras.Model, config: Any, prepared: Any, directory: Path
    ) -> dict[str, Any]:
        """The metrics of validation and test by split; may write tables and plots."""

    @abc.abstractmethod
    def measure(self, model: keras.Model, config: Any, splits: Any, directory: Path) -> Measured:
        """The metrics and the predictions of a run's model on the test split of any data."""

    @abc.abstractmethod
    def pipeline(self, model: keras.Model, config: Any, directory: Path) -> Pipeline:
        """The model with the text path and the labels of its run's folder `directory`."""

    @abc.abstractmethod
    def answer(self, signatures: Any, texts: Sequence[str], options: Any) -> list[dict[str, Any]]:
        """The served model's answers: for each text the same number of rows.

        Args:
            signatures: Of the loaded SavedModel.
            texts: Any texts.
            options: Those of `predict`, an `answering`.
        """

    @abc.abstractmethod
    def format_answer(self, row: dict[str, Any]) -> str:
        """An answer as a line of text."""

    def format_example(self, row: dict[str, Any]) -> str:
        """An answer as a line that shows what was asked, too: for the end of a run."""
        return self.format_answer(row)

    def objective(self, config: Any) -> str:
        """The validation metric by which a search compares settings."""
        return self.metric

    def fitting_objective(self, objective: str, prepared: Any) -> str:
        """The recipe's own objective, or another one where this data has no such metric."""
        return objective

    def defaults(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The defaults that depend on the user's options."""
        return dict(self.builtin) if self.is_builtin(options) else {}

    def is_builtin(self, options: Mapping[str, Any]) -> bool:
        """Whether options choose the built-in corpus, not a data set or files."""
        return options.get("data", self.config.data) == "builtin"

    def configured(self, options: Mapping[str, Any]) -> Any:
        """The configuration: the user's options, then those of a preset, then the defaults.

        Args:
            options: Options by name, one of which may name an `architecture`.

        Raises:
            InputError: An option is unknown, has a wrong value, or is one that the architecture
                does not have.
        """
        options = pretrained.completed(self, options)
        defaults = self.defaults(options)
        name = options.get("architecture", defaults.get("architecture", self.config.architecture))
        config = self.config_for(name)
        known = {field.name for field in dataclasses.fields(config)}
        preset = preset_options(name) if "architecture" in options else {}
        chosen = {key: value for key, value in {**defaults, **preset}.items() if key in known}
        return from_mapping(config, {**chosen, **self._accepted(config, options, name)})

    def opened(self, stored: Mapping[str, Any]) -> Any:
        """The configuration in a run's `config.json`.

        Raises:
            InputError: An option is unknown or has a wrong value.
        """
        name = stored.get("architecture", self.config.architecture)
        return from_mapping(self.config_for(name), stored)

    def _accepted(
        self, config: type[TrainingConfig], options: Mapping[str, Any], name: str
    ) -> dict[str, Any]:
        """The options without defaults of the usual architecture that another one lacks."""
        known = {field.name for field in dataclasses.fields(config)}
        usual = {field.name: field.default for field in dataclasses.fields(self.config)}
        for option, value in options.items():
            if option in usual and option not in known and value != usual[option]:
                accepted = architecture(name).options
                raise InputError(f"{name} has no option {option!r}: {nearest(option, accepted)}")
        return {key: options[key] for key in options if key in known or key not in usual}

    @classmethod
    def config_for(cls, name: str) -> type[TrainingConfig]:
        """The configuration class of an architecture: the recipe's and the builder's options.

        Raises:
            InputError: There is no such architecture.
        """
        options = architecture(name).options
        key = (cls, name, architecture(name).builder)
        if key not in _CONFIGS:
            defaults = {**cls.model_defaults, **preset_options(name)}
            without = {*cls.sized_by_data, *cls.unused, "name"}
            _CONFIGS[key] = with_options(
                cls.declared,
                [
                    dataclasses.replace(each, default=defaults.get(each.name, each.default))
                    for each in options.values()
                    if each.name not in without
                ],
            )
        return _CONFIGS[key]

    @classmethod
    def option_groups(cls, names: Sequence[str]) -> dict[str, list[Option]]:
        """The options of the named architectures by what they are about: data, model, training."""
        options: dict[str, Option] = {}
        for name in reversed(names):
            options |= options_of(cls.config_for(name))
        shared = {field.name for field in dataclasses.fields(TrainingConfig)}
        shared -= {field.name for field in dataclasses.fields(DataOptions)} - {"init"}
        data = {field.name for field in dataclasses.fields(cls.data_options)} - shared
        model = {option for name in names for option in architecture(name).options} - data
        model |= {"architecture"}
        groups: dict[str, list[Option]] = {"data": [], "model": [], "training": []}
        for each in options.values():
            part = "data" if each.name in data else "model" if each.name in model else "training"
            groups[part].append(each)
        return groups

    @classmethod
    def builtin_defaults(cls) -> dict[str, str]:
        """A remark for help about each default that is another one for the built-in corpus."""
        usual = options_of(cls.config)
        return {
            name: f"{shown(value)} with the built-in data"
            for name, value in cls.builtin.items()
            if value != usual[name].default
        }

    def data_of(self, config: Any) -> Any:
        """The data options of a configuration. Equal ones load and prepare the same data."""
        names = [field.name for field in dataclasses.fields(self.data_options)]
        return self.data_options(**{name: getattr(config, name) for name in names})

    def model_options(self, config: Any) -> dict[str, Any]:
        """The options that go to the architecture's builder, but for those that the data decide."""
        known = {field.name for field in dataclasses.fields(config)} - set(self.sized_by_data)
        accepted = architecture(config.architecture).options
        values = {name: getattr(config, name) for name in accepted if name in known}
        return {
            name: value
            for name, value in values.items()
            if value is not None or not accepted[name].required
        }

    def model(self, config: Any, sizes: Mapping[str, Any]) -> keras.Model:
        """The model, not compiled; `sizes` are the values of `sized_by_data`."""
        accepted = architecture(config.architecture).options
        needed = {name: size for name, size in sizes.items() if name in accepted or size}
        return zoo.build(config.architecture, **self.model_options(config), **needed)

    def check(self, config: Any) -> None:
        """Builds a small model: wrong options show before the data is read.

        Raises:
            InputError: An option does not fit.
        """
        self.model(settled(config, 1), self.sized_by_data)

    def build(self, config: Any, prepared: Any) -> keras.Model:
        """The compiled model; the configuration has its epochs settled by the size of train."""
        model = self.model(config, self.sizes(prepared))
        self.compile(model, config, prepared)
        return model

    def batches(
        self, model: keras.Model, config: Any, prepared: Any, split: str
    ) -> LabelledBatches:
        """The batches of a split, with the inputs and the labels that a model takes."""
        batches: LabelledBatches = prepared.batches[split]
        return batches

    def text_options_of(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The values of `text_options` of a saved pipeline.

        `content` is its configuration: its `options`, and its `text_paths` with theirs.
        """
        paths = content.get("text_paths", {}).values()
        return {name: value for path in paths for name, value in path["options"].items()}

    def epochs(self, model: keras.Model, config: Any, prepared: Any) -> loop.RunEpoch:
        """What trains an epoch of the compiled model."""
        return loop.over_batches(model, self.batches(model, config, prepared, "train"))

    def finished(
        self, model: keras.Model, config: Any, prepared: Any, directory: Path
    ) -> tuple[keras.Model, float]:
        """What is left to do when training has ended, before the run is measured.

        Returns:
            The model that the run's sizes are those of, and the seconds that this took.
        """
        return model, 0.0

    def batch_loss(self, model: keras.Model, config: Any, prepared: Any) -> tuple[Any, Any, Any]:
        """The loss on the first batch of validation: a model, its inputs, and its outputs' loss."""
        self.compile(model, config, prepared)
        inputs, labels, *_ = next(iter(self.batches(model, config, prepared, "validation")()))
        return model, inputs, lambda outputs: model.compute_loss(inputs, labels, outputs)

    def one_example(self, model: keras.Model, config: Any, prepared: Any) -> Any:
        """The model's inputs for one example of validation, to time it."""
        inputs, *_ = next(iter(self.batches(model, config, prepared, "validation")()))
        return keras.tree.map_structure(lambda values: values[:1], inputs)

    def examples(self, config: Any, prepared: Any) -> list[str]:
        """A few texts to try the exported model on."""
        if self.texts_to_try and config.data == "builtin":
            return list(self.texts_to_try)
        return [example.text for example in prepared.splits.test[:5]]

    def advice(self, config: Any, prepared: Any) -> str:
        """The `note` about a model of the built-in corpus, or ""."""
        if not self.note or not self.is_builtin(dataclasses.asdict(config)):
            return ""
        known = f"{self.known_words(prepared):,}"
        text = self.note.format(known=known, classes=", ".join(prepared.classes))
        return f"about this model: {text}"

    def known_words(self, prepared: Any) -> int:
        """The number of words in the run's vocabulary; 0 where there is none."""
        return len(getattr(prepared.text_path, "vocabulary", SPECIAL)) - len(SPECIAL)

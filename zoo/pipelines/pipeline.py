"""What all pipelines share: a text path, a model and a decoding, joined in one graph."""

import abc
import contextlib
import functools
import shutil
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import keras
import numpy as np
import tensorflow as tf

from zoo.decoding import bounds
from zoo.errors import InputError
from zoo.export import publish
from zoo.fine_tuning.fitting import Examples, FineTuning, fine_tuned
from zoo.fine_tuning.start import SizedBy
from zoo.litert import bundle as litert
from zoo.litert.graphs import Graph, Sizes
from zoo.onnx import bundle, triton
from zoo.onnx.served import Served
from zoo.pipelines import artefact
from zoo.recurrence.sharding import LARGE
from zoo.recurrence.tracing import lean
from zoo.saved_model import assertions
from zoo.system import durable
from zoo.system.artefact import finish
from zoo.system.bounded_batches import batches
from zoo.system.flags import kept_here
from zoo.text import TextPath
from zoo.version import VERSION

Answers = dict[str, np.ndarray]
WARM_CALLS, WARM_SECONDS = 8, 0.05  # of a new small graph, at most


class Signature(NamedTuple):
    """A function of a served model.

    Attributes:
        function: A `tf.function` with an input signature and without autograph, or its one graph.
        probe: Name -> tensor: the inputs on which an exported model is compared with it.
        tracked: Variables that the function reads besides the model's.
    """

    function: Any
    probe: Mapping[str, Any]
    tracked: Sequence[Any] = ()


class Pipeline(abc.ABC):
    """A text path, a model and a decoding, joined in one graph: strings in, strings out.

    A subclass declares its functions of tensors with `traced`, names those that are served in
    `signatures`, and calls them on Python strings with `answers`.

    Attributes:
        model: The model.
        path_names: The class's arguments that are text paths.
        option_names: Its other arguments, whose values JSON can hold.
        rows: Rows of a batch at most, when strings are answered in Python.
        eager_calls: Calls from Python that are answered without a graph, each in tenths of a
            second; for a program that asks once. See `called`.
        large_calls: Calls from Python with many rows that a function's small graph answers before
            the one that is exported is built; see `called`.
        sized_by: The sizes of the model that text paths and labels decide.
        has_targets: Whether texts need targets to be trained on.
    """

    model: keras.Model
    path_names: ClassVar[tuple[str, ...]]
    option_names: ClassVar[tuple[str, ...]] = ()
    rows: ClassVar[int] = 256
    eager_calls: int = 0
    large_calls: int = 4
    sized_by: ClassVar[SizedBy] = SizedBy({})
    has_targets: ClassVar[bool] = True

    @abc.abstractmethod
    def __call__(self, *inputs: Any, **options: Any) -> list[Any]:
        """The main answer to each text, or to each series of numbers."""

    @abc.abstractmethod
    def signatures(self) -> dict[str, Signature]:
        """The functions that an exported model has, by name."""

    @property
    def text_paths(self) -> dict[str, TextPath]:
        """The text paths by the names of the class's arguments."""
        return {name: getattr(self, name) for name in self.path_names}

    @property
    def options(self) -> dict[str, Any]:
        """The class's other arguments, for JSON."""
        return {name: getattr(self, name) for name in self.option_names}

    def answers(self, function: Callable[..., Any], **inputs: Any) -> Answers:
        """Calls one of the traced functions on Python values, in batches of like lengths.

        The inputs are strings, or numbers of an option of `zoo.decoding.bounds`: one for each row,
        or one for all. Returns name -> array, a row for each row of the inputs; strings are `str`.

        Raises:
            InputError: The inputs have different numbers of rows, an option is out of its range, or
                the function refuses a value.
        """
        count = next((len(value) for value in inputs.values() if _is_many(value)), 1)
        columns = {name: _column(name, value, count) for name, value in inputs.items()}
        texts = [column for name, column in columns.items() if name not in bounds.BOUNDS]
        lengths = [sum(map(len, row)) for row in zip(*texts, strict=True)]
        parts, order = [], []
        for members in batches(lengths, self.rows) if count else [[]]:
            rows = np.array(members, int)
            part = {name: tf.constant(column[rows]) for name, column in columns.items()}
            with input_errors():
                found = self.called(function, part)
                parts.append({name: value.numpy() for name, value in found.items()})
            order += members
        back = np.argsort(np.array(order, int))
        return {name: joined([part[name] for part in parts])[back] for name in parts[0]}

    def called(self, function: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Calls a traced function by a small graph at first, by that of the export if it pays.

        The graph of an export has a second form of each layer, for many rows, which takes twice the
        time to build and to optimise: seconds. Few rows never need it. With `LARGE` rows or more
        the small graph answers `large_calls` times. Before all that, `eager_calls` calls run the
        function's operations one by one.
        """
        if _has_no_graph(function):
            self._calls[id(function)] += 1
            self._large[id(function)] += len(next(iter(inputs.values()))) >= LARGE
            if self._calls[id(function)] <= self.eager_calls:
                try:
                    eager: dict[str, Any] = function.python_function(**inputs)
                    return eager
                except tf.errors.InvalidArgumentError:
                    pass  # the graph says what is wrong in the form that `input_errors` reads
            if self._large[id(function)] <= self.large_calls:
                return self._small_answer(function, inputs)
        answer: dict[str, Any] = function(**inputs)
        return answer

    def _small_answer(self, function: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a function's small graph, which is warmed up when it is built.

        TensorFlow hands each operation to another thread until it has seen a few times that the
        operation is short, so that a second call would take twice as long as the tenth.
        """
        is_new = id(function) not in self._small_graphs
        graph = self._small(function)
        answer: dict[str, Any] = graph(**inputs)
        end = time.monotonic() + WARM_SECONDS
        for _ in range(WARM_CALLS if is_new else 0):
            if time.monotonic() < end:
                graph(**inputs)
        return answer

    def _small(self, function: Any) -> Any:
        """The small graph of a traced function."""
        if id(function) not in self._small_graphs:
            made = tf.function(
                function.python_function,
                input_signature=function.input_signature,
                autograph=False,
            )
            # the function is kept, too: its id must not become another one's
            with lean(), kept_here.on():
                self._small_graphs[id(function)] = function, made.get_concrete_function()
        return self._small_graphs[id(function)][1]

    @functools.cached_property
    def _calls(self) -> Counter[int]:
        """How often each function without a graph of its own was called."""
        return Counter()

    @functools.cached_property
    def _large(self) -> Counter[int]:
        """How often each function was called with many rows."""
        return Counter()

    @functools.cached_property
    def _small_graphs(self) -> dict[int, tuple[Any, Any]]:
        """Each function that has a small graph, and that graph."""
        return {}

    def fine_tune(
        self,
        texts: Sequence[Any],
        targets: Any = None,
        *,
        epochs: int = 3,
        freeze: str = "none",
        unfreeze_every: int = 0,
        layer_decay: float = 1.0,
        learning_rate: float = 1e-3,
        batch_size: int = 32,
        min_count: int = 1,
        seed: int = 0,
    ) -> Self:
        """Returns a new pipeline, trained on further examples from this one's weights.

        New words get a row in the table of words; those of this pipeline keep theirs. If it knows
        all labels it keeps its head, else the head is new. This is a short loop without validation;
        the recipes' `--init` has all that a training needs.

        Args:
            texts: The texts; for a `Tagger` the lists of their tokens.
            targets: A label each (`Classifier`, `ConditionalWriter`), a list of tags each
                (`Tagger`), a translation each (`Translator`), None (`Writer`).
            epochs: Passes over the texts.
            freeze: What does not train: `none`, `embeddings`, or `body`, the embeddings included.
            unfreeze_every: Epochs after which one more frozen layer trains, from the top down; 0 =
                none does.
            layer_decay: Learning rate of a layer as a fraction of that of the layer above it.
            learning_rate: Learning rate of Adam.
            batch_size: Texts per step.
            min_count: Occurrences in the texts that a new word needs to be added.
            seed: Random seed.

        Raises:
            InputError: An argument is wrong, the pipeline's kind is trained by its recipe alone, or
                its model was not made by `zoo.build`.

        Source: Howard and Ruder, arXiv:1801.06146, for `unfreeze_every` and `layer_decay`.
        """
        options = FineTuning(
            epochs,
            freeze,
            unfreeze_every,
            layer_decay,
            learning_rate,
            batch_size,
            min_count,
            seed,
        )
        if not self.sized_by.words:
            raise InputError(
                f"a {type(self).__name__} is not fine-tuned in Python: train its recipe with --init"
            )
        return fine_tuned(self, texts, targets, options)

    def texts_of(self, name: str, texts: Sequence[Any], targets: Any) -> Sequence[Any]:
        """What the vocabulary of the text path `name` is learned from."""
        return texts

    def training_examples(
        self,
        model: keras.Model,
        texts: Sequence[Any],
        targets: Any,
        paths: Mapping[str, Any],
        labels: Sequence[str],
    ) -> Examples:
        """Texts and targets as numbers for a model with these text paths and labels."""
        raise NotImplementedError

    def export(self, directory: Path | str) -> Path:
        """Writes the next version of a served model, checked as `zoo.export.publish` does.

        `directory` is `saved_models/NAME`; the version becomes a folder `1`, `2`, ... in it, which
        is returned.

        Raises:
            ExportError: The written model does not load or answers otherwise; nothing is left
                behind.
        """
        found = self.signatures()
        functions = {name: each.function for name, each in found.items()}
        tracked = [*self.text_paths.values(), *(weight.value for weight in self.model.weights)]
        tracked += [variable for each in found.values() for variable in each.tracked]
        probes = {name: each.probe for name, each in found.items()}
        about = {"pipeline": type(self).__name__, "project_version": VERSION}
        return publish(functions, tracked, probes, Path(directory), about)

    def onnx_graphs(self) -> dict[str, Served]:
        """The graphs of an ONNX bundle, by name; see `zoo.onnx.bundle`.

        Raises:
            InputError: The pipeline, or an option of its model, cannot be written.
        """
        raise InputError(
            f"a {type(self).__name__} cannot be written as ONNX: export it as a SavedModel"
        )

    def export_onnx(self, directory: Path | str, int8: bool = False) -> Path:
        """Writes the next version of an ONNX bundle, for `rnn_zoo_runtime` or ONNX Runtime alone.

        `directory` is a folder of bundles, not that of the SavedModels; the version becomes a
        folder `1`, `2`, ... in it, which is returned. The files are checked as
        `zoo.onnx.bundle.publish` does. With `int8` the weights have eight bits.

        Raises:
            ExportError: A graph answers otherwise than the model; nothing is left behind.
            InputError: The pipeline cannot be written, or the extra `onnx` is not installed.
        """
        content = {
            "pipeline": type(self).__name__,
            "options": self.options,
            **self.onnx_content(),
        }
        graphs = self.onnx_graphs()
        return bundle.publish(content, self.text_paths, graphs, Path(directory), int8)

    def export_triton(self, directory: Path | str, name: str = "model", int8: bool = False) -> Path:
        """Writes the next version of a Triton model repository with the graphs of `export_onnx`.

        The models are called `NAME_model`, `NAME_step` and so on; see `zoo.onnx.triton`. The
        version is a folder `1`, `2`, ... in `directory`, for `tritonserver --model-repository`.

        Raises:
            ExportError: A graph answers otherwise than the model; nothing is left behind.
            InputError: The pipeline cannot be written, or the extra `onnx` is not installed.
        """
        return triton.publish(self.onnx_graphs(), Path(directory), name, int8)

    def onnx_content(self) -> dict[str, Any]:
        """What else an ONNX bundle says of the model, for JSON."""
        return {}

    def litert_graphs(self, sizes: Sizes) -> dict[str, Graph]:
        """The graphs of a LiteRT bundle, by name; see `zoo.litert.bundle`.

        Raises:
            InputError: The pipeline cannot be written.
        """
        raise InputError(
            f"a {type(self).__name__} cannot be written as LiteRT: its search has no fixed sizes, "
            "which LiteRT needs: export it as a SavedModel or as ONNX"
        )

    def export_litert(
        self, directory: Path | str, rows: int = 1, steps: int = 64, int8: bool = False
    ) -> Path:
        """Writes the next version of a LiteRT bundle, for phones and small devices.

        `directory` is a folder of such bundles; the version becomes a folder `1`, `2`, ... in it,
        which is returned. The files are checked as `zoo.litert.bundle.publish` does.

        Args:
            directory: The folder of the versions.
            rows: B, rows of every input.
            steps: T, tokens or values of a sequence.
            int8: Store the weights in eight bits.

        Raises:
            ExportError: A graph answers otherwise than the model; nothing is left behind.
            InputError: LiteRT lacks an op or a form that the pipeline needs, or the extra `litert`
                (`litert-int8`) is not installed.
        """
        sizes = Sizes(rows, steps).checked()
        content = {
            "pipeline": type(self).__name__,
            "options": self.options,
            **self.onnx_content(),
        }
        graphs = self.litert_graphs(sizes)
        return litert.publish(content, self.text_paths, graphs, sizes, Path(directory), int8)

    def save(
        self,
        folder: Path | str,
        *,
        recipe: str | None = None,
        about: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        card: str = "",
    ) -> Path:
        """Writes model, text paths and options into a new folder, and returns it.

        `zoo.load` reads it. The folder has plain files alone; `zoo.system.artefact` lists them.
        Large arrays of weights are stored in float16.

        Args:
            folder: A new folder.
            recipe: The recipe that trained the model.
            about: What `zoo.pretrained` lists of it, for JSON: `task`, `language`, `licence`,
                `metric` (with `name` and `value`), `examples` (texts to try), and more.
            metrics: The model's metrics, for JSON, as a run's `metrics.json` has them.
            card: The text of its model card, in Markdown.

        Raises:
            InputError: The folder exists.
        """
        folder = Path(folder)
        if folder.exists():
            raise InputError(f"{folder} exists: give the name of a new folder")
        durable.make_folder(folder.parent)
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir()
            content = {**artefact.write(part, self), "recipe": recipe, "about": dict(about or {})}
            finish(part, content, metrics, card)
            durable.publish(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return folder


@contextlib.contextmanager
def input_errors() -> Iterator[None]:
    """Turns the failure of a check in a graph into an `InputError`."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        sentence = assertions.sentence(error.message)
        if not sentence:
            raise
        raise InputError(sentence) from None


def _is_many(value: Any) -> bool:
    """Whether there is a value for each row; NumPy would join `str` and `bytes` of a list."""
    if isinstance(value, str | bytes):
        return False
    return isinstance(value, Sequence) or np.ndim(value) > 0


def _column(name: str, value: Any, count: int) -> np.ndarray:
    """A value for each row: strings, or numbers of an option's type."""
    bound = bounds.BOUNDS.get(name)
    if bound:
        bounds.require(name, value)
    column = np.asarray(value, bound.dtype if bound else object)
    if column.ndim and len(column) != count:
        raise InputError(f"{name} has {len(column)} values, expected one for each of {count} rows")
    return np.broadcast_to(column, [count])


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """Batches of one output below each other, padded with 0 or ""; bytes become `str`."""
    if parts[0].dtype == object:
        parts = [_decoded(part) for part in parts]
    if len(parts) == 1:
        return parts[0]
    widest = np.max([part.shape[1:] for part in parts], axis=0).astype(int)
    fill = "" if parts[0].dtype == object else 0
    return np.concatenate(
        [
            np.pad(
                part,
                [(0, 0), *((0, most - n) for most, n in zip(widest, part.shape[1:], strict=True))],
                constant_values=fill,
            )
            for part in parts
        ]
    )


def _decoded(values: np.ndarray) -> np.ndarray:
    """An array of bytes, or of strings, as an array of `str`."""
    texts = np.empty(values.size, object)
    texts[:] = [
        value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        for value in values.flat
    ]
    return texts.reshape(values.shape)


def _has_no_graph(function: Any) -> bool:
    """Whether a function was not traced yet, and answers without its own graph as well."""
    if getattr(function, "needs_graph", False) or not hasattr(function, "python_function"):
        return False
    return not function.experimental_get_tracing_count()


def traced(*specs: tf.TensorSpec, needs_graph: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Makes a method of tensors a `tf.function` of its object, which is traced at most once.

    With `needs_graph` its operations cannot run without a graph, as `tf.gradients` cannot.
    """
    return functools.partial(_Traced, specs=specs, needs_graph=needs_graph)


class _Traced:
    """A method as a `tf.function`; while a small graph is traced, the method itself.

    A small graph may call Python and lacks the form for many rows. A function that it calls would
    keep a graph of that kind, and an export would get it.
    """

    def __init__(
        self, method: Callable[..., Any], specs: Sequence[tf.TensorSpec], needs_graph: bool
    ) -> None:
        self.method, self.specs, self.needs_graph = method, specs, needs_graph
        self.__doc__ = method.__doc__

    def __get__(self, owner: Any, _type: Any = None) -> Any:
        if owner is None:
            return self
        function = types.MethodType(self.method, owner)
        if kept_here.holds():
            return function
        key = f"_traced_{self.method.__name__}"
        if key not in vars(owner):
            made = tf.function(function, input_signature=self.specs, autograph=False)
            made.needs_graph = self.needs_graph
            vars(owner)[key] = made
        return vars(owner)[key]


def strings(name: str) -> tf.TensorSpec:
    """A served input of strings (B,)."""
    return tf.TensorSpec([None], tf.string, name=name)


def integers(name: str) -> tf.TensorSpec:
    """A served input int32 (B,)."""
    return tf.TensorSpec([None], tf.int32, name=name)


def names_of(names: Sequence[str], ids: tf.Tensor) -> tf.Tensor:
    """Looks up the names of ids int32 (N,), "" for an id without a name: strings (N,).

    Example:
        >>> names_of(["a", "b"], tf.constant([1, 2, -1])).numpy().tolist()
        [b'b', b'', b'']
    """
    places = tf.where((ids >= 0) & (ids < len(names)), ids, len(names))
    return tf.gather(tf.constant([*names, ""]), places)


def names_signature(output: str, names: Sequence[str]) -> Signature:
    """A function of `ids` int32 (N,) that returns their names as `output`, strings (N,)."""

    @tf.function(input_signature=[integers("ids")], autograph=False)
    def look_up(ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: names_of(names, ids)}

    return Signature(look_up, {"ids": tf.range(-1, len(names) + 1)})

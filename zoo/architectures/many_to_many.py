"""Many to many of equal length: x1 .. xT -> y1 .. yT. Tags each step."""

from collections.abc import Mapping
from typing import Any

import keras

from zoo import blueprint, masking
from zoo.architectures.checked_model import CheckedModel
from zoo.architectures.context import PREFIX, Context, casing_table, context_states, words
from zoo.architectures.sequence_input import (
    number_input,
    number_vectors,
    regression,
    require_one_head,
    require_one_of,
)
from zoo.crf.layer import maker_of
from zoo.errors import InputError, require_choice, require_positive_int
from zoo.layers import (
    CRF,
    Recurrent,
    RecurrentOptions,
    States,
    TokenEmbedding,
    named_states,
    nested_states,
)
from zoo.layers.affixes import Affixes
from zoo.layers.characters import CharacterOptions
from zoo.layers.numeric import NumberOptions
from zoo.registry import preset, register

HEADS = ("softmax", "crf")
NEIGHBOURS = ("next_word", "previous_word")
NEIGHBOUR_UNITS = 50
MESSAGE = "message"  # the name of the CRF's own state in a step
EOS = 3  # the last of the special ids, as in zoo.text
BODY = RecurrentOptions()
NUMBERS = NumberOptions()
LETTERS = CharacterOptions()


@register(topology="many_to_many")
def many_to_many(
    *,
    vocabulary_size: int | None = None,
    num_tags: int | None = None,
    num_outputs: int | None = None,
    embedding_dim: int = 100,
    learned_size: int | None = None,
    pretrained_dim: int = 0,
    pretrained_trainable: bool = False,
    letters: CharacterOptions = LETTERS,
    affix_dim: int = 0,
    casing_dim: int = 0,
    context: dict[str, Any] | None = None,
    numbers: NumberOptions = NUMBERS,
    body: RecurrentOptions = BODY,
    head: str = "softmax",
    allowed: Any = None,
    constrained: str = "decoding",
    auxiliary: dict[str, int] | None = None,
    neighbour_words: int = 0,
    word_dropout: float = 0.0,
    rare_dropout: float = 0.0,
    name: str = "many_to_many",
) -> keras.Model:
    """Tags each step of a sequence: parts of speech, named entities, phases of a signal.

    token_ids (B, T), letters, casing -> vectors (B, T, E) -> states (B, T, K) -> logits (B, T, C)
    values (B, T, F), lengths (B,) -> standardised (B, T, F) -> states ... -> outputs (B, T, D)

    With a CRF the output is its chain (B, T + C + 3, C), for `zoo.layers.CRFLoss`: the logits, and
    below them the transition scores. The mask is computed from the token ids (0 = PAD, on the
    right), or from the lengths, and passed to each layer. States have 2K values if both directions
    are concatenated. A model of numbers takes their statistics from the training data by
    `zoo.adapt`; the options of words, letters and a context are for token ids.

    Args:
        vocabulary_size: V, number of token ids, PAD and UNK included; or `input_dim` is given.
        num_tags: C, number of tags; or `num_outputs` is given.
        num_outputs: D, number of outputs of a regression at each step, in the targets' units.
        embedding_dim: Size of a token's learned vector.
        learned_size: Number of tokens that have a learned vector, those with the first ids; the
            others are UNK there. All of them by default.
        pretrained_dim: Size of a token's pretrained vector, beside the learned one; 0 = none. The
            layer `embedding` takes the vectors by `set_pretrained`.
        pretrained_trainable: Whether the pretrained vectors are tuned.
        letters: The options of the layer that reads letters.
        affix_dim: Size of the vector of each of a word's beginnings of 1 to 3 letters and endings
            of 1 to 4; 0 = none.
        casing_dim: Size of the vector for a word's capitals and digits; 0 = none.
        context: Sizes of a bidirectional language model (`zoo.architectures.context.Context`) whose
            states are concatenated to a token's vectors, and whose weights stay unchanged; the
            names of its layers begin with `context_`. None by default.
        numbers: The options of sequences of numbers.
        body: The options of the recurrent body.
        head: `softmax`, each tag by itself; `crf`, whole paths of tags.
        allowed: With a CRF: the tables transitions (C, C), start (C,) and end (C,) of bool, such as
            `zoo.text.allowed_transitions` gives; everything is allowed by default.
        constrained: Whether the tables hold `always` or in `decoding` alone.
        auxiliary: Auxiliary tags, name -> their number: each has its own softmax on the same
            states, and the output is a dict, in which `tags` is the output described here.
            `TaggingModel.without_auxiliary` removes them again.
        neighbour_words: N > 0 adds a language model as an auxiliary task: the forward states
            predict the next word (output `next_word`), the backward states the previous one
            (`previous_word`), each by a tanh layer of 50 units and a softmax over the first N ids.
            Needs one recurrent layer whose directions are concatenated, because anything above it
            has read both neighbours. `without_auxiliary` removes these, too.
        dropout: Fraction dropped from a token's vectors, between layers and before the logits, in
            training.
        word_dropout: Fraction of the tokens replaced by UNK in training; their letters stay.
        rare_dropout: a > 0 hides the learned vector of a word that occurs n times with probability
            a / (a + n), in training; n comes from `set_counts` of the layer `embedding`.
        name: The model's name.

    Returns:
        A Keras model: int (B, T) token ids -> float (B, T, C) logits, or (B, T + C + 3, C). With
        letters or casing it takes a dict: `token_ids`, `character_ids` (B, T, L), `casing_ids`
        (B, T); of numbers a dict of `values` float (B, T, F) and `lengths` int (B,).

    Raises:
        InputError: An option has an invalid value.

    Source: Huang, Xu and Yu, arXiv:1508.01991, for the bidirectional LSTM with a CRF; Ma and Hovy,
        arXiv:1603.01354, for the letters' convolution; Lample et al., arXiv:1603.01360, for their
        recurrence; Plank, Sogaard and Goldberg, arXiv:1604.05529, for auxiliary tags;
        Peters et al., arXiv:1705.00108, for the language model's states; Rei, arXiv:1704.07156,
        for the neighbouring words.
    """
    require_one_head("num_tags", num_tags, num_outputs)
    require_choice("head", head, HEADS)
    require_one_of(vocabulary_size, numbers)
    for size, value in (("casing_dim", casing_dim), ("affix_dim", affix_dim)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InputError(f"{size} must be 0 or a positive int, got {value!r}")
    _check_neighbours(neighbour_words, body, bool(context))
    if vocabulary_size is None:
        _check_numbers(
            letters,
            neighbour_words,
            affix_dim=affix_dim,
            casing_dim=casing_dim,
            context=context,
            pretrained_dim=pretrained_dim,
        )
        inputs, together, mask = number_input(numbers)
    else:
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        inputs = {"token_ids": token_ids}
        mask = masking.padding_mask(token_ids)
        embed = TokenEmbedding(
            vocabulary_size,
            embedding_dim,
            word_dropout,
            learned_size,
            pretrained_dim,
            pretrained_trainable,
            rare_dropout,
            name="embedding",
        )
        affixes = Affixes(affix_dim, name="affixes") if affix_dim else None
        layers = [letters.layer("characters"), affixes]
        together = words(inputs, embed, layers, casing_table(casing_dim))
        if context:
            around = context_states(inputs, mask, Context.of(context), frozen=True)
            together = keras.ops.concatenate([together, around], axis=-1)
    together = keras.layers.Dropout(body.dropout, name="embedding_dropout")(together)
    encoder = Recurrent(**vars(body), name="encoder")
    states, _ = encoder(together, mask=mask)
    states = keras.layers.Dropout(body.dropout, name="states_dropout")(states)
    of_model = inputs if len(inputs) > 1 else inputs["token_ids"]
    if num_outputs is not None:
        if head == "crf" or auxiliary or neighbour_words:
            raise InputError("num_outputs has neither a CRF nor auxiliary outputs: leave them out")
        return TaggingModel(of_model, regression(states, num_outputs), name=name)
    count = int(num_tags or 0)
    outputs = keras.layers.Dense(count, dtype="float32", name="logits")(states)
    if head == "crf":
        transitions, start, end = (None, None, None) if allowed is None else allowed
        crf = CRF(count, transitions, start, end, constrained, name="crf")
        outputs = crf(outputs, mask=mask)
    if auxiliary or neighbour_words:
        outputs = {"tags": outputs, **_auxiliary_logits(states, auxiliary or {})}
        outputs |= _neighbours(states, neighbour_words, body.bidirectional)
    return TaggingModel(of_model, outputs, name=name)


def _check_numbers(letters: CharacterOptions, neighbour_words: int, **of_words: Any) -> None:
    """Rejects what only words have, for a model of numbers."""
    used = [name for name, value in of_words.items() if value]
    used += ["characters"] if letters.layer("characters") is not None else []
    used += ["neighbour_words"] if neighbour_words else []
    if used:
        raise InputError(
            f"{used[0]} is for sequences of token ids, got input_dim: leave it out, or give "
            "vocabulary_size"
        )


def _auxiliary_logits(states: Any, auxiliary: dict[str, int]) -> dict[str, Any]:
    """Auxiliary tags: name -> logits (B, T, their number)."""
    outputs = {}
    for name, count in auxiliary.items():
        if name in ("tags", *NEIGHBOURS):
            raise InputError(f"auxiliary tags cannot be named {name!r}: an output has this name")
        require_positive_int(f"the number of tags of {name}", count)
        head = keras.layers.Dense(count, dtype="float32", name=f"auxiliary_{name}")
        outputs[name] = head(states)
    return outputs


def _neighbours(states: Any, words: int, bidirectional: bool) -> dict[str, Any]:
    """Logits of the neighbouring words, from states that have not read them: (B, T, N) each."""
    if not words:
        return {}
    halves = keras.ops.split(states, 2, axis=-1) if bidirectional else [states]
    outputs = {}
    for name, half in zip(NEIGHBOURS, halves, strict=False):
        hidden = keras.layers.Dense(NEIGHBOUR_UNITS, activation="tanh", name=f"{name}_hidden")
        outputs[name] = keras.layers.Dense(words, dtype="float32", name=name)(hidden(half))
    return outputs


def _check_neighbours(words: int, body: RecurrentOptions, context: bool) -> None:
    """Rejects a language model whose states have already read the words to predict."""
    if isinstance(words, bool) or not isinstance(words, int) or words < 0 or 0 < words <= EOS:
        raise InputError(
            f"neighbour_words must be 0, or above {EOS} (ids 0 to {EOS} are special), got {words!r}"
        )
    layers, mode = body.num_layers + body.dense_layers, body.merge_mode
    merged = body.bidirectional and mode != "concat"
    if words and (layers != 1 or merged or context):
        raise InputError(
            f"neighbour_words needs one recurrent layer, merge_mode 'concat', no dense_layers and "
            f"no context, got {layers} layers, merge_mode {mode!r}: set neighbour_words 0"
        )


@keras.saving.register_keras_serializable("zoo")
class TaggingModel(CheckedModel):
    """The Keras model that `many_to_many` builds; a unidirectional one also runs in steps.

    It has no `__init__`, so that Keras restores it from its functional configuration.
    `TaggingModel.of` converts any functional model of token ids.
    """

    built_by = "zoo.build('many_to_many', ...)"

    def without_auxiliary(self) -> "TaggingModel":
        """Returns the model without auxiliary outputs: the same layers up to `tags`."""
        if not isinstance(self.output, dict):
            return self
        made = TaggingModel(self.input, self.output["tags"], name=self.name)
        blueprint.pass_on(self, made, auxiliary=None, neighbour_words=0)
        return made

    @property
    def crf(self) -> CRF | None:
        """The CRF that decodes the tags; None for independent tags."""
        return maker_of(self.output["tags"] if isinstance(self.output, dict) else self.output)

    @property
    def embedding(self) -> TokenEmbedding:
        """The word embedding."""
        return self.get_layer("embedding")

    @property
    def can_stream(self) -> bool:
        """Whether the model can tag a token before the next one is read."""
        layers = self.layers_by_name()
        first, last = {"embedding", "observed"}, {"logits", "outputs"}
        if not isinstance(layers.get("encoder"), Recurrent) or not (
            first & set(layers) and last & set(layers) and "log_mel" not in layers
        ):
            return False
        readers = [layer for layer in self.layers if isinstance(layer, Recurrent)]
        return all(len(reader.directions[0]) == 1 for reader in readers)

    def initial_states(self, rows: Any) -> States:
        """Returns the states of B rows before the first token.

        They are `state_L_N` (B, K), the N-th of layer L, both from 0; with a CRF also `message`
        (B, C), the forward message to each tag of the next token.

        Raises:
            InputError: The model, or the language model in it, is bidirectional.
        """
        if not self.can_stream:
            raise InputError(
                "a bidirectional tagger cannot tag one token at a time, as its second direction "
                "starts at the end: build it with bidirectional=False"
            )
        states = named_states(self.get_layer("encoder").get_initial_states(rows))
        if self.crf is not None:
            # before the first token these are the start's scores
            scores = self._chain(self.crf).start
            states[MESSAGE] = keras.ops.tile(scores[None], [rows, 1])
        return states

    def step(self, ids: dict[str, Any], states: States) -> tuple[Any, States]:
        """Reads one step per row; returns scores (B, C), or outputs (B, D), and the new states.

        `ids` are `token_ids` int (B, 1), and `character_ids` (B, 1, L) and `casing_ids` (B, 1) if
        the model reads them; or `values` float (B, 1, F). `states` are those that `initial_states`
        or the previous step returned. The softmax of the scores are the tags' probabilities, with a
        CRF given the sentence so far, without end scores.
        """
        layers = self.layers_by_name()
        if "observed" in layers:
            mask = keras.ops.ones(keras.ops.shape(ids["values"])[:2], dtype="bool")
            vectors = number_vectors(ids["values"], mask, layers)[0][:, 0]
        else:
            letters = [layers.get("characters"), layers.get("affixes")]
            vectors = words(ids, layers["embedding"], letters, layers.get("casing"))[:, 0]
        output, after = layers["encoder"].step(vectors, nested_states(states))
        if "outputs" in layers:
            outputs = layers["target_normalization"](layers["outputs"](output)[:, None])
            return outputs[:, 0], named_states(after)
        scores, new = layers["logits"](output), named_states(after)
        if self.crf is not None:
            scores = scores + states[MESSAGE]
            pairs = scores[:, :, None] + self._chain(self.crf).transitions[None]
            new[MESSAGE] = keras.ops.logsumexp(pairs, axis=1)
        return scores, new

    def _chain(self, crf: CRF) -> Any:
        """Returns the transition scores, in which forbidden transitions are ruled out."""
        return crf.chain(keras.ops.zeros([1, 1, crf.num_tags]))

    def lower_score(self, tag: int, nats: float) -> None:
        """Lowers the score of a tag in the model's weights, for all tokens."""
        bias = self.get_layer("logits").bias
        bias.assign(bias - nats * keras.ops.one_hot(tag, bias.shape[0]))

    def set_context(self, source: keras.Model, rows: Mapping[str, Any]) -> None:
        """Copies the weights of a `bidirectional_language_model` into the layers `context_...`.

        `rows` has, for `embedding` and `characters`, the row of the source's table for each row of
        the model's table.
        """
        theirs = {layer.name: layer for layer in source.layers}
        for name, layer in self.layers_by_name().items():
            if not name.startswith(PREFIX):
                continue
            table = rows.get(name.removeprefix(PREFIX))
            for mine, other in zip(layer.variables, theirs[name].variables, strict=True):
                if "seed" in mine.path:
                    continue
                value = keras.ops.convert_to_numpy(other)
                taken = table is not None and mine.path.endswith("/embeddings")
                mine.assign(value[table] if taken else value)


preset(
    "bilstm_crf",
    many_to_many,
    "A bidirectional LSTM with a CRF, the classic tagger.",
    cell="lstm",
    bidirectional=True,
    head="crf",
)
preset(
    "deep_bidirectional_many_to_many",
    many_to_many,
    "Many to many with two bidirectional layers.",
    num_layers=2,
    bidirectional=True,
)

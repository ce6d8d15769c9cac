# %% [markdown]
# # Many to many without an alignment: x1 .. xTx → y1 .. yTy, Tx > Ty
#
# A recording has hundreds of steps and its text a few letters, and nobody has marked where a letter
# begins. A network that predicts a letter *or a blank* at each step can be trained all the same:
# connectionist temporal classification (CTC; Graves, Fernandez, Gomez and Schmidhuber, 2006) adds
# up the probabilities of all paths that spell the text. This notebook reads Morse code.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import zoo
from zoo.layers.numeric import pad_series

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# %% [markdown]
# ## Data
#
# A dot is a tone of one unit of time, a dash of three; one unit of silence is between the tones of
# a letter, three are between letters. Each operator has a tempo, each tone is a little too long or
# too short, and there is noise. A step is about a third of a unit.

# %%
CODE = {
    **{"a": ".-", "d": "-..", "e": ".", "i": "..", "k": "-.-", "m": "--"},
    **{"n": "-.", "o": "---", "r": ".-.", "s": "...", "t": "-", "u": "..-"},
}
LETTERS = sorted(CODE)


def tone(units, tempo, loudness):
    """A tone, or silence, of so many units of time."""
    return [loudness] * max(1, round(units * tempo * rng.uniform(0.8, 1.2)))


def signal(word):
    """The loudness of a word at each step: (T, 1)."""
    tempo, steps = rng.uniform(2.5, 3.5), []
    for letter in word:
        for mark in CODE[letter]:
            steps += tone(1 if mark == "." else 3, tempo, 1.0) + tone(1, tempo, 0.0)
        steps += tone(2, tempo, 0.0)
    return (np.array(steps) + rng.normal(0, 0.2, len(steps)))[:, None]


def examples(count):
    """Random words of two to five letters, their signals, and their label ids from 1."""
    words = ["".join(rng.choice(LETTERS, rng.integers(2, 6))) for _ in range(count)]
    ids = np.zeros((count, 5), "int32")  # 0 is padding
    for row, word in enumerate(words):
        ids[row, : len(word)] = [LETTERS.index(letter) + 1 for letter in word]
    return words, [signal(word) for word in words], ids


_, train_series, train_ids = examples(3000)
test_words, test_series, _ = examples(300)
print(test_words[0], test_series[0].shape, "steps for", len(test_words[0]), "letters")

# %% [markdown]
# ## Build and train
#
# `ctc` reads the signal in both directions and returns, at each step, a logit for each letter and
# for the blank, class 0. `pad_series` makes one array of signals of different lengths.
#
# The loss is the negative log-probability of the text, in nats: minus the logarithm of the sum over
# all paths that spell it.

# %%
model = zoo.build("ctc", input_dim=1, num_labels=len(LETTERS), cell="gru", units=32)
train = pad_series(train_series)
zoo.adapt(model, train)  # the mean and the deviation of the signals
model.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), zoo.losses.CTCLoss())
history = model.fit(train, train_ids, batch_size=64, epochs=8, verbose=0)
print("loss", *(f"{loss:.2f}" for loss in history.history["loss"]))

# %% [markdown]
# ## Decode
#
# The greedy answer is the best symbol of each step: equal neighbours are merged, then the blanks
# are removed, so `_ss_o__s_` is `sos` and `_oo_o_` is `oo`. The beam search adds up the paths that
# spell the same; it is what the pipeline returns.

# %%
reader = zoo.pipelines.Transcriber(model, LETTERS, separator="")
answers = reader(test_series)
errors = zoo.metrics.character_error_rate(test_words, answers)
right = np.mean([word == answer for word, answer in zip(test_words, answers, strict=True)])
print(f"letters right: {1 - errors:.3f}; words right: {right:.3f}")

# %% [markdown]
# ## Look: the network spikes
#
# Above the signal, below the probability of each letter at each step. The network says a letter in
# a step or two, and "blank" otherwise. Nobody has told it where the letters are: the alignment is
# its own. As it reads the signal from both ends, it need not wait until a letter is over, and says
# it as soon as it begins.

# %%
word = "mouse"
steps = signal(word)
inputs = pad_series([steps])
probabilities = keras.ops.softmax(model(inputs))[0, :, 1:].numpy()
figure, rows = plt.subplots(2, figsize=(8, 4), sharex=True, layout="constrained")
rows[0].plot(steps[:, 0], drawstyle="steps-mid", color="grey")
rows[0].set_ylabel("loudness")
for letter in sorted(set(word)):
    rows[1].plot(probabilities[:, LETTERS.index(letter)], label=letter)
rows[1].set_ylabel("P(letter)")
rows[1].set_xlabel("step")
rows[1].legend(ncols=5, loc="upper left", bbox_to_anchor=(0, 1.25), frameon=False)
plt.show()

# %% [markdown]
# ## Export
#
# The SavedModel takes `values` and `lengths` and returns `text`, with the beam search inside.

# %%
path = reader.export("saved_models/morse")
print(path.name, reader([signal("some"), signal("tree")]))

# %% [markdown]
# ## Exercises
#
# 1. How many paths of T = 4 steps spell `aa`? *Five: `a_a_`, `a_aa`, `aa_a`, `a__a`, `_a_a`. Equal
#    letters need a blank between them.*
# 2. Train with `bidirectional=False` and 30 epochs. Where do the spikes move? *To the right: one
#    direction must wait until a letter is over, and even then until it hears that no other mark
#    follows. It learns more slowly and has 0.88 of the letters.*
# 3. Use `cell="simple_rnn"`. *It has 0.78 of the letters: the error has to pass through the steps
#    of a whole letter, and gates carry it.*
# 4. Speech in place of Morse code, as a command: `rnn-zoo all digits`.

# %% [markdown]
# # Encoder-decoder: x1 .. xTx → y1 .. yTy
#
# Two sequences of different lengths. The *encoder* reads the source, the *decoder* writes the
# target token by token. *Attention* lets each step of the decoder choose which source tokens it
# reads. The task: dates as people write them → ISO 8601.

# %%
import random

import keras
import matplotlib.pyplot as plt
import numpy as np

import zoo

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Data

# %%
MONTHS = [
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
]


def example(rng):
    year, month, day = rng.randint(1950, 2030), rng.randint(1, 12), rng.randint(1, 28)
    name = rng.choice([MONTHS[month - 1], MONTHS[month - 1][:3]])
    forms = [f"{day} {name} {year}", f"{name} {day}, {year}", f"{year}, {name} {day}"]
    written = f"{rng.choice(['', 'on', 'before', 'it was'])} {rng.choice(forms)}".strip()
    return written, f"{year}-{month:02}-{day:02}"


rng = random.Random(0)
pairs = [example(rng) for _ in range(6000)]
train, test = pairs[:5500], [pair for pair in pairs[5500:] if pair not in pairs[:5500]]
print(*train[:4], sep="\n")

# %% [markdown]
# The source is split into words, the target into letters. The decoder reads BOS and the target, and
# is trained to predict the target and EOS (*teacher forcing*).

# %%
source = zoo.text.TextCodec.learn([written for written, _ in train], level="word")
target = zoo.text.TextCodec.learn([iso for _, iso in train], level="character")
BOS, EOS = zoo.text.BOS, zoo.text.EOS


def padded(rows, value=0):
    return keras.utils.pad_sequences(rows, padding="post", value=value)


source_rows = source.encode([written for written, _ in train])
target_rows = target.encode([iso for _, iso in train])
x = {
    "source_ids": padded([[*row, EOS] for row in source_rows]),
    "target_ids": padded([[BOS, *row] for row in target_rows]),
}
y = padded([[*row, EOS] for row in target_rows], value=-1)

# %% [markdown]
# ## Build and train

# %%
model = zoo.build(
    "encoder_decoder",
    source_vocabulary_size=len(source.vocabulary),
    target_vocabulary_size=len(target.vocabulary),
    embedding_dim=32,
    cell="gru",
    units=64,
    bidirectional=True,
    attention="additive",
    dropout=0.1,
)
model.compile(keras.optimizers.Adam(0.005, global_clipnorm=1.0), zoo.losses.TokenCrossentropy())
history = model.fit(x, y, batch_size=64, epochs=8, verbose=0)
print([round(value, 3) for value in history.history["loss"]])

# %% [markdown]
# ## Translate
#
# *Beam search* follows the five most likely beginnings at once instead of the best one alone.

# %%
translator = zoo.pipelines.Translator(model, source, target)
found = translator([written for written, _ in test])
right = [result == iso for result, (_, iso) in zip(found, test, strict=True)]
print(f"test: {np.mean(right):.3f} of {len(test)} dates are right")
print(translator(["3 May 1998", "before May 3, 1998", "it was 1998, May 3"]))

# %% [markdown]
# ## Look: attention
#
# Each row is a letter that the decoder writes, each column a word of the source. The decoder reads
# the year first, because it is written first, then the month's name for its number, then the day.
# Nobody gave it these pairs: attending to the right word lowers the loss.

# %%
answer = translator.translate("it was September 21, 2016", beam_size=5)
read = answer["source_tokens"][0]
written = answer["target_tokens"][0, 0]
figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
axes.imshow(answer["attention"][0, 0], cmap="Blues", vmin=0, vmax=1, aspect="auto")
axes.set_xticks(range(len(read)), read)
axes.set_yticks(range(len(written)), written)
axes.set_xlabel("source")
axes.set_ylabel("target")
plt.show()

# %% [markdown]
# ## Save

# %%
translator.save("dates")
print(zoo.pipelines.load("dates")(["1 Dec 2001"]))

# %% [markdown]
# ## Exercises
#
# 1. Train with `attention="none"` and compare the losses. What must the decoder's first state
#    contain then? *The whole date: the decoder knows the source by this state alone.*
# 2. Give it "31 June 1998". *It writes some date: it knows no calendar.*
# 3. As a command, with your own pairs: `rnn-zoo all translation --data pairs.tsv`.

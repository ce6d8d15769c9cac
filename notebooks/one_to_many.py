# %% [markdown]
# # One to many: x → y1 .. yT
#
# One input, a sequence as the answer: a language as input, a surname as output. The network starts
# in a state that depends on the language and then reads its own output: each letter that it writes
# is its next input, until it writes the end.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import zoo
from recipes.corpora import surnames

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Data
#
# Names of six invented languages. Two special tokens mark the ends of a name: BOS is what the
# network reads first, EOS what it writes last. In training the input is BOS and the name, the
# target is the name and EOS: at each place the target is the *next* letter of the input. That is
# called *teacher forcing*, because the network reads the true letters, not its own.

# %%
train, _, _ = surnames.generate()
languages = sorted({language for _, language in train})
names = [name for name, _ in train]
codec = zoo.text.TextCodec.learn(names, level="character")
rows = codec.encode(names)

BOS, EOS = zoo.text.BOS, zoo.text.EOS
x = {
    "class_ids": np.array([languages.index(language) for _, language in train]),
    "token_ids": keras.utils.pad_sequences([[BOS, *row] for row in rows], padding="post"),
}
y = keras.utils.pad_sequences([[*row, EOS] for row in rows], padding="post", value=-1)
print(names[0], x["token_ids"][0], y[0])  # 0 and -1 are padding

# %% [markdown]
# ## Build and train
#
# `TokenCrossentropy` is the mean over real letters: -1 in the target does not count.

# %%
model = zoo.build(
    "one_to_many",
    vocabulary_size=len(codec.vocabulary),
    num_classes=len(languages),
    embedding_dim=32,
    cell="gru",
    units=64,
)
model.compile(keras.optimizers.Adam(0.01), zoo.losses.TokenCrossentropy())
history = model.fit(x, y, batch_size=64, epochs=12, verbose=0)
print(f"loss {history.history['loss'][0]:.2f} -> {history.history['loss'][-1]:.2f} nats a letter")

# %% [markdown]
# ## Look
#
# New names. Letters are drawn from the predicted distribution; a *temperature* below 1 sharpens it,
# 0 always takes the most likely letter.

# %%
writer = zoo.pipelines.ConditionalWriter(model, codec, languages)
for temperature in (0.0, 0.7, 1.5):
    drawn = writer.generate(languages, temperature=temperature, max_tokens=20, seed=3)["text"]
    print(temperature, dict(zip(languages, drawn, strict=True)))

# %% [markdown]
# Does it imitate each language? We count the last letters of 200 drawn names and of the true ones.


# %%
def last_letters(texts):
    letters = "abcdefghijklmnopqrstuvwxyz"
    counts = np.array([sum(text.lower().endswith(letter) for text in texts) for letter in letters])
    return counts / len(texts)


real = [last_letters([name for name, label in train if label == each]) for each in languages]
drawn = writer.generate([each for each in languages for _ in range(200)], seed=np.arange(1200))
new = [last_letters(drawn["text"][200 * n : 200 * (n + 1)]) for n in range(len(languages))]

figure, panels = plt.subplots(2, figsize=(7, 4.5), layout="constrained")
for axes, table, title in zip(panels, (real, new), ("true names", "drawn names"), strict=True):
    axes.imshow(table, aspect="auto", cmap="Blues", vmin=0, vmax=0.6)
    axes.set_xticks(range(26), "abcdefghijklmnopqrstuvwxyz")
    axes.set_yticks(range(len(languages)), languages)
    axes.set_title(f"last letter, {title}")
plt.show()

# %% [markdown]
# The model also says how likely a name is in each language. With Bayes' rule, and all languages
# equally frequent, that classifies names.

# %%
scores = writer.score(languages, ["Lesomi"] * len(languages))["log_probability"]
print({each: round(float(score), 1) for each, score in zip(languages, scores, strict=True)})

# %% [markdown]
# ## Save

# %%
writer.save("names")
print(zoo.pipelines.load("names").generate("Esteri", seed=1)["text"][0])

# %% [markdown]
# ## Exercises
#
# 1. An Esteri name ends with the consonant that it begins with, a Farrin name does not. How many of
#    200 drawn ones do, `name[0].lower() == name[-1]`? Compare with `cell="simple_rnn"`. *With the
#    GRU 58 % of the Esteri and 10 % of the Farrin names; with the simple RNN 10 % of both: without
#    gates it has not learned to keep the first letter until the last.*
# 2. `guidance=2.0` in `generate` exaggerates what is typical of a language. It needs
#    `class_dropout=0.1` in `zoo.build`. Why? *The network must also have learned names without a
#    language, to know what is typical.*
# 3. As a command, with tests of novelty and quality: `rnn-zoo all names`.

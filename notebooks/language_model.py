# %% [markdown]
# # Language model: x1 .. xT → x2 .. x(T+1)
#
# A language model predicts the next word after every word. That is enough to write text, and to say
# how surprising a given text is. Here the question is whether a network can keep in mind, over
# several words, that its subject was plural.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import zoo
from recipes.corpora.lines.corpus import generate, is_right, kind_of

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Data
#
# Sentences in which a verb agrees with a noun far to its left: "the cats near the house were ...".
# The noun just before the verb often has the other number and misleads.

# %%
train, _, _ = generate()
lines = [line for line in train if kind_of(line) == "agreement"]
print(len(lines), *lines[:3], sep="\n")

codec = zoo.text.TextCodec.learn(lines, level="word")
rows = codec.encode(lines)
BOS, EOS = zoo.text.BOS, zoo.text.EOS
x = keras.utils.pad_sequences([[BOS, *row] for row in rows], padding="post")
y = keras.utils.pad_sequences([[*row, EOS] for row in rows], padding="post", value=-1)

# %% [markdown]
# ## Build and train
#
# The loss is in nats per word. Its exponential, the *perplexity*, is the number of words that the
# model hesitates between, on average.

# %%
options = {
    "vocabulary_size": len(codec.vocabulary),
    "embedding_dim": 48,
    "cell": "gru",
    "units": 96,
}
model = zoo.build("language_model", **options)
epochs = 8
rate = keras.optimizers.schedules.CosineDecay(0.01, epochs * len(x) // 64)
model.compile(keras.optimizers.Adam(rate), zoo.losses.TokenCrossentropy())
history = model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
print("perplexity", [round(float(np.exp(loss)), 1) for loss in history.history["loss"]])

# %% [markdown]
# ## Write
#
# To write, the model must hand out its state and take it back: `explicit_states=True`. The weights
# are the same.

# %%
streaming = zoo.build("language_model", explicit_states=True, **options)
streaming.set_weights(model.get_weights())
writer = zoo.pipelines.Writer(streaming, codec)
drawn = writer.generate(["the cats"] * 5, temperature=0.8, max_tokens=30, seed=np.arange(5))["text"]
for line in drawn:
    print(f"{line}   [{'right' if is_right(line) else 'wrong'}]")

drawn = writer.generate(["the"] * 200, temperature=0.5, max_tokens=30, seed=np.arange(200))["text"]
print("sentences that are right:", np.mean([is_right(line) for line in drawn]))

# %% [markdown]
# ## Look: surprise, word by word
#
# The surprise of a word is -log2 of its probability, in bits. Both sentences have the same words
# but one: the verb. Nothing near the verb says which form is right, only the second word does.


# %%
def surprise(sentence):
    (row,) = codec.encode([sentence])
    logits = model(np.array([[BOS, *row[:-1]]])).numpy()[0]
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -log_probabilities[np.arange(len(row)), row] / np.log(2)


right = "the cats near the house were asleep"
wrong = "the cats near the house was asleep"
places = np.arange(len(right.split()))
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.bar(places - 0.2, surprise(right), 0.4, label="... were asleep")
axes.bar(places + 0.2, surprise(wrong), 0.4, label="... was asleep")
words = right.split()
axes.set_xticks(places, [*words[:5], "were / was", *words[6:]])
axes.set_ylabel("surprise, bits")
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# ## Save

# %%
writer.save("sentences")
score = zoo.pipelines.load("sentences").score([right, wrong])
print(score["log_probability"].round(1), score["perplexity"].round(1))

# %% [markdown]
# ## Exercises
#
# 1. Replace `"gru"` by `"simple_rnn"` and by `"min_gru"`. *Compare the share of right sentences and
#    the two bars at the verb.*
# 2. Which temperature writes only right sentences, and what is lost? *Near 0 they are right, but
#    always the same.*
# 3. Perplexity 1 is impossible here. Why? *The text is random: which noun follows "the" cannot be
#    known.*
# 4. As a command, on any text file: `rnn-zoo all generation --data mine.txt`.

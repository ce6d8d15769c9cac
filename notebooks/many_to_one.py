# %% [markdown]
# # Many to one: x1 .. xT → y
#
# A recurrent network reads a text word by word. After each word it has a *state*, a vector that
# sums up what it has read, and the last state decides about the label. This notebook trains one on
# reviews and then watches it read.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import zoo
from recipes.corpora.reviews import corpus

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Data
#
# Generated reviews, positive or negative. Single words do not decide here, their order does:
# "not bad at all", "I expected a masterpiece and got a disaster".

# %%
train, _, test = corpus.generate((4000, 1, 500), seed=0)
texts, labels = zip(*train, strict=True)
print(texts[0], "->", labels[0])

words = zoo.text.Vectorizer.learn(texts)
classes = ["negative", "positive"]
x, y = words(list(texts)).numpy(), np.array([classes.index(label) for label in labels])
print(x.shape, x[0, :8])  # (reviews, words of the longest review); 0 is padding

# %% [markdown]
# ## Build and train
#
# `cell="gru"` is the recurrent unit, `units` the size K of its state. Any cell that
# `zoo.cell_names()` lists fits here.

# %%
model = zoo.build(
    "many_to_one",
    vocabulary_size=len(words.vocabulary),
    num_classes=2,
    embedding_dim=32,
    cell="gru",
    units=32,
    pooling="last",  # the label is predicted from the last state
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
model.fit(x, y, batch_size=64, epochs=6, verbose=0)

test_texts, test_labels = zip(*test, strict=True)
x_test = words(list(test_texts)).numpy()
y_test = np.array([classes.index(label) for label in test_labels])
print(f"test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.2f}")

# %% [markdown]
# ## Look: the network reads
#
# We ask for the label after every word, as if the text ended there. The curve is the probability
# of "positive" at that point. Only the last point has read the whole review; those before it are
# guesses about what usually follows in this corpus. Praise and "but" announce a bad end, and
# "slow at first" announces that it gets better.

# %%
classifier = zoo.pipelines.Classifier(model, words, classes)


def beliefs(text):
    tokens = text.split()
    prefixes = [" ".join(tokens[: count + 1]) for count in range(len(tokens))]
    return tokens, classifier.classify(prefixes)["probabilities"][:, 1]


sentences = ["The acting is superb, but the plot is a mess.", "Slow at first, but I loved it."]
figure, rows = plt.subplots(len(sentences), figsize=(7, 4.5), layout="constrained")
for axes, sentence in zip(rows, sentences, strict=True):
    tokens, positive = beliefs(sentence)
    axes.plot(positive, "o-")
    axes.axhline(0.5, color="grey", linestyle=":")
    axes.set_xticks(range(len(tokens)), tokens, rotation=20)
    axes.set_ylim(-0.05, 1.05)
    axes.set_ylabel("P(positive)")
plt.show()

# %% [markdown]
# ## Export
#
# `export` writes a TensorFlow SavedModel that takes text. It is loaded in a fresh process and
# compared with the model in memory before it gets its name, which takes a few seconds.

# %%
path = classifier.export("saved_models/reviews")
print(path.name, classifier(["Not bad at all!", "A waste of time."]))

# %% [markdown]
# ## Exercises
#
# 1. Train with `pooling="max"` and watch again. *The maximum of all states decides, so a strong
#    word early in the text stays visible at the end.*
# 2. Shuffle the words of each review, in both splits. How much accuracy is left? *0.67 instead of
#    0.96: on this corpus the words without their order say little.*
# 3. `bidirectional=True` reads from both ends. Why is the curve above then harder to interpret?
#    *After each prefix, the backward direction has read it from its last word to its first.*
# 4. The same as a command, with early stopping and plots: `rnn-zoo all sentiment`.

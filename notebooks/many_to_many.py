# %% [markdown]
# # Many to many: x1 .. xT → y1 .. yT
#
# A tag for each word. A bidirectional network gives each word a state that knows both its left and
# its right context; a *conditional random field* (CRF) on top chooses the best sequence of tags,
# not the best tag of each word alone.

# %%
import keras
import matplotlib.pyplot as plt
import tensorflow as tf

import zoo
from recipes.corpora.entities import corpus
from zoo.metrics import entity_scores

keras.utils.set_random_seed(0)

# %% [markdown]
# ## Data
#
# Generated sentences with persons, cities and products. In the scheme BIO, B begins a name, I
# continues it, O is outside of all names.

# %%
train, _, test = corpus.generate()
train = train[:2000]
print([pair for pair in zip(*train[0], strict=True)])

tags = sorted({tag for _, row in train for tag in row}, key=lambda tag: (tag == "O", tag[2:], tag))
print(tags)

# %% [markdown]
# Many names in the test sentences never occur in training. So the network reads three things of
# each word: its number in the vocabulary, its letters, and its casing (such as "a capital first").

# %%
words = zoo.text.TokenVectorizer.learn([tokens for tokens, _ in train])


def arrays(sentences):
    longest = max(len(tokens) for tokens, _ in sentences)
    padded = [[*tokens, *[""] * (longest - len(tokens))] for tokens, _ in sentences]
    rows = [[tags.index(tag) for tag in row] for _, row in sentences]
    x = {name: value.numpy() for name, value in words(tf.constant(padded)).items()}
    return x, keras.utils.pad_sequences(rows, padding="post", maxlen=longest)


x, y = arrays(train)
x_test, _ = arrays(test)
print({name: value.shape for name, value in x.items()}, y.shape)

# %% [markdown]
# ## Build and train
#
# The CRF has a score for each pair of neighbouring tags. `CRFLoss` is the negative log-likelihood
# of the true sequence among *all* sequences, computed by dynamic programming.

# %%
model = zoo.build(
    "many_to_many",
    vocabulary_size=len(words.vocabulary),
    num_tags=len(tags),
    embedding_dim=32,
    characters="cnn",
    character_vocabulary_size=len(words.letters),
    casing_dim=8,
    cell="lstm",
    units=32,
    bidirectional=True,
    word_dropout=0.1,  # some words are read as unknown, so that letters and casing are used
    head="crf",
)
x = {name: x[name] for name in model.input}
x_test = {name: x_test[name] for name in model.input}
model.compile(keras.optimizers.Adam(0.01), zoo.layers.CRFLoss())
history = model.fit(x, y, batch_size=32, epochs=6, verbose=0)
print([round(value, 3) for value in history.history["loss"]])

# %%
predicted = model.crf.tags(model.predict(x_test, verbose=0)).numpy()
rows = [
    [tags[tag] for tag in row[: len(tokens)]]
    for row, (tokens, _) in zip(predicted, test, strict=True)
]
scores = entity_scores([row for _, row in test], rows)
print(f"test: entity F1 {scores['entity_f1']:.2f}")
print({name: round(value, 2) for name, value in scores["f1_by_type"].items()})

# %% [markdown]
# ## Look: what the CRF has learned
#
# A row is a tag, a column the tag after it. Nobody wrote the rules of BIO into the model. In the
# table, the moves that never occur in training have low scores: from O to an I, or from the
# beginning of a person to the inside of a city.

# %%
figure, axes = plt.subplots(figsize=(5.6, 4.6), layout="constrained")
table = model.crf.transitions.numpy()
image = axes.imshow(table, cmap="coolwarm", vmin=-abs(table).max(), vmax=abs(table).max())
axes.set_xticks(range(len(tags)), tags, rotation=60)
axes.set_yticks(range(len(tags)), tags)
axes.set_xlabel("next tag")
axes.set_ylabel("tag")
figure.colorbar(image, label="score")
plt.show()

# %% [markdown]
# ## Save and use
#
# The pipeline splits a text into words and tags them.

# %%
tagger = zoo.pipelines.Tagger(model, words, tags)
tagger.save("entities")
print(zoo.pipelines.load("entities")(["I miss Ruby Colman, but not Port Siena."])[0])

# %% [markdown]
# ## Exercises
#
# 1. Train with `head="softmax"` and `zoo.losses.TokenCrossentropy()` (with -1 in the padding of
#    `y`). Count predicted I tags that no B or I of their type precedes. Why can there be some?
#    *The softmax decides about each tag alone.*
# 2. Forbid them in the CRF: `allowed=zoo.text.allowed_transitions(tags, "bio")` in `zoo.build`.
#    *None are left: such sequences have probability 0 when it decodes.*
# 3. `bidirectional=False`: which words lose? *Those that only their right context explains; see
#    `rnn-zoo contexts`.*
# 4. As a command, on your own CoNLL file: `rnn-zoo all ner --data mine.conll`.

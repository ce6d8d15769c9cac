# %% [markdown]
# # One to one: x → y
#
# The network without recurrence: one input of fixed size, one label. It is the baseline that the
# other notebooks have to beat. Here it reads surnames of six invented languages and predicts the
# language of each. You need to know Keras, and nothing about recurrent networks.

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
# A name has any number of letters, but a feed-forward network needs an input of fixed size. So each
# name becomes a *bag of letter n-grams*: which runs of one, two and three letters it contains, as
# 2,048 numbers. Where in the name they stand is lost, except that the beginning and the end count
# as letters.

# %%
train, _, test = surnames.generate()
languages = sorted({language for _, language in train})
for language in languages:
    print(f"{language:8}", *[name for name, label in train if label == language][:5])

ngrams = zoo.text.NgramVectorizer(num_features=2048)


def arrays(examples):
    names, labels = zip(*examples, strict=True)
    return ngrams(list(names)).numpy(), np.array([languages.index(label) for label in labels])


x, y = arrays(train)
x_test, y_test = arrays(test)
print(x.shape)

# %% [markdown]
# ## Build and train
#
# `zoo.build` returns a Keras model. Its outputs are *logits*: scores of the classes before the
# softmax, so the loss has `from_logits=True`.

# %%
model = zoo.build(
    "one_to_one", num_features=2048, num_classes=len(languages), units=64, dropout=0.2
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
model.fit(x, y, epochs=5, verbose=0)
print(f"test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.2f}")

# %% [markdown]
# ## Look
#
# Four languages are easy: pieces of three letters give them away. The last two are not. An Esteri
# name ends with the consonant that it begins with, a Farrin name does not. The bag contains both
# ends of a name, but as numbers that have nothing to do with each other ("begins with k", "ends
# with k"): the network must learn for each letter separately that two of them belong together.

# %%
predicted = model.predict(x_test, verbose=0).argmax(axis=1)
shares = [np.mean(predicted[y_test == number] == number) for number in range(len(languages))]

figure, axes = plt.subplots(figsize=(6, 3))
axes.bar(languages, shares)
axes.set_ylim(0, 1.05)
axes.set_ylabel("accuracy, test")
axes.set_title("A bag of letter n-grams")
plt.show()

# %% [markdown]
# ## Save and use
#
# A pipeline joins the path from text, the model and the names of the classes: strings in, strings
# out. `save` and `load` keep all of it in a folder; `export` writes a SavedModel for a server.

# %%
classifier = zoo.pipelines.Classifier(model, ngrams, languages)
classifier.save("origin")
print(zoo.pipelines.load("origin")(list(surnames.EXAMPLES)))

# %% [markdown]
# ## Exercises
#
# 1. Take n-grams of one letter alone: `NgramVectorizer(num_features=2048, sizes=[1])`. Which
#    languages are now hard, and why? *Cordish and Dunnic fall from 1.00 to 0.80 and 0.85: they
#    differ in where a piece of a name is, and single letters have no order.*
# 2. Let a recurrent network read the name letter by letter: in the notebook
#    [many_to_one](many_to_one.ipynb), take these names, their languages as `classes`,
#    `zoo.text.Vectorizer.learn(names, level="character")`, `num_classes=6` and 12 epochs. *The
#    accuracy is 0.98: the state keeps the first letter until the last one is read.*
# 3. The same task as a command: `rnn-zoo all origin`.

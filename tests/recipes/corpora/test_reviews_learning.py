"""What can be learnt from the built-in reviews: little from their words, all from their order."""

import re

import keras
import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from recipes.corpora.reviews.corpus import generate

MAX_LENGTH = 20  # tokens; the LSTM is trained on the shorter reviews, to be quick
TYPICAL = [
    ("there is nothing to like", "negative"),
    ("slow, but I loved it", "positive"),
    ("I loved it", "positive"),
    ("What a waste of time.", "negative"),
    ("not bad at all", "positive"),
    ("The battery died after a week.", "negative"),
    ("the best film I have seen this year", "positive"),
    ("I would not recommend it to anyone", "negative"),
    ("It is not good.", "negative"),
    ("A masterpiece!", "positive"),
    ("The plot is predictable, but the acting is superb.", "positive"),
    ("The acting is superb, but the plot is predictable", "negative"),
]


@pytest.fixture(scope="module")
def corpus():
    return generate()


def tokens(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())


def bag_of_words_accuracy(train, test, ngram_range=(1, 1)):
    counts = CountVectorizer(ngram_range=ngram_range, token_pattern=r"\w+")
    model = LogisticRegression(solver="liblinear")
    model.fit(counts.fit_transform(text for text, _ in train), [label for _, label in train])
    return model.score(counts.transform(text for text, _ in test), [label for _, label in test])


def short(split):
    return [(text, label) for text, label in split if len(tokens(text)) <= MAX_LENGTH]


def arrays(texts, vocabulary):
    """Token ids (N, MAX_LENGTH): 0 is padding on the right, 1 an unknown word."""
    token_ids = np.zeros((len(texts), MAX_LENGTH), "int32")
    for row, text in zip(token_ids, texts, strict=True):
        words = [vocabulary.get(word, 1) for word in tokens(text)]
        row[: len(words)] = words
    return token_ids


def small_lstm(vocabulary_size):
    model = keras.Sequential(
        [
            keras.layers.Embedding(vocabulary_size, 32),
            keras.layers.LSTM(64, return_sequences=True),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", jit_compile=True)
    return model


def answers(model, texts, vocabulary):
    probabilities = np.array(model(arrays(texts, vocabulary)))[:, 0]
    return ["positive" if probability > 0.5 else "negative" for probability in probabilities]


def test_the_words_that_users_will_try_are_known(corpus):
    known = {word for text, _ in corpus[0] for word in tokens(text)}
    assert {word for text, _ in TYPICAL for word in tokens(text)} <= known


def test_words_alone_say_something_and_not_enough(corpus):
    train, _, test = corpus
    assert 0.60 <= bag_of_words_accuracy(train, test) <= 0.80
    assert bag_of_words_accuracy(train, test, ngram_range=(1, 2)) <= 0.90


@pytest.mark.sweep
def test_a_small_lstm_reads_what_a_bag_of_words_cannot(corpus):
    train, test = short(corpus[0]), short(corpus[2])
    train = train[: len(train) // 64 * 64]  # XLA would compile again for a smaller last batch
    words = sorted({word for text, _ in train for word in tokens(text)})
    vocabulary = {word: index for index, word in enumerate(words, start=2)}
    keras.utils.set_random_seed(0)
    model = small_lstm(len(words) + 2)
    labels = np.array([label == "positive" for _, label in train], "float32")
    token_ids = arrays([text for text, _ in train], vocabulary)
    model.fit(token_ids, labels, batch_size=64, epochs=5, verbose=0)

    given = answers(model, [text for text, _ in test], vocabulary)
    accuracy = np.mean([answer == label for answer, (_, label) in zip(given, test, strict=True)])
    assert accuracy >= 0.95
    assert accuracy >= bag_of_words_accuracy(train, test) + 0.12

    typical = answers(model, [text for text, _ in TYPICAL], vocabulary)
    wrong = [
        text for answer, (text, label) in zip(typical, TYPICAL, strict=True) if answer != label
    ]
    assert len(wrong) <= 1, wrong

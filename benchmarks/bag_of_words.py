"""Baseline for the built-in reviews: logistic regression on bags of words."""

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from recipes.corpora.reviews.corpus import generate

train, _, test = generate()
for longest, name in ((1, "words"), (2, "words and word pairs")):
    counts = CountVectorizer(ngram_range=(1, longest), token_pattern=r"\w+")
    inputs = counts.fit_transform([text for text, _ in train])
    model = LogisticRegression(max_iter=2000).fit(inputs, [label for _, label in train])
    accuracy = model.score(
        counts.transform([text for text, _ in test]), [label for _, label in test]
    )
    print(f"{name}: test accuracy {accuracy:.3f}")

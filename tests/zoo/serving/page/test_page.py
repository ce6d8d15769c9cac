"""The page in headless Chromium, against a server of small models: what it shows, and how."""

import json
import shlex
import urllib.request
from urllib.parse import urlencode

import numpy as np
import pytest

from recipes.data.series.calendar import calendar
from tests.zoo.serving.page.reading import (
    ANSWERED,
    MARKUP,
    TEXT,
    ask,
    check_view,
    notes,
    percent,
    signed,
    texts,
)

MODELS = ("sentiment", "pos", "generation", "forecaster")
INPUTS = {
    "sentiment": {"text": TEXT},
    "pos": {"text": TEXT + " " + "x" * 80},
    "generation": {"prompt": "a ", "max_tokens": 40, "temperature": 2},
    "forecaster": {"values": "1 2 4 5 3 2"},
}


def test_a_text_that_is_typed_is_classified_and_explained_by_keys_alone(page, address, pipelines):
    page.open(f"{address}#model=sentiment")
    page.wait("!!document.querySelector('textarea')")
    for _ in range(30):
        page.press("Tab")
        if page.run("document.activeElement.tagName") == "TEXTAREA":
            break
    page.type(TEXT)
    page.press("Enter", modifiers=2)
    page.wait(ANSWERED)
    found = pipelines["sentiment"].explain([TEXT])
    assert texts(page, ".verdict") == found["label"].tolist()
    order = np.argsort(-found["probabilities"][0])
    assert texts(page, ".bars .name") == found["classes"][0][order].tolist()
    shares = found["probabilities"][0][order]
    assert texts(page, ".bars .number") == [percent(share) for share in shares]
    scores = zip(found["tokens"][0], found["scores"][0], strict=True)
    label = found["label"][0]
    told = [f"{token}: {signed(score)} for {label}" for token, score in scores]
    assert notes(page) == told
    kinds = page.run("[...document.querySelectorAll('.strip .token')].map((e) => e.className)")
    signs = ["token for" if score >= 0 else "token against" for score in found["scores"][0]]
    assert kinds == signs and len(set(signs)) == 2
    assert TEXT in urllib.request.unquote(page.run("location.hash")).replace("+", " ")
    page.run("document.querySelector('.strip .token').focus()")
    for key, place in (("ArrowRight", 1), ("End", len(told) - 1), ("ArrowLeft", len(told) - 2)):
        page.press(key)
        assert page.run("document.activeElement.dataset.about") == told[place]
        assert texts(page, ".about-token") == [told[place]]
        assert page.run("document.querySelectorAll('.token[tabindex=\"0\"]').length") == 1


@pytest.mark.parametrize(
    ("model", "first", "count"),
    [("pos", "Time flies.", 1), ("sentiment", "slow at first, but I loved the ending", 3)],
)
def test_the_texts_to_try_are_the_makers_or_the_recipes(page, address, model, first, count):
    page.open(f"{address}#model={model}")
    page.wait("!!document.querySelector('textarea')")
    shown = texts(page, ".example")
    assert shown[0] == first and len(shown) == count


def test_markup_in_a_text_is_shown_as_text(page, address, pipelines):
    for model in ("sentiment", "pos"):
        ask(page, address, model, text=MARKUP)
        assert page.run("document.querySelectorAll('main img, main b').length") == 0
        assert page.run("document.querySelector('textarea').value") == MARKUP
        assert page.run("document.title") == f"{model} - rnn-zoo"
    tagged = page.run("document.querySelector('.tokens').textContent")
    assert tagged.replace("PER", "").startswith('<img src=x onerror="document')
    assert MARKUP in page.run("document.querySelector('.card').textContent")
    page.open(f"{address}#{urlencode({'model': MARKUP})}")
    page.wait("!!document.querySelector('.problem')")
    assert MARKUP in page.run("document.querySelector('.problem').textContent")


def test_entities_are_marked_in_the_text_with_their_confidence(page, address, pipelines):
    ask(page, address, "pos", text=TEXT)
    found = pipelines["pos"].tag([TEXT])
    rows = zip(found["tokens"][0], found["tags"][0], found["confidence"][0], strict=True)
    names = {"O": "no entity"}
    expected = [f"{token}: {names.get(tag, tag)}, {percent(s)} sure" for token, tag, s in rows]
    assert notes(page) == expected
    begins = [tag[2:] for tag in found["tags"][0] if tag.startswith("B-")]
    assert begins and texts(page, ".grouped .mark") == begins
    read = page.run(
        "[...document.querySelectorAll('.mark')].forEach((e) => e.remove()),"
        "document.querySelector('.tokens').textContent"
    )
    assert read == TEXT


def test_a_text_grows_by_the_tokens_of_generate_each_with_its_probability(page, address, pipelines):
    options = {"max_tokens": 12, "temperature": 0.8, "top_p": 0.95, "seed": 3}
    ask(page, address, "generation", prompt="a go", **options)
    found = pipelines["generation"].generate("a go", **options)
    assert texts(page, ".tokens") == found["text"].tolist()
    rows = zip(found["tokens"][0], found["token_probabilities"][0], strict=True)
    drawn = [(token, share) for token, share in rows if token not in ("", "[EOS]")]
    assert notes(page) == [f"{token.strip() or '(blank)'}: {percent(s)}" for token, s in drawn]
    assert f"{found['num_tokens'][0]} tokens" in texts(page, ".status")[0]


def test_a_forecast_is_a_fan_of_the_pipelines_quantiles(page, address, pipelines):
    past = [18.5, 20, 23, 21, 19.25, 22, 20]
    ask(page, address, "forecaster", values=" ".join(map(str, past)), last="2024-02-27")
    days = np.arange("2024-02-21", "2024-02-28", dtype="M8[D]").astype("M8[s]")
    known, names = calendar(days, np.timedelta64(1, "D"), horizon=4)
    known = known[:, [names.index("weekday_sin"), names.index("weekday_cos")]]
    series = np.concatenate([np.array(past)[:, None], known[:7]], axis=1)
    found = pipelines["forecaster"].forecast([series], future=known[None, 7:])
    shown = np.array(
        [float(c.replace(",", "").replace("\u2212", "-")) for c in texts(page, "details .number")]
    )
    np.testing.assert_allclose(shown.reshape(4, -1), found["quantiles"][0, :, 0], atol=0.006)
    assert page.run("document.querySelectorAll('polygon.band').length") == 2
    assert "7 values and 4 forecast ones" in page.run(
        "document.querySelector('svg.chart').getAttribute('aria-label')"
    )
    page.open("about:blank")
    page.open(f"{address}#{urlencode({'model': 'forecaster', 'values': '1 2 x'})}")
    page.wait("!!document.querySelector('.problem:not([hidden])')")
    assert texts(page, ".problem") == ['"x" is no number.']


def test_a_request_can_be_sent_again_from_a_terminal(page, address, pipelines):
    text = 'it\'s a "good" film'
    ask(page, address, "sentiment", text=text)
    code = """new Promise((resolve) => {
        navigator.clipboard.writeText = async (text) => resolve(text);
        [...document.querySelectorAll("button")].find((e) => /curl/.test(e.textContent)).click();
    })"""
    command, option, body, url = shlex.split(page.run(code))
    assert (command, option) == ("curl", "-d")
    with urllib.request.urlopen(urllib.request.Request(url, body.encode())) as answer:
        (row,) = json.load(answer)["predictions"]
    assert row["scores"] == pytest.approx(pipelines["sentiment"].explain([text])["scores"][0])


def test_covariates_are_those_of_the_recipe(page, address):
    page.open(f"{address}#model=sentiment")
    page.wait("!!document.querySelector('textarea')")
    steps = {"hour": np.timedelta64(1, "h"), "week": np.timedelta64(7, "D")}
    steps |= {"day": np.timedelta64(1, "D"), "month": np.timedelta64(1, "M")}
    for step in steps.values():
        start = np.array(["2023-12-01"], "M8[s]")
        values, names = calendar(start, step, horizon=30)
        words = json.dumps([list(names), "2023-12-01", 30])
        found = page.run(f'import("./calendar.js").then((m) => m.covariates(...{words}))')
        np.testing.assert_allclose(found, values[1:], atol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_a_view_fits_a_narrow_window_can_be_read_and_has_labels(page, address, model):
    check_view(page, address, model, **INPUTS[model])

"""The page in headless Chromium, against a server of small models: what it shows, and how."""

import contextlib
import json
import shlex
import threading
import urllib.request
import wave
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
import uvicorn

import zoo
from recipes.data.series.calendar import calendar
from tests.references.weights import assign_random
from tests.zoo.pipelines import test_serving_rules as built
from tests.zoo.serving.browser import Page, browser
from zoo import export
from zoo.pipelines import SeriesForecaster
from zoo.serving.access_log import AccessLog
from zoo.serving.app import App
from zoo.serving.repository import Repository
from zoo.serving.server import config_of, listening
from zoo.serving.settings import Settings

pytestmark = pytest.mark.skipif(not browser(), reason="no Chromium: install chromium")
MARKUP = '<img src=x onerror="document.title=1"> & <b>good</b>'
TEXT = "a good film, Ann met Bob in Oslo"
ANSWERED = "!!document.querySelector('.answer:not([hidden])[aria-busy=false]')"
COLUMNS = {"columns": ["a"], "targets": 1, "look_back": 20, "horizon": 4, "season": 7}
# signatures that the page asks; the others are left out, so that the folder is written sooner
ASKED = {
    "sentiment": ("explain",),
    "ner": ("serving_default",),
    "generation": ("generate", "read", "draw", "spell"),
    "translation": ("translate",),
    "melodies": ("generate", "labels"),
    "forecaster": ("serving_default", "description"),
    "signals": ("serving_default",),
    "digits": ("serving_default", "sample_rate"),
}


def forecaster():
    model = zoo.build("forecaster", input_dim=3, horizon=4, future_dim=2, units=4)
    values = np.random.default_rng(0).normal(20, 3, (3, 9, 3)).astype("float32")
    future = np.zeros((3, 4, 2), "float32")
    zoo.adapt(model, {"values": values, "lengths": np.array([9, 9, 9]), "future": future})
    future_columns = ["weekday_sin", "weekday_cos"]
    described = {**COLUMNS, "future_columns": future_columns, "static_columns": []}
    return SeriesForecaster(assign_random(model), described)


@pytest.fixture(scope="module")
def pipelines():
    """Each model's pipeline, by name."""
    return {"forecaster": forecaster()} | {
        name: getattr(built, name)() for name in ASKED if hasattr(built, name)
    }


@pytest.fixture(scope="module")
def folder(pipelines, tmp_path_factory):
    """`saved_models` with all of them, as exports write them, but for the check."""
    root = tmp_path_factory.mktemp("page") / "saved_models"
    for name, pipeline in pipelines.items():
        found = {key: each for key, each in pipeline.signatures().items() if key in ASKED[name]}
        weights = [weight.value for weight in pipeline.model.weights]
        tracked = [*pipeline.text_paths.values(), *weights]
        tracked += [each for one in found.values() for each in one.tracked]
        part = root / name / "1"
        part.mkdir(parents=True)
        export._write({key: each.function for key, each in found.items()}, tracked, part)
        (part / "assets.extra").mkdir()
        about = {"recipe": name, "data": "builtin"}
        (part / "assets.extra" / "provenance.json").write_text(json.dumps(about))
        kind = {"pipeline": type(pipeline).__name__}
        (part / "assets.extra" / "pipeline.json").write_text(json.dumps(kind))
        (part / "assets.extra" / "card.md").write_text(f"# A card\n\nlicence: CC0 {MARKUP}\n")
        metrics = {"test": {"accuracy": 0.9876}, "parameters": 12345}
        (part / "assets.extra" / "metrics.json").write_text(json.dumps(metrics))
    return root


@pytest.fixture(scope="module")
def address(folder):
    """A server of the models, in this process."""
    settings = Settings(folder, access_log="off")
    repository = Repository(settings, lambda line: None)
    repository.look()
    app = App(settings, repository, AccessLog(settings.access_log))
    server = uvicorn.Server(config_of(app, settings, grace=1))
    with contextlib.closing(listening("127.0.0.1", 0)) as place:
        thread = threading.Thread(target=server.run, args=([place],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{place.getsockname()[1]}/"
        server.should_exit = True
        thread.join(60)


@pytest.fixture(scope="module")
def browsed(tmp_path_factory):
    with Page(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browsed):
    """The browser's page with nothing noted; nothing may have gone wrong at the end."""
    browsed.events.clear()
    browsed.size(1000, 700)
    browsed.scheme("light")
    yield browsed
    assert browsed.faults() == []


def ask(page, address, model, **fields):
    """Opens a model with its input in the address, and waits for the answer."""
    page.open(f"{address}#{urlencode({'model': model, **fields})}")
    page.wait(ANSWERED)


def texts(page, selector):
    return page.run(f"[...document.querySelectorAll({selector!r})].map((e) => e.textContent)")


def notes(page):
    """What is said of each token."""
    return page.run(
        "[...document.querySelectorAll('.token[data-about]')].map((e) => e.dataset.about)"
    )


def percent(share):
    if share < 0.001:
        return "< 0.1 %"
    return "> 99.9 %" if share > 0.999 else f"{round(100 * share, 1):g} %"


def signed(score):
    return f"{score:+.2f}".replace("-", "\u2212")


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


def test_markup_in_a_text_is_shown_as_text(page, address, pipelines):
    for model in ("sentiment", "ner"):
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
    ask(page, address, "ner", text=TEXT)
    found = pipelines["ner"].tag([TEXT])
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
    assert "".join(texts(page, ".tokens .prompt, .tokens .token")) == found["text"][0]
    rows = zip(found["tokens"][0], found["token_probabilities"][0], strict=True)
    drawn = [(token, share) for token, share in rows if token not in ("", "[EOS]")]
    assert notes(page) == [f"{token.strip() or '(blank)'}: {percent(s)}" for token, s in drawn]
    assert f"{found['num_tokens'][0]} tokens" in texts(page, ".status")[0]


def test_translations_are_ranked_and_their_attention_is_a_table(page, address, pipelines):
    ask(page, address, "translation", text=TEXT, beam_size=3)
    found = pipelines["translation"].translate([TEXT], beam_size=3)
    assert texts(page, ".option") == found["translations"][0].tolist()
    shares = np.exp(found["log_probabilities"][0])
    assert texts(page, ".ranked td:nth-child(2)") == [percent(share) for share in shares]
    page.run("document.querySelectorAll('.option input')[2].click()")
    shown = lambda token: token.removeprefix("\u2581").strip() or "\u2423"  # noqa: E731
    source = [token for token in found["source_tokens"][0] if token]
    target = [token for token in found["target_tokens"][0, 2] if token]
    assert texts(page, ".attention thead th") == list(map(shown, source))
    assert texts(page, ".attention tbody th") == list(map(shown, target))
    cells = texts(page, ".attention tbody td")
    weights = found["attention"][0, 2, : len(target), : len(source)].ravel()
    percents = np.array([float(cell or 0) for cell in cells])
    np.testing.assert_allclose(percents, 100 * weights, atol=0.51)


def test_notes_are_read_drawn_played_and_stopped(page, address):
    ask(page, address, "melodies", label="D4", count=2)
    code = """import("./melody.js").then(({ melody, midi, notes }) => {
        document.querySelector(".answer").replaceChildren(melody("C4 4 R 2 A#5 16", 1));
        return [notes("C4 4 R 2 A#5 16 x"), ["C-1", "Bb3", "G9"].map(midi)];
    })"""
    found, numbers = page.run(code)
    assert numbers == [0, 58, 127]
    assert [(each["name"], each["pitch"], each["start"], each["length"]) for each in found] == [
        ("C4", 60, 0, 4),
        ("R", None, 4, 2),
        ("A#5", 82, 6, 16),
    ]
    assert page.run("document.querySelectorAll('rect.bar').length") == 2
    buttons = "[...document.querySelectorAll('.melody button')].map((e) => e.disabled)"
    assert page.run(buttons) == [False, True]
    page.run("document.querySelector('.melody button').focus()")
    page.press("Enter")
    page.wait("!!document.querySelector('rect.bar.now')")
    assert page.run(buttons) == [True, False]
    page.press("Enter")  # the focus is on stop
    assert page.run(buttons) == [False, True]
    assert page.run("document.activeElement.textContent") == "Play"


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


def test_covariates_are_those_of_the_recipe(page, address):
    page.open(f"{address}#model=signals")
    page.wait("!!document.querySelector('textarea')")
    steps = {"hour": np.timedelta64(1, "h"), "week": np.timedelta64(7, "D")}
    steps |= {"day": np.timedelta64(1, "D"), "month": np.timedelta64(1, "M")}
    for step in steps.values():
        start = np.array(["2023-12-01"], "M8[s]")
        values, names = calendar(start, step, horizon=30)
        words = json.dumps([list(names), "2023-12-01", 30])
        found = page.run(f'import("./calendar.js").then((m) => m.covariates(...{words}))')
        np.testing.assert_allclose(found, values[1:], atol=1e-9)


def test_a_series_of_numbers_is_classified(page, address, pipelines):
    series = np.random.default_rng(3).normal(size=(30, 2)).round(2).astype("float32")
    rows = "\n".join(" ".join(map(str, row)) for row in series)
    ask(page, address, "signals", values=rows)
    found = pipelines["signals"].classify([series])
    assert texts(page, ".verdict") == found["label"].tolist()
    assert texts(page, ".bars .number")[0] == percent(found["probabilities"].max())


def test_a_recording_is_transcribed(page, address, pipelines, tmp_path):
    rate = pipelines["digits"].sample_rate
    samples = np.random.default_rng(4).integers(-(2**15), 2**15, rate // 4).astype("<i2")
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    page.open(f"{address}#model=digits")
    page.wait("!!document.querySelector('input[type=file]')")
    page.run("document.querySelector('form').requestSubmit()")
    assert texts(page, ".problem") == ["Record a sound or choose a file first."]
    page.upload("input[type=file]", tmp_path / "sound.wav")
    page.wait("/second/.test(document.querySelector('.field .note').textContent)")
    page.run("document.querySelector('form').requestSubmit()")
    page.wait(ANSWERED)
    found = pipelines["digits"].transcribe([samples[:, None] / 2**15])
    assert texts(page, ".verdict") == [found["text"][0] or "(nothing)"]
    share = percent(np.exp(found["log_probability"][0]))
    assert texts(page, ".answer .note") == [f"Probability of this text: {share}"]


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


CONTRAST = """(() => {
    const numbers = (color) => {
        const found = color.match(/[\\d.]+(e-?\\d+)?/g).map(Number);
        const scale = color.startsWith("color(") ? 1 : 255;
        return [...found.slice(0, 3).map((part) => part / scale), found[3] ?? 1];
    };
    const over = ([r, g, b, a], [x, y, z]) =>
        [a * r + (1 - a) * x, a * g + (1 - a) * y, a * b + (1 - a) * z, 1];
    const ground = (element) => {
        if (!element) return [1, 1, 1, 1];
        const own = numbers(getComputedStyle(element).backgroundColor);
        return own[3] === 1 ? own : over(own, ground(element.parentElement));
    };
    const light = (parts) => {
        const linear = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let least = [99, ""];
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const box = element.getBoundingClientRect();
        const inner = element.closest("svg, option, script, noscript, details:not([open])");
        if (!walker.currentNode.data.trim() || !box.width || inner) continue;
        const back = ground(element);
        const [a, b] = [over(numbers(getComputedStyle(element).color), back), back].map(light);
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < least[0]) least = [ratio, walker.currentNode.data];
    }
    return least;
})()"""
INPUTS = {
    "sentiment": {"text": TEXT},
    "ner": {"text": TEXT + " " + "x" * 80},
    "generation": {"prompt": "a ", "max_tokens": 40, "temperature": 2},
    "translation": {"text": TEXT},
    "melodies": {"label": "C4"},
    "forecaster": {"values": "1 2 4 5 3 2"},
    "signals": {"values": "1 2\n3 4\n2 2"},
}


def test_each_view_fits_a_narrow_window_can_be_read_and_has_labels(page, address):
    page.size(360, 640)
    for model, fields in INPUTS.items():
        ask(page, address, model, **fields)
        page.run("document.querySelectorAll('details').forEach((e) => (e.open = true))")
        assert page.run("document.documentElement.scrollWidth") <= 360, model
        for scheme in ("light", "dark"):
            page.scheme(scheme)
            ratio, text = page.run(CONTRAST)
            assert ratio >= 4.5, (model, scheme, text)
        nameless = page.run(
            "[...document.querySelectorAll('input, select, textarea')]"
            ".filter((e) => !e.labels.length).map((e) => e.outerHTML)"
        )
        assert nameless == []
        assert "Answered in" in texts(page, ".status")[0]
        facts = dict(zip(texts(page, ".facts dt"), texts(page, ".facts dd"), strict=True))
        assert facts["Accuracy (test)"] == "0.9876" and facts["Parameters"] == "12,345"
    asked = [urlsplit(each) for each in page.requests()]
    assert {each[:2] for each in asked if each[0] != "data"} - {("about", "")} == {
        urlsplit(address)[:2]
    }

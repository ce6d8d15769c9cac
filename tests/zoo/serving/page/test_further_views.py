"""The page's other views, as in `test_page`: translations, melodies, series and sounds."""

import wave

import numpy as np
import pytest

from tests.zoo.serving.page.reading import (
    ANSWERED,
    TEXT,
    ask,
    check_view,
    percent,
    texts,
)

pytestmark = pytest.mark.sweep
MODELS = ("translation", "melodies", "signals", "digits")
INPUTS = {
    "translation": {"text": TEXT},
    "melodies": {"label": "C4"},
    "signals": {"values": "1 2\n3 4\n2 2"},
}


def test_translations_are_ranked_and_their_attention_is_a_table(page, address, pipelines):
    ask(page, address, "translation", text=TEXT, beam_size=3)
    found = pipelines["translation"].translate([TEXT], beam_size=3)
    assert texts(page, ".option") == found["translations"][0].tolist()
    assert not texts(page, ".example")  # those of the recipe are for its own data
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
    page.wait("/seconds of sound/.test(document.querySelector('.field .note').textContent)")
    page.run("document.querySelector('form').requestSubmit()")
    page.wait(ANSWERED)
    found = pipelines["digits"].transcribe([samples[:, None] / 2**15])
    assert texts(page, ".verdict") == [found["text"][0] or "(nothing)"]
    share = percent(np.exp(found["log_probability"][0]))
    assert texts(page, ".answer .note") == [f"Probability of this text: {share}"]


@pytest.mark.parametrize("model", INPUTS)
def test_a_view_fits_a_narrow_window_can_be_read_and_has_labels(page, address, model):
    check_view(page, address, model, **INPUTS[model])

"""A server of small models, and a browser; each module names its models in MODELS."""

import contextlib
import json
import threading

import numpy as np
import pytest
import uvicorn

import zoo
from tests.references.weights import assign_random
from tests.zoo.pipelines import test_serving_rules as built
from tests.zoo.serving.page.browser import Page, browser
from tests.zoo.serving.page.reading import MARKUP
from zoo import export
from zoo.pipelines import SeriesForecaster
from zoo.serving.access_log import AccessLog
from zoo.serving.app import App
from zoo.serving.repository import Repository
from zoo.serving.server import config_of, listening
from zoo.serving.settings import Settings

COLUMNS = {"columns": ["a"], "targets": 1, "look_back": 20, "horizon": 4, "season": 7}
OTHERWISE = {  # provenance that is not that of a run on built-in data
    "pos": {"data": "a treebank", "examples": ["Time flies."]},
    "translation": {"data": "Tatoeba"},
}
# signatures that the page asks; the others are left out, so that the folder is written sooner
ASKED = {
    "sentiment": ("explain",),
    "pos": ("serving_default",),
    "generation": ("generate", "read", "draw", "spell"),
    "forecaster": ("serving_default", "description"),
    "translation": ("translate",),
    "melodies": ("generate", "labels"),
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
def chromium():
    """The path of the browser; without one the tests of the page are skipped."""
    if not browser():
        pytest.skip("no Chromium: install chromium")
    return browser()


@pytest.fixture(scope="module")
def pipelines(request, chromium):
    """The pipelines that a module names in MODELS."""
    return {
        name: getattr(built, name)() if hasattr(built, name) else forecaster()
        for name in request.module.MODELS
    }


@pytest.fixture(scope="module")
def folder(pipelines, tmp_path_factory):
    """`saved_models` with all of them, as exports write them, but for the check."""
    root = tmp_path_factory.mktemp("models") / "saved_models"
    for name, pipeline in pipelines.items():
        found = {key: each for key, each in pipeline.signatures().items() if key in ASKED[name]}
        weights = [weight.value for weight in pipeline.model.weights]
        tracked = [*pipeline.text_paths.values(), *weights]
        tracked += [each for one in found.values() for each in one.tracked]
        part = root / name / "1"
        part.mkdir(parents=True)
        export._write({key: each.function for key, each in found.items()}, tracked, part)
        (part / "assets.extra").mkdir()
        about = {"recipe": name, "data": "builtin", **OTHERWISE.get(name, {})}
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
def browsed(chromium, tmp_path_factory):
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

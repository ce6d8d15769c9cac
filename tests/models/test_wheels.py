"""Both wheels in a fresh environment without a network: the models answer there as their cards say.

The environment sees the installed dependencies, and neither the checkout nor its installation.
"""

import json
import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import zoo
from models.entries import MODELS
from tests.models.samples import is_present, metric_of, sample
from tests.test_wheel import IGNORED, ROOT, SOURCES, run
from zoo.pipelines import Classifier
from zoo.text import NgramVectorizer

PACKAGED = [
    entry
    for entry in MODELS
    if (ROOT / "models" / "rnn_zoo_models" / entry.name / "card.md").exists()
]
PROGRAM = """
import json, sys
import numpy as np
import zoo

answers = {"places": [zoo.__file__, *(str(zoo.pretrained.find(n)) for n in zoo.pretrained())]}
for name, kind, inputs in json.load(open(sys.argv[1], encoding="utf-8")):
    pipeline = zoo.load(name)
    if kind == "tokens":
        width = max(map(len, inputs))
        rows = [row + [""] * (width - len(row)) for row in inputs]
        tags = pipeline.signatures()["tag_tokens"].function(tokens=rows)["tags"].numpy()
        answers[name] = [[tag.decode() for tag in row if tag] for row in tags]
    else:
        given = [np.array(each, np.float32) for each in inputs] if kind == "series" else inputs
        answers[name] = [str(each) for each in pipeline(given)]
json.dump(answers, open(sys.argv[2], "w", encoding="utf-8"))
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The Python of a fresh environment with both wheels, and the pipeline of a model in them."""
    place = tmp_path_factory.mktemp("wheels")
    for name in SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, place / name, **({"ignore": IGNORED} if source.is_dir() else {}))
    models = shutil.copytree(ROOT / "models", place / "models", ignore=IGNORED)
    network = zoo.build("one_to_one", num_features=30, num_classes=2, units=3)
    tiny = Classifier(network, NgramVectorizer(30), ["no", "yes"])
    tiny.save(models / "rnn_zoo_models" / "tiny", about={"task": "tests"})
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist"]
    for source in (".", "models"):
        run(*build, source, folder=place)
    wheels = sorted((place / "dist").glob("*.whl"))
    assert [each.name.partition("-")[0] for each in wheels] == ["rnn_zoo", "rnn_zoo_models"]
    venv.create(place / "environment", with_pip=False, symlinks=os.name != "nt")
    python = place / "environment" / ("Scripts" if os.name == "nt" else "bin") / "python"
    options = ["--no-deps", "--no-index", "--quiet"]
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    run(*pip, *options, *map(str, wheels), folder=place)
    own = run(str(python), "-c", "import site; print(site.getsitepackages()[0])", folder=place)
    lines = "\n".join(site.getsitepackages())
    (Path(own.strip()) / "dependencies.pth").write_text(lines + "\n")
    return python, tiny, wheels


def asked(python, jobs, folder):
    """The answers of the environment's models to jobs of a name, a kind and inputs."""
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "RNN_ZOO"))}
    command = [str(python), "-W", "ignore", "-c", PROGRAM, "jobs.json", "answers.json"]
    result = subprocess.run(
        command, cwd=folder, env=settings, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    for place in answers.pop("places"):
        assert Path(place).is_relative_to(python.parents[1]), place
    return answers


def checked(entry, expected, found):
    """Compares the metric of a sample with that of the card, with room for a small sample."""
    place = ROOT / "models" / "rnn_zoo_models" / entry.name / "config.json"
    value = json.loads(place.read_text(encoding="utf-8"))["about"]["metric"]["value"]
    room = 6.0 if entry.recipe == "translation" else 0.1 if entry.recipe == "ner" else 0.04
    assert abs(metric_of(entry, expected, found) - value) < room


def test_the_wheel_has_the_models_and_needs_the_zoo(fresh):
    archive = zipfile.ZipFile(fresh[2][1])
    names = set(archive.namelist())
    for name in ("tiny", *(entry.name for entry in PACKAGED)):
        assert f"rnn_zoo_models/{name}/model.weights.h5" in names
        assert f"rnn_zoo_models/{name}/SHA256SUMS" in names
    assert not [name for name in names if name.endswith(("making.py", "entries.py"))]
    place = next(name for name in names if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(archive.read(place).decode())
    assert metadata.get_all("Requires-Dist") == ["rnn-zoo"]
    assert "CC-BY-SA-4.0" in metadata["License-Expression"]
    assert any(name.endswith("LICENSES.md") for name in names)


@pytest.mark.sweep
def test_a_model_answers_in_a_fresh_environment(fresh, tmp_path):
    python, tiny, _ = fresh
    texts = ["Draltsen", "Lanova", "", "naïve"]
    jobs = [("tiny", "call", texts)]
    known = {entry.name: entry for entry in PACKAGED}
    entry = known.get("sentiment-builtin")
    if entry:
        own = sample(entry)
        jobs.append((entry.name, own.kind, own.inputs))
    answers = asked(python, jobs, tmp_path)
    assert answers["tiny"] == tiny(texts)
    if entry:
        checked(entry, own.expected, answers[entry.name])


@pytest.mark.slow
@pytest.mark.parametrize("entry", PACKAGED, ids=lambda entry: entry.name)
def test_each_model_has_the_metric_of_its_card_on_a_held_sample(fresh, entry, tmp_path):
    if not is_present(entry):
        pytest.skip(f"the data of {entry.name} is not here")
    own = sample(entry)
    if own is None:
        pytest.skip(f"{entry.name} is measured as a whole, in its card")
    answers = asked(fresh[0], [(entry.name, own.kind, own.inputs)], tmp_path)
    checked(entry, own.expected, answers[entry.name])

"""The page: a language model writes in headless Chromium what it writes in Python."""

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

from rnn_zoo_runtime import decoding
from rnn_zoo_runtime.text import TextCodec
from tests.runtime.pipelines.bundles import pair
from tests.runtime.text.corpus import drawn
from tests.zoo.pipelines import test_serving_rules as built

WEB = Path(__file__).parents[2] / "runtime" / "web"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
MISSING = not shutil.which("npm") or not any(map(shutil.which, BROWSERS))
pytestmark = pytest.mark.skipif(MISSING, reason="npm or Chromium is not installed")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return pair(built.generation(), tmp_path_factory.mktemp("page") / "bundle")


@pytest.fixture(scope="module")
def address(both, tmp_path_factory):
    """A server of the page and the bundle."""
    folder = tmp_path_factory.getbasetemp() / next(tmp_path_factory.getbasetemp().glob("page*"))
    assert (WEB / "node_modules").is_dir(), "run `make web` first"
    for each in WEB.iterdir():
        (folder / each.name).symlink_to(each)
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/index.html"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Prints no line for each request."""


def shown(address, **fields):
    """The status and the text that the page shows."""
    browser = next(name for name in BROWSERS if shutil.which(name))
    query = urlencode({"model": "bundle/1", "run": "", **fields})
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000"]
    page = subprocess.run(
        [browser, *options, "--dump-dom", f"{address}?{query}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    ).stdout
    parts = re.search(r'id="status">(.*?)</p>.*id="output">(.*?)</div>', page, re.DOTALL)
    return tuple(html.unescape(part) for part in parts.groups())


@pytest.mark.parametrize("fields", [{"temperature": 0, "prompt": "A n"}, {"seed": 7}])
def test_the_page_writes_what_the_runtime_writes(both, address, fields):
    fields = {"prompt": "", "seed": 0, "temperature": 1, "maxTokens": 20, **fields}
    expected = both.own.generate(
        fields["prompt"],
        max_tokens=fields["maxTokens"],
        temperature=float(fields["temperature"]),
        seed=fields["seed"],
    )
    assert shown(address, **fields) == ("Done.", expected["text"][0])
    assert len(expected["text"][0]) > 5


def test_a_missing_model_is_one_sentence(address):
    status, _ = shown(address, model="nowhere")
    assert status == "Error: no runtime.json in nowhere: give a folder of export_onnx"


def in_node(code, given):
    """What a module that reads JSON from standard input prints as JSON."""
    program = "import { readFileSync } from 'fs'; const given = JSON.parse(readFileSync(0));" + code
    result = subprocess.run(
        ["node", "--input-type=module", "-e", program],
        cwd=WEB,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_characters_have_the_ids_of_the_runtime(both):
    codec = both.own.codec
    file = "".join(f"{token}\n" for token in codec.vocabulary.tokens if "\n" not in token)
    own = TextCodec(type(codec.vocabulary)(file.split("\n")[:-1]))
    texts = [text.decode(errors="replace") for text in drawn(300, seed=4)]
    code = """
        const { TextCodec } = await import("./text.js");
        const codec = new TextCodec(given.file, { level: "character", lower: false });
        console.log(JSON.stringify(given.texts.map((text) => codec.ids(text))));
    """
    assert in_node(code, {"file": file, "texts": texts}) == [own.ids(text) for text in texts]


def test_tokens_are_drawn_as_in_the_runtime():
    draw = np.random.default_rng(0)
    logits = (draw.normal(size=(40, 9)) * 2).astype("float32")
    numbers = decoding.uniform(5, 1, 40)[0]
    options = [{}, {"temperature": 0.6, "topK": 3}, {"topP": 0.7}, {"temperature": 0}]
    code = """
        const { draw, uniform } = await import("./sampling.js");
        const drawn = given.options.map((options) => given.logits.map((row, step) =>
            draw(row, uniform(5, step), { ...options, forbidden: [0, 2] })));
        console.log(JSON.stringify([given.logits.map((_, step) => uniform(5, step)), drawn]));
    """
    found, drawn_ids = in_node(code, {"logits": logits.tolist(), "options": options})
    assert found == numbers.tolist()
    names = {"topK": "top_k", "topP": "top_p"}
    for each, ids in zip(options, drawn_ids, strict=True):
        own = {names.get(name, name): value for name, value in each.items()}
        choose = decoding.Filter(**own, forbidden=(0, 2))
        left = choose(logits, np.zeros((40, 1), np.int32), 0)
        assert ids == decoding.sampling._drawn(left, numbers).tolist()

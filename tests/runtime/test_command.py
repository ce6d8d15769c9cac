"""The command `python -m rnn_zoo_runtime`, and bundles that cannot be read."""

import io
import json
import shutil
import subprocess
import sys

import pytest

import rnn_zoo_runtime
from rnn_zoo_runtime import __main__ as command
from rnn_zoo_runtime import files
from tests.runtime.pipelines.bundles import pair
from tests.zoo.pipelines import test_serving_rules as built


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A bundle and the pipeline of it."""
    folder = tmp_path_factory.mktemp("origin")
    return pair(built.origin(), folder).pipeline, folder


@pytest.fixture
def copy(origin, tmp_path):
    """A copy of the bundle that may be damaged."""
    return shutil.copytree(origin[1] / "1", tmp_path / "bundle")


def ask(monkeypatch, capsys, *arguments, text=""):
    """Exit status, output and errors of the command."""
    stream = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    status = command.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_lines_are_answered_in_their_order(origin, monkeypatch, capsys):
    pipeline, folder = origin
    lines = ["one", "", "another", "é"] * 30
    status, out, _ = ask(monkeypatch, capsys, folder, text="\n".join(lines) + "\n")
    assert status == 0 and out.splitlines() == pipeline(lines)


def test_json_has_all_of_an_answer(origin, monkeypatch, capsys):
    pipeline, folder = origin
    _, out, _ = ask(monkeypatch, capsys, folder, "--json", text="one\r\ntwo")
    rows = [json.loads(line) for line in out.splitlines()]
    expected = pipeline.classify(["one", "two"])
    assert [row["label"] for row in rows] == expected["label"].tolist()
    assert rows[0]["classes"] == ["a", "b"]
    assert rows[1]["probabilities"] == pytest.approx(expected["probabilities"][1].tolist(), 1e-4)


def test_an_option_of_another_pipeline_is_one_sentence(origin, monkeypatch, capsys):
    status, _, errors = ask(monkeypatch, capsys, origin[1], "--top-k", 3)
    assert status == 2
    assert errors == "error: --top-k is no option of a Classifier's classify: leave it out\n"
    assert ask(monkeypatch, capsys, origin[1], "--score")[0] == 2


def edit(folder, **changes):
    """Changes `runtime.json`, and its checksum."""
    path = folder / "runtime.json"
    content = json.loads(path.read_text()) | changes
    content = {name: value for name, value in content.items() if value is not None}
    path.write_text(json.dumps(content))
    sums = [
        line for line in (folder / files.SUMS).read_text().splitlines() if "runtime" not in line
    ]
    (folder / files.SUMS).write_text("\n".join(sums) + "\n")


def test_a_newer_format_is_one_sentence(copy):
    edit(copy, format=2)
    with pytest.raises(rnn_zoo_runtime.InputError, match="has the format 2, this version reads up"):
        rnn_zoo_runtime.load(copy)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"graphs": None}, "lacks 'graphs'"),
        ({"pipeline": "Painter"}, "describes no pipeline .*Painter"),
        ({"options": {"colour": 1}}, "describes no pipeline"),
        ({"graphs": {"model": "../model.onnx"}}, "names '../model.onnx', no file of the folder"),
        ({"text_paths": {"vectorizer": {"class": "word_tokens"}}}, "describes no pipeline"),
    ],
)
def test_a_description_of_no_pipeline_is_one_sentence(copy, changes, message):
    edit(copy, **changes)
    with pytest.raises(rnn_zoo_runtime.DamagedFile, match=message):
        rnn_zoo_runtime.load(copy)


def test_a_missing_folder_and_missing_or_damaged_files_are_named(copy, monkeypatch, capsys):
    status, _, errors = ask(monkeypatch, capsys, copy / "nowhere")
    assert status == 2 and "no runtime.json in" in errors and errors.count("\n") == 1
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(rnn_zoo_runtime.DamagedFile, match="model.onnx is damaged or was edited"):
        rnn_zoo_runtime.load(copy)
    (copy / "model.onnx").unlink()
    with pytest.raises(rnn_zoo_runtime.DamagedFile, match="model.onnx is missing"):
        rnn_zoo_runtime.load(copy)
    (copy / files.SUMS).unlink()
    with pytest.raises(rnn_zoo_runtime.DamagedFile, match="SHA256SUMS is missing"):
        rnn_zoo_runtime.load(copy)


def test_a_graph_that_onnx_runtime_does_not_read_is_one_sentence(copy):
    (copy / "model.onnx").write_bytes(b"no graph")
    text = (copy / files.SUMS).read_text().splitlines()
    (copy / files.SUMS).write_text("\n".join(line for line in text if "model" not in line))
    with pytest.raises(rnn_zoo_runtime.DamagedFile, match="ONNX Runtime .* does not read"):
        rnn_zoo_runtime.load(copy)("a")


def test_the_command_runs_in_a_process_without_tensorflow(origin):
    code = (
        "import sys; sys.modules |= dict.fromkeys(('tensorflow', 'keras', 'zoo', 'onnx'));"
        "from rnn_zoo_runtime.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(origin[1])],
        input="one\ntwo\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.splitlines() == origin[0](["one", "two"]), result.stderr

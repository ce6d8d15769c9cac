"""The boundary of the commands: failures in, one sentence and an exit status out."""

import errno
import gc
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf

from tests.sweeps import swept
from zoo.errors import InputError
from zoo.system import startup
from zoo.system.command import guarded, in_utf8
from zoo.system.startup import is_command

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """The user's folder for the state of programs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "rnn-zoo"


def failing_with(error, folder=None, resumable=False):
    def run(_words, place):
        place.folder, place.resumable = folder, resumable
        raise error

    return run


def outcome(error, capsys, **place):
    """The exit status and what is on stderr of a command that fails so."""
    status = guarded("python -m zoo", ["list"], failing_with(error, **place))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return status, printed.err


def full(path):
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (InputError("units must be 1"), 2, "error: units must be 1\n"),
        (KeyboardInterrupt(), 1, "interrupted\n"),
        (
            full("/data/best.keras"),
            1,
            "failed: no space left on the device for /data/best.keras: free some, or give another "
            "folder\n",
        ),
        (
            OSError("Can't write data (errno = 28, error message = 'No space left on device')"),
            1,
            "failed: no space left on the device: free some, or give another folder\n",
        ),
        (
            tf.errors.ResourceExhaustedError(None, None, "variables.data: No space left on device"),
            1,
            "failed: no space left on the device: free some, or give another folder\n",
        ),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\ntensor [9,9]"),
            1,
            "failed: out of memory (OOM when allocating tensor [9,9]): make the model, the batch "
            "or the input smaller\n",
        ),
        (
            MemoryError(),
            1,
            "failed: out of memory (no details): make the model, the batch or the input smaller\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "mine/x"),
            1,
            "failed: Permission denied: mine/x\n",
        ),
        (
            UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"),
            1,
            "failed: the locale's encoding ascii lacks '\\xe9': set the environment variable "
            "PYTHONUTF8=1\n",
        ),
        (
            UnicodeEncodeError("utf-8", "caf\udcff.txt", 3, 4, "surrogates not allowed"),
            1,
            "failed: not UTF-8: 'caf\\udcff.txt': convert the text, or rename the file\n",
        ),
    ],
)
def test_an_expected_failure_is_one_sentence_without_a_log(error, status, sentence, capsys, state):
    assert outcome(error, capsys) == (status, sentence)
    assert not state.exists()


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a label"),
        RuntimeError("no such layer"),
        tf.errors.InvalidArgumentError(None, None, "shapes\n differ"),
        RecursionError("too deep"),
        AssertionError(),
        OSError("of a library, without a number"),
    ],
)
def test_the_traceback_of_an_unknown_error_is_in_the_log_that_the_sentence_names(
    error, capsys, state
):
    status, sentence = outcome(error, capsys)
    (log,) = state.iterdir()
    message = " ".join(str(error).split())
    told = f"{type(error).__name__}: {message}" if message else type(error).__name__
    assert (status, sentence) == (1, f"failed: {told}; the traceback is in {log}\n")
    text = log.read_text()
    assert text.startswith("'python -m zoo' 'list'\nrnn-zoo ")
    assert "Traceback (most recent call last)" in text and "in run\n" in text
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_long_message_is_shortened(capsys):
    _, sentence = outcome(ValueError("x\n" * 5000), capsys)
    assert len(sentence) < 500 and len(sentence.splitlines()) == 1


def test_the_log_is_in_the_runs_folder_where_there_is_one(capsys, state, tmp_path):
    (tmp_path / "run").mkdir()
    _, sentence = outcome(KeyError(1), capsys, folder=tmp_path / "run")
    (log,) = (tmp_path / "run").iterdir()
    assert str(log) in sentence
    assert not state.exists()
    assert str(state) in outcome(KeyError(1), capsys, folder=tmp_path / "none")[1]


def test_without_any_folder_that_takes_a_log_the_traceback_is_shown(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    assert guarded("zoo", [], failing_with(KeyError("a"))) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("failed: KeyError: 'a'; its traceback could not be stored:\nTraceback")


def test_only_what_can_be_resumed_says_so(capsys):
    assert outcome(KeyboardInterrupt(), capsys, resumable=True) == (
        1,
        "interrupted: the same command with --resume goes on\n",
    )


def test_where_the_run_is_not_begun_nothing_is_said_of_resuming(capsys, tmp_path):
    def run(_words, place):
        place.resumable, place.needed = True, tmp_path / "config.json"
        raise KeyboardInterrupt

    assert guarded("zoo", [], run) == 1
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("word", ["caf\udcff", "\udc80", "a\ud83d", "a\udced\udca0\udcbd"])
def test_an_argument_that_is_not_utf8_is_refused_with_its_number(word, capsys):
    called = []
    assert guarded("zoo", ["predict", word], lambda words, place: called.append(words) or 0) == 2
    assert f"error: argument 2 must be UTF-8, got {word!a}" in capsys.readouterr().err
    assert not called


def test_arguments_are_utf8_whatever_the_locale_is():
    assert in_utf8(["caf\udcc3\udca9", "é", "", "👍"]) == ["café", "é", "", "👍"]


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("cp1252", b"\\u010d\xe9\\U0001f44d\n"),
        ("ascii", b"\\u010d\\xe9\\U0001f44d\n"),
        ("utf-8", "čé👍\n".encode()),
    ],
)
def test_a_character_that_standard_output_lacks_is_an_escape(monkeypatch, encoding, expected):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    assert guarded("zoo", [], lambda words, place: print("čé👍") or 0) == 0
    assert sys.stdout is stream and stream.errors == "strict"
    assert raw.getvalue() == expected


class Pipe(io.RawIOBase):
    """A stream that does not take what is written."""

    def __init__(self, number):
        self.number = number

    def writable(self):
        return True

    def write(self, _data):
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("count", [1, 100_000])
@pytest.mark.parametrize(
    ("number", "resumable", "sentence"),
    [
        (errno.EPIPE, False, ""),
        (
            errno.EPIPE,
            True,
            "stopped, since nobody reads standard output: the same command with --resume goes on\n",
        ),
        (
            errno.ENOSPC,
            False,
            "failed: standard output cannot be written (No space left on device)\n",
        ),
    ],
)
def test_a_standard_output_that_takes_nothing_ends_the_command(
    monkeypatch, capsys, number, resumable, sentence, count
):
    def run(_words, place):
        place.resumable = resumable
        print("x" * count)
        return 0

    pipe = Pipe(number)
    stream = io.TextIOWrapper(io.BufferedWriter(pipe), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stream)
    assert guarded("zoo", [], run) == 1
    assert capsys.readouterr().err == sentence
    pipe.write = len  # so that the stream can be closed
    stream.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "-m", "zoo", "list"], True),
        (["python", "-m", "recipes"], True),
        (["python", "-mzoo"], True),
        (["python", "-Im", "zoo"], True),
        (["python", "-X", "utf8", "-W", "error", "-u", "-m", "recipes", "ner"], True),
        (["python", "/opt/bin/rnn-zoo", "list"], True),
        (["python.exe", "rnn-zoo-recipes.exe"], True),
        (["python", "rnn-zoo-script.py"], True),
        (["python", "recipes/__main__.py"], True),
        (["python", "-m", "zoological"], False),
        (["python", "-m", "pytest", "-m", "zoo"], False),
        (["python", "-c", "import zoo", "-m", "zoo"], False),
        (["python", "serve.py", "-m", "zoo"], False),
        (["python", "my-rnn-zoo"], False),
        (["python"], False),
    ],
)
def test_a_command_is_told_from_a_users_program(words, expected):
    assert is_command(words) is expected


PROGRAMS = ["rnn-zoo", "rnn-zoo-recipes", "-m recipes", "-m zoo"]
TEXTS = [f"{program} {words}" for program in PROGRAMS for words in ("--help", "--version", "list")]
TEXTS += [program for program in PROGRAMS if program != "-m zoo"]
TEXTS += ["rnn-zoo train --help", "rnn-zoo sentimen", "rnn-zoo train sentimen", "-m zoo lits"]
TEXTS += ["-m zoo list --sort accuracy"]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """A folder with the console scripts as pip writes them."""
    folder = tmp_path_factory.mktemp("bin")
    for name in PROGRAMS[:2]:
        code = "import sys\nfrom recipes.cli import main\nsys.exit(main())\n"
        (folder / name).write_text(code)
    return folder


def command(program, scripts, redirection="", options=""):
    """Runs a command, from another folder, with the redirections of a shell."""
    words = program if program.startswith("-m") else f"{scripts}/{program}"
    variables = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} {options} {words} {redirection}"],
        cwd=scripts,
        env=variables | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "program", swept(TEXTS, lambda program: program in TEXTS[2::3] + TEXTS[-4:])
)
def test_a_command_that_only_prints_text_imports_neither_tensorflow_nor_numpy(program, scripts):
    done = command(program, scripts, options="-X importtime")
    times = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip() for line in times}
    assert "zoo.catalog" in imported
    assert not imported & {"tensorflow", "keras", "numpy"}
    assert len(done.stderr.splitlines()) - len(times) <= 1 + (program == "-m zoo lits")
    assert done.returncode == (2 if program.split()[-1] in ("sentimen", "lits") else 0)


@pytest.mark.parametrize("redirection", ["2>&-", "<&- >&- 2>&-", "| head -n 1"])
@pytest.mark.parametrize("program", ["-m zoo list", "-m recipes", "rnn-zoo", "rnn-zoo list"])
def test_closed_streams_and_a_reader_that_goes_early_give_no_error(program, redirection, scripts):
    done = command(program, scripts, redirection)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (">&- 2" not in redirection)


@pytest.mark.parametrize("locale", ["LC_ALL=C PYTHONUTF8=0", "PYTHONIOENCODING=cp1252"])
@pytest.mark.parametrize("program", ["-m zoo list", "-m recipes", "rnn-zoo"])
def test_texts_are_printed_in_any_locale(program, locale, scripts, monkeypatch):
    for name, _, value in (word.partition("=") for word in locale.split()):
        monkeypatch.setenv(name, value)
    done = command(program, scripts)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout


def test_a_standard_error_without_a_reader_is_no_reason_for_a_log(monkeypatch, state):
    read, write = os.pipe()
    os.close(read)
    error = BrokenPipeError(errno.EPIPE, "Broken pipe")
    with open(write, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert guarded("zoo", [], failing_with(error)) == 1
    assert not state.exists()


def test_a_reader_that_goes_early_is_no_error_to_tell():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "list"], cwd=ROOT, stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def _take_interrupts() -> None:
    """Takes Ctrl-C as usual: what a shell starts in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("words", ["zoo describe many_to_one", "recipes train sentiment --help"])
def test_ctrl_c_during_the_start_up_is_one_line(words):
    """Whether the signal comes while TensorFlow is imported or a moment later."""
    code = f"exec {sys.executable} -m {words}"
    with subprocess.Popen(
        ["bash", "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_take_interrupts,
    ) as process:
        mapped = Path(f"/proc/{process.pid}/maps")
        deadline = time.monotonic() + 60
        while "tensorflow" not in mapped.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (1, b"", b"interrupted\n")


def test_a_users_program_keeps_its_ctrl_c():
    assert not is_command()  # this process has imported the zoo
    assert signal.getsignal(signal.SIGINT) is not startup._interrupted


@pytest.mark.parametrize(
    ("program", "start"),
    swept(
        [
            ("rnn-zoo train sentiment --help", "usage: rnn-zoo train sentiment"),
            ("-m zoo summary many_to_one --units 2", 'Model: "many_to_one"'),
        ],
        lambda program, start: program.startswith("-m"),
    ),
)
def test_a_command_that_imports_tensorflow_prints_no_notices(program, start, scripts):
    done = command(program, scripts)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(start)


@pytest.mark.parametrize(("error", "shown"), [(InputError, ""), (RuntimeError, "notice")])
def test_notices_are_printed_if_a_block_fails_but_not_about_wrong_input(
    error, shown, capfd, monkeypatch
):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    with pytest.raises(error), startup.held_notices():
        os.write(2, b"notice")
        raise error("x")
    assert capfd.readouterr().err == shown


@pytest.mark.parametrize("was_on", [True, False])
def test_an_import_leaves_the_collection_of_garbage_as_it_was(was_on):
    (gc.enable if was_on else gc.disable)()
    gc.unfreeze()  # what the tests' set-up froze
    try:
        with pytest.raises(ImportError), startup.importing():
            assert not gc.isenabled()
            made: list[object] = [[]]
            raise ImportError
        assert gc.isenabled() is was_on
        oldest = any(each is made for each in gc.get_objects(generation=2))
        assert oldest is was_on, "not walked over again"
    finally:
        gc.freeze()
        gc.enable()

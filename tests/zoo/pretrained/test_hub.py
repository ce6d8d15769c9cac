"""Models of a hub: `huggingface_hub` itself reads its cache, without a network."""

import sys

import pytest

import zoo
from tests.zoo.pretrained.test_places import made  # noqa: F401, a fixture
from zoo.errors import InputError
from zoo.pretrained import hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(made, tmp_path, monkeypatch):  # noqa: F811
    """The library's cache, offline: the repository `ann/origins` as it is after a download."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--ann--origins"
    snapshot = made.save(repository / "snapshots" / COMMIT)
    (snapshot / ".gitattributes").write_text("*.h5 filter=lfs\n")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    other = tmp_path / "models--ann--other"
    (other / "snapshots" / COMMIT).mkdir(parents=True)
    (other / "snapshots" / COMMIT / "README.md").write_text("no model\n")
    (other / "refs").mkdir()
    (other / "refs" / "main").write_text(COMMIT)
    return snapshot


def test_a_repository_is_loaded_by_its_address(cache):
    assert zoo.pretrained.find("hf://ann/origins") == cache
    assert zoo.load("hf://ann/origins").classes == ["no", "yes"]
    assert zoo.pretrained.find(f"hf://ann/origins@{COMMIT}") == cache


def test_what_cannot_be_downloaded_is_one_sentence(cache, monkeypatch):
    with pytest.raises(InputError, match="hf://ann/nothing cannot be downloaded .*check the name"):
        zoo.load("hf://ann/nothing")
    with pytest.raises(InputError, match="hf://ann/other holds no model that Pipeline.save wrote"):
        zoo.load("hf://ann/other")
    with pytest.raises(InputError, match="cannot be downloaded"):
        zoo.load("hf://ann/..")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"install it with `pip install 'rnn-zoo\[hub\]'`"):
        zoo.load("hf://ann/origins")


def test_files_that_are_no_part_of_an_artefact_are_not_downloaded(cache):
    from fnmatch import fnmatch

    wanted = {
        p.name for p in cache.iterdir() if any(fnmatch(p.name, each) for each in hub.PATTERNS)
    }
    assert wanted == {p.name for p in cache.iterdir()} - {".gitattributes"}

import pytest

from zoo.errors import InputError
from zoo.system.commas import separated


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ["a"]),
        ("a, b", ["a", "b"]),
        ("", [""]),
        ("a,", ["a", ""]),
        ('"2,3"', ["2,3"]),
        ('"2,3","4"', ["2,3", "4"]),
        ('"2,3", 4', ["2,3", "4"]),
        ('"say ""no"", then",b', ['say "no", then', "b"]),
        ('a"b,c', ['a"b', "c"]),
        ("tfds:glue/sst2,tfds:imdb", ["tfds:glue/sst2", "tfds:imdb"]),
    ],
)
def test_text_is_split_at_commas_outside_of_quotes(text, parts):
    assert separated("option", text) == parts


def test_the_path_of_a_file_that_exists_keeps_its_commas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b.tsv").touch()
    (tmp_path / "folder,1").mkdir()
    assert separated("data", "a,b.tsv") == ["a,b.tsv"]
    assert separated("data", "c.tsv,a,b.tsv,d") == ["c.tsv", "a,b.tsv", "d"]
    assert separated("data", "folder,1,folder,2") == ["folder,1", "folder", "2"]
    assert separated("data", f"{tmp_path}/a,b.tsv") == [f"{tmp_path}/a,b.tsv"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert separated("data", "~/a,b.tsv") == ["~/a,b.tsv"]


@pytest.mark.parametrize("text", ['"a', '"a"b', '"a""', 'a,"b'])
def test_a_quote_that_is_not_closed_is_refused(text):
    with pytest.raises(InputError, match="data: a value in quotes must end"):
        separated("data", text)

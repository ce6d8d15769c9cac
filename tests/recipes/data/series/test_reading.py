"""Which files of a folder, and beside a file, are train, validation and test."""

import pytest

from recipes.data.location import locate
from recipes.data.series.options import SeriesColumns
from recipes.data.series.reading import KINDS, read_parts
from tests.recipes.data.series.test_wav import write
from zoo.errors import InputError

ROWS = "id,a,b,c\nH1,1,2,3\nH2,4,5,6\n"
TS = "@classLabel true a b\n@data\n1,2,3:a\n4,5:b\n"


def _parts(path):
    return read_parts(locate(str(path), KINDS), SeriesColumns())


def test_a_folder_or_a_train_file_has_the_files_of_other_splits_beside_it(tmp_path):
    (tmp_path / "Hourly-train.csv").write_text(ROWS)
    (tmp_path / "Hourly-test.csv").write_text("id,a\nH1,4\nH2,7\n")
    for path in (tmp_path, tmp_path / "Hourly-train.csv"):
        parts = _parts(path)
        assert list(parts) == ["train", "test"]
        assert [each.values[:, 0].tolist() for each in parts["test"].series] == [[4], [7]]
    assert list(_parts(tmp_path / "Hourly-test.csv")) == ["train"]  # a lone file


def test_split_files_of_one_name_do_not_mix_with_those_of_another(tmp_path):
    for name in ("A_TRAIN.ts", "A_TEST.ts", "B_TRAIN.ts"):
        (tmp_path / name).write_text(TS)
    assert list(_parts(tmp_path / "A_TRAIN.ts")) == ["train", "test"]
    assert list(_parts(tmp_path / "B_TRAIN.ts")) == ["train"]
    with pytest.raises(InputError, match="holds A_TRAIN.ts and B_TRAIN.ts, expected one train"):
        _parts(tmp_path)


def test_folders_of_wav_files_named_as_splits_are_splits(tmp_path):
    for name in ("train/yes/1.wav", "val/no/2.wav", "test/no/3.wav"):
        write(tmp_path / name, [0.0, 0.5])
    parts = _parts(tmp_path)
    assert {name: part.series[0].label for name, part in parts.items()} == {
        "train": "yes",
        "validation": "no",
        "test": "no",
    }
    write(tmp_path / "other" / "4.wav", [0.0])
    assert [len(part.series) for part in _parts(tmp_path).values()] == [4]  # classes, not splits


def test_a_folder_with_one_table_is_that_table(tmp_path):
    (tmp_path / "sales.csv").write_text(ROWS)
    assert len(_parts(tmp_path)["train"].series) == 2
    (tmp_path / "more.csv").write_text(ROWS)
    with pytest.raises(InputError, match="holds no train file, expected one such as train.csv"):
        _parts(tmp_path)


def test_files_of_a_data_set_have_the_same_columns(tmp_path):
    (tmp_path / "train.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "test.csv").write_text("x,z\n1,2\n")
    with pytest.raises(InputError, match=r"test.csv: columns x, z, expected x, y as in .*train"):
        _parts(tmp_path)

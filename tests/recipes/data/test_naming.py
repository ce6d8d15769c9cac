"""The half-sentence about a name that is not there."""

from recipes.data.naming import unknown


def test_the_nearest_name_is_offered_beside_all_names() -> None:
    assert unknown("column", "lable", ["text", "label"]) == (
        "there is no column 'lable', expected one of 'text', 'label' (did you mean 'label'?)"
    )


def test_nothing_is_offered_where_nothing_is_near() -> None:
    assert unknown("key", "stars", ["text"]) == "there is no key 'stars', expected one of 'text'"
    assert unknown("key", "stars", []) == "there is no key 'stars', expected none at all"


def test_many_names_are_counted_and_the_nearest_is_still_offered() -> None:
    names = [f"data_set_{letter}" for letter in "abcdefghijklm"]
    assert unknown("data set", "dataset_k", names) == (
        "there is no data set 'dataset_k', expected one of 13 others (did you mean 'data_set_k'?)"
    )


def test_twelve_names_are_listed_and_long_ones_are_cut() -> None:
    names = ["x" * 41, *map(str, range(11))]
    message = unknown("column", "text", names)
    assert "'" + "x" * 37 + "...', '0', '1'" in message
    assert "x" * 38 not in message

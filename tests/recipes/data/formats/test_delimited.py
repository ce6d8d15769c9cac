"""TSV and CSV: stray quotes, quoted line breaks, wrong headers and rows."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.data.formats.delimited import read_rows
from zoo.errors import InputError

TSV = Path("reviews.tsv")
CSV = Path("reviews.csv")
FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def _tsv(content: str, text: str = "text", label: str = "label") -> list[tuple[int, str, str]]:
    return read_rows(TSV, content, "tsv", text, label)


def _csv(content: str, text: str = "text", label: str = "label") -> list[tuple[int, str, str]]:
    return read_rows(CSV, content, "csv", text, label)


def _refusal(content: str, path: Path = CSV, text: str = "text", label: str = "label") -> str:
    with pytest.raises(InputError) as caught:
        read_rows(path, content, path.suffix[1:], text, label)
    return str(caught.value)


def test_a_quote_in_a_tsv_is_a_letter_wherever_it_stands() -> None:
    content = 'text\tlabel\n"Stray at the start\tpos\nin the "mid\tneg\n"whole"\tpos\n""\t"\n'
    assert _tsv(content) == [
        (2, '"Stray at the start', "pos"),
        (3, 'in the "mid', "neg"),
        (4, '"whole"', "pos"),
        (5, '""', '"'),
    ]


def test_blank_lines_of_a_tsv_are_skipped_and_counted() -> None:
    assert _tsv("\n  \ntext\tlabel\r\n\r\na\tpos\n\n\nb\tneg\n\n") == [
        (5, "a", "pos"),
        (8, "b", "neg"),
    ]


def test_a_row_of_tabs_alone_is_no_blank_line() -> None:
    assert _tsv("text\tlabel\n\t\n") == [(2, "", "")]


def test_columns_are_found_by_name_in_any_order_beside_others() -> None:
    assert _tsv("id\tlabel \t text\n7\tpos\tgood\n") == [(2, "good", "pos")]
    assert _csv("id,stars,review\n7,pos,good\n", "review", "stars") == [(2, "good", "pos")]


def test_quoted_csv_fields_hold_commas_quotes_and_line_breaks() -> None:
    content = 'text,label\n"one, ""two""\nthree\r\n",pos\nit\'s 5" long,neg\n\n"",""\n'
    assert _csv(content) == [
        (2, 'one, "two"\nthree\r\n', "pos"),
        (5, "it's 5\" long", "neg"),
        (7, "", ""),
    ]


def test_a_text_longer_than_the_csv_modules_limit_is_read() -> None:
    usual = csv.field_size_limit()
    long = "word " * 40_000
    assert _csv(f'text,label\n"{long}",pos\n') == [(2, long, "pos")]
    assert csv.field_size_limit() == usual


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('"open,pos\nb,neg', 2),
        ('a,pos\n"open ""quoted"" on,pos\nb,neg', 3),
        ('"two\nlines","open\nb",neg\n"c', 5),
        ('"two\nlines","open\nb,neg', 3),
        ('a,"', 2),
    ],
)
def test_the_line_where_an_unclosed_quote_opens_is_named(rows: str, line: int, end: str) -> None:
    message = _refusal("text,label\n" + rows + end)
    assert message.startswith(f"reviews.csv:{line}: the quote that opens in this line is never")
    assert "close it" in message


@pytest.mark.parametrize("row", ['"a" b,pos', '"a "quoted" b",pos', "a\rb,pos"])
def test_malformed_csv_names_the_line_where_the_row_begins(row: str) -> None:
    message = _refusal(f'text,label\n"x\ny",pos\n{row}\n')
    assert message.startswith("reviews.csv:4: malformed CSV (")
    assert "double the quotes" in message


def test_the_field_size_limit_is_put_back_after_an_error() -> None:
    usual = csv.field_size_limit()
    _refusal('text,label\n"a')
    assert csv.field_size_limit() == usual


@pytest.mark.parametrize(
    ("path", "row", "number"),
    [
        (TSV, "a\tb\tpos", 3),
        (TSV, "a", 1),
        (TSV, "a pos", 1),
        (CSV, "a, b,pos", 3),
        (CSV, "a", 1),
    ],
)
def test_a_row_of_too_many_or_too_few_fields_is_named(path: Path, row: str, number: int) -> None:
    header = "text\tlabel\nx\tpos\n" if path == TSV else "text,label\nx,pos\n"
    message = _refusal(header + row + "\n", path)
    assert message.startswith(f"{path}:3: number of fields {number}, expected 2 as in the header")
    assert ("blank in place of a tab" if path == TSV else "double quotes around") in message


def test_a_missing_column_lists_the_columns_and_the_nearest() -> None:
    message = _refusal("\ntxt\tlabel\nx\tpos\n", TSV)
    assert message == (
        "reviews.tsv:2: there is no column 'text', expected one of 'txt', 'label' (did you mean "
        "'txt'?): the first line must name the columns, and --text-column choose the text's, by "
        "its number from 0 too; if it names none, give --no-header"
    )
    message = _refusal("text,label\nx,pos\n", label="lable")
    assert message.startswith("reviews.csv:1: there is no column 'lable', expected one of 'text', ")
    assert "(did you mean 'label'?)" in message
    assert "--label-column choose the label's" in message


def test_a_column_that_stands_twice_is_refused() -> None:
    message = _refusal("text,label,text\na,pos,b\n")
    assert message == "reviews.csv:1: 2 columns 'text', expected one: rename the others"
    assert _csv("text,label,id,id\na,pos,1,2\n") == [(2, "a", "pos")]


@pytest.mark.parametrize(("path", "header"), [(TSV, "text\tlabel"), (CSV, "text,label\n\n")])
def test_a_header_alone_is_refused(path: Path, header: str) -> None:
    message = _refusal(header, path)
    assert message == f"{path}:1: only a header, expected rows below it: add examples"


@settings(deadline=None)
@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1))
def test_what_the_csv_writer_wrote_is_read_back(rows: list[tuple[str, str]]) -> None:
    sheet = io.StringIO(newline="")
    csv.writer(sheet).writerows([("text", "label"), *rows])
    assert [(text, label) for _, text, label in _csv(sheet.getvalue())] == rows


@settings(deadline=None)
@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1))
def test_every_text_without_tabs_and_line_ends_survives_a_tsv(rows: list[tuple[str, str]]) -> None:
    gaps = str.maketrans("\t\n\r", "   ")
    rows = [(text.translate(gaps), label.translate(gaps)) for text, label in rows]
    content = "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    expected = [(line, *row) for line, row in enumerate(rows, start=2)]
    assert _tsv(content) == expected


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_csv_of_a_spreadsheet_is_read_by_its_header(separator: str) -> None:
    content = 'id;review;stars\r\n1;"slow; but, ""nice""\nto see";good\r\n2;a, b, c;bad\r\n'
    content = content.replace(";", separator)
    rows = [(2, f'slow{separator} but, "nice"\nto see', "good"), (4, "a, b, c", "bad")]
    assert _csv(content, "review", "stars") == rows
    assert _csv(content, "1", "-1") == rows  # all records have three fields between semicolons


def test_commas_go_first_where_they_give_the_columns() -> None:
    assert _csv("text,label;x\na;b,c;d\n", label="1") == [(2, "a;b", "c;d")]
    assert _csv("a;b,x\nc;d,y\n", "0", "1") == [(2, "c;d", "y")]


def test_without_a_header_the_separator_gives_even_records() -> None:
    content = "1;one, two, three;good\n2;four;bad\n"
    assert read_rows(CSV, content, "csv", "1", "2", header=False) == [
        (1, "one, two, three", "good"),
        (2, "four", "bad"),
    ]


def test_malformed_quotes_between_semicolons_are_named() -> None:
    message = _refusal('text;label\n"a" b;pos\n')
    assert "expected fields between semicolons" in message
    message = _refusal('text;label\n"a;pos\nb;neg\n')
    assert message.startswith("reviews.csv:2: the quote that opens in this line is never closed")


def test_all_missing_columns_are_in_one_error() -> None:
    assert _refusal("id,review,stars\n1,a,b\n") == (
        "reviews.csv:1: there is no column 'text', expected one of 'id', 'review', 'stars', and "
        "no column 'label': the first line must name the columns, and --text-column choose the "
        "text's and --label-column choose the label's, by its number from 0 too; if it names "
        "none, give --no-header"
    )


def test_a_tsv_with_quoted_line_breaks_names_the_format_that_has_them() -> None:
    content = 'id\treview\tstars\n1\t"two\nlines"\tgood\n'
    assert "--format csv" in _refusal(content, TSV, "review", "stars")
    assert _csv(content, "review", "stars") == [(2, "two\nlines", "good")]

"""The options of numeric sequences: which columns are what, and what is forecast from what."""

from dataclasses import dataclass

from recipes.config import DataOptions, option

TIME_COLUMNS = "date,time,timestamp,datetime,ds"
LAYOUTS = ("", "long", "wide", "rows")


@dataclass(frozen=True)
class SeriesColumns(DataOptions):
    """Where a file has the series, their times, values, labels and covariates."""

    series_column: str = option(
        "",
        "Column that names the series of a row, or several with commas between that name it "
        "together (default: the file is one series).",
    )
    time_column: str = option(
        TIME_COLUMNS,
        "Column of the time stamps (ISO 8601 or numbers); of several with commas between, the "
        "first that a file has.",
    )
    value_columns: str = option(
        "",
        "Columns of the values, with commas between (default: all with a name that no other option "
        "has).",
    )
    label_column: str = option("", "Column of the class of a series.")
    covariate_columns: str = option(
        "", "Columns of covariates that are known in the future, with commas between."
    )
    static_columns: str = option(
        "", "Columns of covariates that are constant in a series, with commas between."
    )
    layout: str = option(
        "",
        "Layout of a table: long or wide (a time step a row; long has several series), rows (a "
        "series a row); by default as its columns show.",
        choices=LAYOUTS,
    )
    header: bool = option(True, "The first line of TSV and CSV files names the columns.")
    fill_gaps: bool = option(False, "Fill time steps that a series lacks with missing values.")
    label_pattern: str = option(
        "",
        "Regular expression found in the name of a WAV file, whose group `label`, or its first, "
        "is the class (default: the folder's name).",
    )


@dataclass(frozen=True)
class SignalOptions(SeriesColumns):
    """How series with a label are split."""

    group_pattern: str = option(
        "",
        "Regular expression found in the series' names: all with the same group `group`, or first "
        "group, are in one split.",
    )
    validation_pattern: str = option(
        "", "Regular expression found in the names of the series that are validation."
    )
    test_pattern: str = option(
        "", "Regular expression found in the names of the series that are test."
    )


@dataclass(frozen=True)
class WindowOptions(SeriesColumns):
    """What is forecast from what, and where in time the splits are."""

    look_back: int = option(96, "Time steps that the model reads.")
    horizon: int = option(24, "Time steps that are forecast.")
    stride: int = option(1, "Time steps from one training window to the next.")
    target_columns: str = option(
        "", "Columns that are forecast, with commas between (default: all values)."
    )
    validation_steps: int = option(
        0, "Time steps of validation, before test; 0 = by --validation-fraction."
    )
    test_steps: int = option(0, "Time steps of test, the last ones; 0 = by --test-fraction.")
    borders: str = option(
        "",
        "Ends of train, validation and test, with commas between: numbers of rows, or times "
        "(later rows are not used).",
    )
    calendar: bool = option(True, "Make covariates from time stamps: hour, weekday, day, month.")

import csv
import json
import math
import shutil

import pytest

from tests.zoo.tuning import toy
from zoo.errors import InputError
from zoo.tuning.report import report
from zoo.tuning.results import Findings, Point
from zoo.tuning.space import Axis, parse
from zoo.tuning.storage import Records
from zoo.tuning.study import Study
from zoo.tuning.trials import conduct

# accuracies of three seeds at each K, for a tenth of the data and for all of it
SCORES = {
    0.1: {4: (0.60, 0.62, 0.61), 16: (0.64, 0.66, 0.65), 64: (0.63, 0.62, 0.64)},
    1.0: {4: (0.70, 0.71, 0.72), 16: (0.80, 0.81, 0.82), 64: (0.80, 0.83, 0.82)},
}


def study(**options):
    axes = (parse("units", "4:64:log:4", int),)
    return Study("toy", axes, {}, "accuracy", seeds=3, fractions=(0.1, 1.0), **options)


def measure(run):
    units = run.values["units"]
    score = SCORES[run.fraction][units][run.seed]
    return {
        "accuracy": score,
        "train_loss": 0.5,
        "validation_loss": 0.6,
        "last_train_loss": 1 / units,
        "last_validation_loss": 0.7 if units == 64 else 0.6,
        "parameters": 100 * units,
        "seconds_per_epoch": 2.0,
        "latency_ms": 0.5 if run.fraction == 1 and run.seed == 0 else None,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("study")
    conduct(study(), measure, directory)
    report(study(), directory, "the command", {"recipe": "toy"})
    return directory


def test_mean_deviation_and_standard_error_are_those_of_the_seeds():
    rows = tuple({"accuracy": score} for score in (0.1, 0.2, 0.6))
    point = Point("0", {}, 1.0, rows, "accuracy")
    assert point.score == pytest.approx(0.3)
    assert point.deviation("accuracy") == pytest.approx(math.sqrt(0.07))
    assert point.error == pytest.approx(math.sqrt(0.07 / 3))
    assert Point("0", {}, 1.0, rows[:1], "accuracy").error is None


def test_the_smallest_network_within_one_standard_error_of_the_best_is_recommended(folder):
    findings = Findings.of(study(), Records(folder))
    # 64 has 0.8167 with an error of 0.0088, 16 has 0.81
    assert findings.best(findings.along(1.0)).values == {"units": 64}
    assert findings.recommended(1.0).values == {"units": 16}
    assert findings.recommended(0.1).values == {"units": 16}
    assert json.loads((folder / "best.json").read_text()) == {"recipe": "toy", "units": 16}


def test_a_smaller_loss_is_a_better_one(tmp_path):
    falling = study(direction="min")
    conduct(falling, measure, tmp_path)
    findings = Findings.of(falling, Records(tmp_path))
    assert findings.recommended(1.0).values == {"units": 4}
    assert [point.values["units"] for point in findings.front("parameters")] == [4]


def test_the_front_holds_what_no_other_point_beats(folder):
    findings = Findings.of(study(), Records(folder))
    assert [point.values["units"] for point in findings.front("parameters")] == [4, 16, 64]
    assert [point.values["units"] for point in findings.front("seconds_per_epoch")] == [64]


def test_the_report_tells_choice_reason_table_and_pictures(folder):
    text = (folder / "report.md").read_text()
    assert "Take units 16: validation accuracy 0.8100 ± 0.0100" in text
    assert "within one standard error (0.0088) of the best, units 64 with 0.8167 ± 0.0153" in text
    assert "does not grow steadily with the data: 16 with 0.1 of it, 16 with 1 of it" in text
    assert "| 4 | 0.6100 ± 0.0100 | 0.7100 ± 0.0100 | 400 | 2.00 | 0.50 |" in text
    assert "units 64 is the smallest network whose validation loss rises" in text
    for name in ("objective.png", "memorising.png", "cost.png", "front.png"):
        assert f"({name})" in text
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_the_table_of_trials_has_a_line_for_each_run(folder):
    with (folder / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    found = {
        (float(row["fraction"]), int(row["units"]), int(row["seed"])): float(row["accuracy"])
        for row in rows
    }
    assert found[0.1, 64, 1] == 0.62
    assert found[1.0, 16, 2] == 0.82
    numbers = {(row["trial"], row["folder"], row["units"]) for row in rows}
    assert numbers == {("1", "0", "4"), ("2", "1", "16"), ("3", "2", "64")}


def test_a_choice_at_the_upper_end_is_told(tmp_path):
    rising = Study("toy", (parse("units", "4,16", int),), {}, "accuracy", seeds=3)
    conduct(rising, measure, tmp_path)
    assert "larger ones may be better" in report(rising, tmp_path, "", {})


def test_options_that_are_no_numbers_are_drawn_too(tmp_path):
    cells = Study("toy", (parse("cell", "gru,lstm", str),), {}, "accuracy", seeds=2)
    conduct(cells, lambda run: {"accuracy": 0.5 + 0.1 * run.seed, "parameters": 3}, tmp_path)
    assert "Take cell gru" in report(cells, tmp_path, "", {})


def test_a_setting_that_has_not_seen_all_data_yet_stands_in_the_table(tmp_path):
    class Stopped(BaseException):
        pass

    def measured(run):
        if run.values["units"] == 64 and run.fraction == 1:
            raise Stopped
        return measure(run)

    with pytest.raises(Stopped):
        conduct(study(), measured, tmp_path)
    report(study(), tmp_path, "", {})
    text = (tmp_path / "report.md").read_text()
    assert "2 of 3 settings" in text
    assert "| 64 | 0.6300 ± 0.0100 | - | 6,400 | 2.00 | - |" in text


def test_failures_stand_in_the_report(tmp_path):
    def measured(run):
        if run.values["units"] == 64:
            raise MemoryError("no room")
        return measure(run)

    conduct(study(), measured, tmp_path)
    report(study(), tmp_path, "", {})
    text = (tmp_path / "report.md").read_text()
    assert "- 3: MemoryError: no room (units 64), see `trials/2/traceback.txt`" in text
    assert "MemoryError: no room" in (tmp_path / "trials" / "2" / "traceback.txt").read_text()


def test_a_recommendation_says_which_settings_failed(tmp_path):
    def measured(run):
        if run.values["units"] != 16:
            raise InputError("no room.")
        return measure(run)

    conduct(study(), measured, tmp_path)
    told = (
        "Careful: 2 of 3 settings failed and were not compared: trial 1: no room (units 4); "
        "trial 3: no room (units 64)."
    )
    assert report(study(), tmp_path, "", {"recipe": "toy"}).endswith(told)
    assert told in (tmp_path / "report.md").read_text()
    best = json.loads((tmp_path / "best.json").read_text())
    assert best == {"recipe": "toy", "units": 16, "warning": told}
    findings = Findings.of(study(), Records(tmp_path))
    assert findings.mostly_failed
    assert findings.finished == 1


def test_where_no_setting_failed_there_is_no_warning(folder):
    assert "warning" not in json.loads((folder / "best.json").read_text())
    assert "Careful" not in (folder / "report.md").read_text()
    assert not Findings.of(study(), Records(folder)).mostly_failed


def test_a_run_whose_objective_is_no_number_is_no_candidate(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "study")
    for path in (tmp_path / "study" / "trials").glob("1/*/result.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "accuracy": math.nan}))
    findings = Findings.of(study(), Records(tmp_path / "study"))
    assert findings.recommended(1.0).values == {"units": 64}


def test_names_with_dollar_signs_and_lists_are_drawn_as_they_are(tmp_path):
    axis = Axis("cell", ("$$", "a$b_c^", [1, 2]))
    odd = Study("toy", (axis,), {}, "accuracy")
    conduct(odd, lambda run: {"accuracy": 0.5, "parameters": 3}, tmp_path)
    assert "Take cell $$" in report(odd, tmp_path, "", {})


def test_without_a_finished_trial_the_reason_is_told(tmp_path):
    def measured(run):
        raise MemoryError("no room")

    conduct(toy.study(trials=1), measured, tmp_path)
    with pytest.raises(InputError, match="nothing to report: trial 1: MemoryError: no room"):
        report(toy.study(trials=1), tmp_path, "", {})


def test_any_names_of_metrics_and_values_are_drawn(tmp_path):
    values = ("$$", "a$b_", "中文", "\\frac{", "x" * 200)
    hostile = Study("toy", (Axis("cell_$", values),), {}, "$acc_1$", seeds=1)

    def measured(run):
        losses = ("train_loss", "validation_loss", "last_train_loss", "last_validation_loss")
        costs = {"parameters": 100, "seconds_per_epoch": 2.0, "latency_ms": 0.5}
        score = values.index(run.values["cell_$"]) / 10
        return dict.fromkeys(losses, 0.5) | costs | {"$acc_1$": score}

    conduct(hostile, measured, tmp_path)
    report(hostile, tmp_path, "", {})
    for name in ("objective.png", "memorising.png", "cost.png", "front.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("best", "warned"), [(3, " Its best epoch was the last one, 3: with more --epochs"), (2, "")]
)
def test_a_recommended_setting_that_was_still_improving_is_named(tmp_path, best, warned):
    plan = Study("toy", (parse("units", "4,16", int),), {"epochs": 3}, "accuracy", seeds=2)
    conduct(plan, lambda run: {**measure(run), "epochs": 3, "best_epoch": best}, tmp_path)
    sentence = report(plan, tmp_path, "the command", {})
    assert (warned in sentence) if warned else ("best epoch" not in sentence)
    assert (
        "`best.json` has the recommended settings: `the command`. It has the search's epochs, 3;"
        in (tmp_path / "report.md").read_text()
    )

"""The setting that a study recommends and the reason, in one or two sentences."""

from zoo.tuning import plots
from zoo.tuning.results import Findings, Point

NAMED = 3  # failures that the recommendation names; the report lists all


def recommendation(findings: Findings) -> str:
    """The recommended setting and the reason."""
    study, last = findings.study, findings.study.fractions[-1]
    chosen, best = findings.recommended(last), findings.best(findings.along(last))
    sentence = f"Take {chosen.settings}: validation {study.objective_name} {chosen.scored}"
    if chosen is best and best.error is None:
        reason = "the best mean; with one seed there is no spread to judge the others by."
    elif chosen is best:
        reason = (
            f"the best mean; no smaller network is within its standard error, {best.error:.4f}."
        )
    else:
        reason = (
            f"the smallest network within one standard error ({best.error:.4f}) of the best, "
            f"{best.settings} with {best.scored}."
        )
    warning = failed(findings)
    return f"{sentence}, {reason}{_border(findings, chosen)}{_growth(findings)}" + (
        f" {warning}" if warning else ""
    )


def failed(findings: Findings) -> str:
    """A warning about failed settings, or ""."""
    failures = findings.failures
    if not failures:
        return ""
    ended = findings.finished + len(failures)
    named = "; ".join(list(failures.values())[:NAMED])
    more = f"; and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
    return (
        f"Careful: {len(failures)} of {ended} settings failed and were not compared: {named}{more}."
    )


def _border(findings: Findings, chosen: Point) -> str:
    """A warning if the recommended value is the largest that was tried, or ""."""
    axis = findings.study.space.main()
    if len(axis.values) < 2 or not axis.numeric:
        return ""
    value = chosen.values.get(axis.name)
    if value == axis.values[-1]:
        label = plots.label(findings)
        return f" It is the largest {label} that was tried: larger ones may be better."
    return ""


def _growth(findings: Findings) -> str:
    """A sentence on whether K grows with the data."""
    study, axis = findings.study, findings.study.space.main()
    if len(study.fractions) < 2 or not axis.numeric:
        return ""
    chosen = [
        (fraction, findings.recommended(fraction).values[axis.name])
        for fraction in study.fractions
        if findings.at(fraction)
    ]
    name, values = plots.label(findings), [value for _, value in chosen]
    sizes = ", ".join(f"{value:g} with {fraction:g} of it" for fraction, value in chosen)
    if values == sorted(values) and values[0] < values[-1]:
        return f" The recommended {name} grows with the data: {sizes}."
    return f" The recommended {name} does not grow steadily with the data: {sizes}."

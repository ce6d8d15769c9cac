"""The built-in sales: seasons, promotions and holidays are in the counts, and plans go on."""

import numpy as np
import pytest

from recipes.corpora import sales


@pytest.fixture(scope="module")
def corpus():
    return sales.generate(0)


def _of(corpus):
    """Counts (shops, days), promotions and holidays of the same days, and weekdays."""
    counts = np.array([each.values[:, 0] for each in corpus.series])
    covariates = np.array([each.future[: sales.DAYS] for each in corpus.series])
    weekday = (corpus.series[0].times.astype("M8[D]").astype(int) + 3) % 7
    return counts, covariates[..., 0] > 0, covariates[..., 1] > 0, weekday


def test_a_seed_gives_one_series_for_each_shop_with_plans_for_four_weeks_more(corpus):
    again = sales.generate(0)
    for one, other in zip(corpus.series, again.series, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    other = sales.generate(1).series[0].values
    assert (other != corpus.series[0].values).mean() > 0.5
    assert [each.name for each in corpus.series] == list(sales.SHOPS)
    one = corpus.series[0]
    assert one.values.shape == (1096, 1) and one.future.shape == (1124, 2)
    assert str(one.times[0])[:10] == "2022-01-01" and str(one.times[-1])[:10] == "2024-12-31"
    assert corpus.step == np.timedelta64(1, "D") and one.static.shape == (1,)
    assert corpus.future_columns == ("promotion", "holiday")


def test_values_are_counts_of_which_a_few_are_missing(corpus):
    counts, _, holiday, _ = _of(corpus)
    assert 10 < np.isnan(counts).sum() < 80
    present = counts[~np.isnan(counts)]
    assert (present == np.round(present)).all() and present.min() == 0
    assert np.nansum(counts[holiday]) == 0 and holiday.sum() == 8 * 15


def test_weekends_promotions_and_the_season_of_the_year_change_the_mean(corpus):
    counts, promotion, holiday, weekday = _of(corpus)
    counts = np.where(holiday, np.nan, counts)
    usual = np.nanmean(np.where(promotion, np.nan, counts), axis=1)
    assert (np.nanmean(np.where(promotion, counts, np.nan), axis=1) > 1.4 * usual).all()
    by_day = np.array([np.nanmean(counts[:, weekday == day]) for day in range(7)])
    assert by_day.argmax() == 5 and by_day.argmin() == 6 and by_day[5] > 2 * by_day[6]
    month = corpus.series[0].times.astype("M8[M]").astype(int) % 12
    for shop in counts:
        by_month = [np.nanmean(shop[month == each]) for each in range(12)]
        assert max(by_month) > 1.15 * min(by_month)


def test_counts_vary_more_than_poisson_counts_around_their_mean(corpus):
    counts, promotion, holiday, weekday = _of(corpus)
    plain = np.where(promotion | holiday, np.nan, counts)
    ratios = []
    for start in range(0, sales.DAYS - 90, 90):  # within a quarter the season changes little
        for day in range(7):
            span = plain[:, start : start + 90][:, weekday[start : start + 90] == day]
            ratios.append(np.nanmean(np.nanvar(span, axis=1) / np.nanmean(span, axis=1)))
    assert np.median(ratios) > 2  # 1 for Poisson counts

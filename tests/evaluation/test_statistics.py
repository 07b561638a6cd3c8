"""Statistics against scipy and against sums by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from scml_gym.evaluation.statistics import compare, losses, mean_and_error, paired, ranking, wilson_interval
from scml_gym.evaluation.table import COLUMNS

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n", [2, 3, 10, 60])
def test_compare_equals_scipy(n):
    first, second = RNG.normal(1.0, 0.1, n), RNG.normal(1.02, 0.1, n)
    result = compare(first, second)
    test = stats.ttest_rel(first, second)
    interval = test.confidence_interval(0.95)
    assert result.difference == pytest.approx(np.mean(first - second))
    assert result.error == pytest.approx(stats.sem(first - second))
    assert result.p_t == pytest.approx(test.pvalue)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert result.p_wilcoxon == pytest.approx(np.asarray(stats.wilcoxon(first, second))[1])


def test_compare_at_the_edges():
    same = compare(np.ones(5), np.ones(5))
    assert (same.difference, same.p_t, same.p_wilcoxon) == (0.0, 1.0, 1.0)
    assert compare(np.full(5, 2.0), np.ones(5)).p_t == 0.0
    single = compare(np.array([2.0]), np.array([1.0]))
    assert single.difference == 1.0
    assert math.isnan(single.p_t)


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (3, 5), (5, 5), (90, 100)])
def test_wilson_interval_equals_scipy(successes, n):
    interval = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((interval.low, interval.high))
    assert wilson_interval(0, 0) == (0.0, 1.0)


def table(scores):
    """A table of scores: ``{(competitor, configuration): [seller's score, buyer's score]}``."""
    import pandas as pd

    rows = []
    for (label, configuration), values in scores.items():
        for play, score in enumerate(values):
            row = dict.fromkeys(COLUMNS, 0) | {"configuration": configuration, "play": play, "competitor": label}
            row |= {"role": "competitor", "level": ("seller", "buyer")[play], "score": score, "initial_balance": 200}
            row |= {"revenue": 100.0, "supplies": 40.0, "production": 20.0, "agreements": 3, "negotiations": 4}
            rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_ranking_and_pairs_by_hand():
    scores = table(
        {
            ("a", 0): [1.0, 1.2],
            ("a", 1): [1.0, 1.4],
            ("b", 0): [1.2, 1.4],
            ("b", 1): [1.0, 1.0],
            ("b", 2): [1.4, 2.0],
        }
    )
    ranks = ranking(scores)
    assert ranks["competitor"].tolist() == ["b", "a"]
    assert ranks["configurations"].tolist() == [3, 2]
    assert ranks["score"].tolist() == pytest.approx([4 / 3, 1.15])
    assert ranks["standard_error"].tolist() == pytest.approx([stats.sem([1.3, 1.0, 1.7]), stats.sem([1.1, 1.2])])
    assert ranks["seller"].tolist() == pytest.approx([1.2, 1.0])
    assert ranks["buyer"].tolist() == pytest.approx([4.4 / 3, 1.3])
    assert ranks["revenue"].tolist() == [0.5, 0.5]
    assert ranks["cost"].tolist() == pytest.approx([0.3, 0.3])
    assert ranks["agreement_rate"].tolist() == [0.75, 0.75]
    (pair,) = paired(scores).to_dict("records")
    assert (pair["competitor"], pair["other"], pair["configurations"]) == ("b", "a", 2)
    assert pair["difference"] == pytest.approx((0.2 - 0.2) / 2)
    assert (pair["won"], pair["tied"], pair["lost"], pair["share"]) == (1, 0, 1, 0.5)


def test_an_empty_table_has_an_empty_ranking():
    assert len(ranking(table({}))) == len(paired(table({}))) == 0


def test_mean_of_one_has_no_error():
    assert mean_and_error(np.array([2.0])).mean == 2.0
    assert math.isnan(mean_and_error(np.array([2.0])).error)


def test_losses_are_means_over_configurations_as_shares():
    scores = table({("a", 0): [1.1, 1.0], ("a", 1): [1.3, 1.0], ("b", 0): [1.4, 1.2]})
    scores = scores.assign(ideal_profit=100.0, lost_untraded=10.0, lost_price=[20.0, 0.0, 60.0, 0.0, 0.0, 0.0])
    found = losses(scores).set_index(["level", "competitor"])
    assert list(found.index) == [("seller", "b"), ("seller", "a"), ("buyer", "b"), ("buyer", "a")]
    a = found.loc[("seller", "a")]
    assert (a["ideal"], a["score"], a["loss"]) == pytest.approx((1.5, 1.2, 0.3))
    assert (a["untraded"], a["price"], a["excess"]) == pytest.approx((0.05, 0.2, 0.0))
    assert losses(scores.drop(columns="ideal_profit")).empty

"""Figures of learning curves."""

import numpy as np
import pytest

from scml_gym.core.bootstrap import interval
from scml_gym.core.curves import FORMATS, MOST_PANELS, averaged, columns_of, curve_figures, divided, points


def rows(values, column="score", start=10):
    return [{"step": str(start * (i + 1)), column: str(v), "empty": ""} for i, v in enumerate(values)]


def test_few_columns_are_one_figure_and_many_are_two_with_those_that_matter_in_the_first():
    few = [f"c{i}" for i in range(MOST_PANELS)]
    assert divided(few) == (few, [])
    many = [*(f"c{i}" for i in range(18)), "loss", "return", "score"]
    assert divided(many) == (["score", "return"], [*(f"c{i}" for i in range(18)), "loss"])
    assert divided(many[:18])[0] == many[:MOST_PANELS]


def test_a_column_without_numbers_has_no_panel():
    assert columns_of({"a": [rows([1.0])]}) == ["score"]
    assert curve_figures({"a": [[{"step": "1", "x": ""}]]}, "nothing") == {}
    assert curve_figures({"a": [[]]}, "nothing") == {}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_figures_of_one_row_of_one_run_and_of_several(form):
    for runs in ([rows([1.0])], [rows([1.0]), rows([2.0, 3.0])], [rows([1.0, 2.0]), rows([3.0], column="other")]):
        figures = curve_figures({"a": runs, "b": runs[:1]}, "title", "curves", form)
        assert list(figures) == [f"curves.{form}"]
        assert (
            figures[f"curves.{form}"]
            == curve_figures({"a": runs, "b": runs[:1]}, "title", "curves", form)[f"curves.{form}"]
        )


def test_a_mean_is_taken_where_all_runs_have_numbers():
    steps, values = averaged([np.array([[0.0, 0.0], [10.0, 10.0]]), np.array([[5.0, 1.0], [20.0, 1.0]])])
    assert steps.tolist() == [5.0, 10.0]
    assert values.tolist() == [[5.0, 10.0], [1.0, 1.0]]
    apart, _ = averaged([np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[5.0, 1.0], [20.0, 1.0]])])
    assert apart.tolist() == [1.0]


def test_of_two_rows_of_one_step_the_later_one_counts():
    assert points([{"step": "3", "a": "1"}, {"step": "3", "a": "2"}, {"step": "2", "a": "5"}], "a").tolist() == [
        [2.0, 5.0],
        [3.0, 2.0],
    ]


@pytest.mark.slow
def test_an_interval_covers_a_known_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = [low <= 0 <= high for low, high in (interval([rng.normal(size=30)], np.mean) for _ in range(100))]
    assert 85 <= sum(covered) <= 100


def test_strata_are_resampled_by_themselves_and_a_single_run_has_no_interval():
    def of(a, b):
        return float(np.mean(a) + np.mean(b))

    low, high = interval([np.array([0.0, 0.0]), np.array([5.0])], of)
    assert (low, high) == (5.0, 5.0)
    low, high = interval([np.array([0.0, 1.0]), np.array([5.0, 5.0])], of)
    assert (low, high) == (5.0, 6.0)
    assert np.isnan(interval([np.array([1.0]), np.array([2.0])], of)).all()
    low, high = interval([np.array([[1.0, 2.0]])], lambda a: a.mean(axis=0))
    assert np.isnan(low).all() and low.shape == (2,)

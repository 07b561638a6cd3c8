"""Plots of tournaments: intervals by Student's t, differences of pairs, and the formats of papers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from scml_gym.core.curves import FORMATS
from scml_gym.evaluation.plots import _margins, draw
from scml_gym.evaluation.statistics import mean_and_error

START = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def scores(competitors, configurations):
    """A table of a game that measures nothing but scores."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"configuration": c, "competitor": name, "role": "competitor", "factory": i, "level": level}
            | {"score": 1.0 + rng.normal()}
            for c in range(configurations)
            for i, name in enumerate(competitors)
            for level in ("seller", "buyer")
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_every_plot_and_repeats(form):
    table = scores(["a", "b", "$c$"], 3)
    pictures = draw(table, form)
    assert set(pictures) == {f"{name}.{form}" for name in ("ranking", "levels", "paired")}
    assert all(picture.startswith(START[form]) for picture in pictures.values())
    assert pictures == draw(table, form)


def test_one_competitor_has_no_pairs_and_many_have_those_of_the_best():
    assert set(draw(scores(["a"], 2))) == {"ranking.png", "levels.png"}
    assert "paired.png" in draw(scores([f"c{i}" for i in range(10)], 2))
    assert draw(scores(["a"], 2).iloc[:0]) == {}


def test_intervals_are_those_of_students_t():
    values = np.random.default_rng(1).normal(size=5)
    margin = _margins([mean_and_error(values).error], [5])[0]
    low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert margin == pytest.approx((high - low) / 2)
    assert _margins([float("nan")], [1]).tolist() == [0.0]

"""Statistics of a table of scores: ranking, paired comparisons and binomial intervals.

The unit of observation is the configuration, a world played with all its line-ups: the positions of one world are not
independent of each other, configurations are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

PARTS = {
    "disposal": ("revenue", "cost", "disposal", "shortfall"),
    "storage": ("revenue", "supplies", "production", "storage", "shortfall"),
}
"""The profit broken down, by what happens to inputs that are not used; cost is supplies and production. Score = 1 +
revenue less all others, as fractions of the initial balance."""


class Mean(NamedTuple):
    """A mean over configurations; ``error`` is its standard error, NaN for a single one."""

    mean: float
    error: float


class Paired(NamedTuple):
    """A paired comparison.

    Attributes:
        difference: Mean of the first minus the second.
        error: Standard error of the difference.
        low: Lower end of its 95 % confidence interval (Student's t).
        high: Upper end.
        p_t: Of the two-sided paired t-test.
        p_wilcoxon: Of the two-sided signed-rank test.
    """

    difference: float
    error: float
    low: float
    high: float
    p_t: float
    p_wilcoxon: float


def mean_and_error(values: np.ndarray) -> Mean:
    """Mean and standard error (deviation with n - 1, over the root of n) of shape ``(n,)``."""
    n = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Mean(float(np.mean(values)) if n else math.nan, error)


def compare(first: np.ndarray, second: np.ndarray) -> Paired:
    """Compare two competitors on the same configurations, both of shape ``(n,)``.

    All but the difference is NaN for fewer than two configurations. Where all differences are equal, ``p_t`` is 1 for
    zero and 0 else.
    """
    from scipy import stats

    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    mean, error = mean_and_error(differences)
    n = len(differences)
    if n < 2:
        return Paired(mean, math.nan, math.nan, math.nan, math.nan, math.nan)
    margin = float(stats.t.ppf(0.975, n - 1)) * error
    p_t = float(mean == 0) if error == 0 else float(2.0 * stats.t.sf(abs(mean) / error, n - 1))
    signed_rank: Any = stats.wilcoxon(differences) if np.any(differences) else None
    p_wilcoxon = 1.0 if signed_rank is None else float(signed_rank.pvalue)
    return Paired(mean, error, mean - margin, mean + margin, p_t, p_wilcoxon)


def wilson_interval(successes: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Confidence interval of a binomial share (95 % by default); (0, 1) for ``n`` = 0.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = share + z * z / (2 * n)
    margin = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)


def parts_of(table: pd.DataFrame) -> tuple[str, ...]:
    """What a profit is made of in the game of a table, see ``PARTS``; empty where it does not measure that."""
    return next((parts for unused, parts in PARTS.items() if unused in table), ())


def rows_of(table: pd.DataFrame, role: str, level: str | None = None) -> pd.DataFrame:
    """The rows of a role, on one level or all; where the game measures what a profit is made of, with these parts as
    fractions of the initial balance."""
    kept = table["role"].eq(role) & (table["level"].eq(level) if level else True)
    parts = parts_of(table)
    if not parts:
        return table.loc[kept]
    rows = table.loc[kept].assign(cost=table["supplies"] + table["production"])
    return rows.assign(**{part: rows[part] / rows["initial_balance"] for part in parts})


def levels_of(table: pd.DataFrame) -> list[str]:
    """The levels of the worlds of a table in their order: in OneShot seller and buyer, else first, middle and last."""
    last: Any = table.groupby("level", sort=False)["factory"].max()
    return [str(level) for level in last.sort_values(kind="stable").index]


def by_configuration(rows: pd.DataFrame, column: str, how: str = "mean") -> dict[str, np.ndarray]:
    """A column taken together over the positions of each competitor in each configuration.

    Args:
        rows: Of the table of scores.
        column: Numbers.
        how: ``"mean"`` or ``"sum"``.

    Returns:
        For each competitor, in alphabetical order, an array over the configurations of ``rows``; NaN where it has none.
    """
    if rows.empty:
        return {}
    pivot = rows.pivot_table(index="configuration", columns="competitor", values=column, aggfunc=how)
    return dict(zip(pivot.columns.tolist(), pivot.to_numpy(dtype=np.float64).T, strict=True))


def best_first(scores: Mapping[str, np.ndarray]) -> list[str]:
    """Competitors by their mean scores, which `by_configuration` gives."""
    return sorted(scores, key=lambda label: -mean_and_error(scores[label][~np.isnan(scores[label])]).mean)


def ranking(table: pd.DataFrame, role: str = "competitor") -> pd.DataFrame:
    """The competitors, best first.

    Returns:
        Columns: rank, competitor, configurations, score and standard_error (over configurations), the mean score on
        each level (in OneShot seller and buyer); then, of a game that measures them, the parts of its profit
        (``PARTS``, fractions of the initial balance), agreement_rate (agreements / negotiations), bankrupt (share of
        its factories).
    """
    import pandas as pd

    rows, parts = rows_of(table, role), parts_of(table)
    scores = by_configuration(rows, "score")
    means = {column: by_configuration(rows, column) for column in (*parts, "bankrupt") if column in rows}
    levels = {level: by_configuration(rows_of(table, role, level), "score") for level in levels_of(table)}
    counted = {"agreements", "negotiations"} <= set(rows)
    agreements, negotiations = (
        by_configuration(rows, c, how="sum") if counted else {} for c in ("agreements", "negotiations")
    )
    lines = []
    for label in best_first(scores):
        values = scores[label]
        score = mean_and_error(values[~np.isnan(values)])
        total = float(np.nansum(negotiations[label])) if counted else 0.0
        measured = {part: float(np.nanmean(means[part][label])) for part in parts if part in means}
        if counted:
            measured["agreement_rate"] = float(np.nansum(agreements[label])) / total if total else math.nan
        if "bankrupt" in means:
            measured["bankrupt"] = float(np.nanmean(means["bankrupt"][label]))
        lines.append(
            {
                "competitor": label,
                "configurations": int(np.sum(~np.isnan(values))),
                "score": score.mean,
                "standard_error": score.error,
                **{level: float(np.nanmean(by[label])) if label in by else math.nan for level, by in levels.items()},
                **measured,
            }
        )
    columns = ["competitor", "configurations", "score", "standard_error", *levels]
    columns += [part for part in parts if part in means] + ["agreement_rate"] * counted
    frame = pd.DataFrame(lines, columns=columns + ["bankrupt"] * ("bankrupt" in means))
    frame.insert(0, "rank", range(1, len(lines) + 1))
    return frame


def losses(table: pd.DataFrame) -> pd.DataFrame:
    """What the competitors' days lost on each level against the best that they could have brought, by cause.

    Returns:
        Columns: competitor, level, ideal and score (means over configurations), loss, its causes, the columns
        ``lost_...`` of the game without that word. Fractions of the initial balance; empty for a table that
        does not measure it.
    """
    import pandas as pd

    causes = [str(column) for column in table if str(column).startswith("lost_")]
    columns = ["competitor", "level", "ideal", "score", "loss", *(cause.removeprefix("lost_") for cause in causes)]
    if "ideal_profit" not in table:
        return pd.DataFrame(columns=columns)
    rows: Any = table.loc[table["role"].eq("competitor")]
    shares = rows[["ideal_profit", *causes]].div(rows["initial_balance"], axis=0)
    shares = shares.rename(columns=lambda name: name.removeprefix("lost_").removesuffix("_profit"))
    rows = rows[["configuration", "competitor", "level", "score"]].join(shares)
    rows = rows.assign(ideal=rows["ideal"] + 1.0)
    means = rows.groupby(["competitor", "level", "configuration"]).mean().groupby(["competitor", "level"]).mean()
    frame = means.assign(loss=means["ideal"] - means["score"]).reset_index()[columns]
    ranks = best_first(by_configuration(rows_of(table, "competitor"), "score"))
    order = {name: rank for rank, name in enumerate(ranks)}
    levels = {name: rank for rank, name in enumerate(levels_of(table))}
    places = frame["level"].map(levels) * (len(order) + 1) + frame["competitor"].map(order)
    return frame.iloc[places.argsort(kind="stable")].reset_index(drop=True)


def paired(table: pd.DataFrame) -> pd.DataFrame:
    """All pairs of competitors on the configurations that both played, the better one of the ranking first.

    Returns:
        Columns: competitor, other, configurations, the fields of `Paired`, won, tied, lost (configurations), share
        (won of those not tied) with share_low and share_high (Wilson, 95 %).
    """
    import pandas as pd

    scores = by_configuration(rows_of(table, "competitor"), "score")
    order = best_first(scores)
    lines = []
    for i, label in enumerate(order):
        for other in order[i + 1 :]:
            first, second = scores[label], scores[other]
            common = ~(np.isnan(first) | np.isnan(second))
            first, second = first[common], second[common]
            won, lost = int(np.sum(first > second)), int(np.sum(first < second))
            low, high = wilson_interval(won, won + lost)
            lines.append(
                {
                    "competitor": label,
                    "other": other,
                    "configurations": len(first),
                    **compare(first, second)._asdict(),
                    "won": won,
                    "tied": len(first) - won - lost,
                    "lost": lost,
                    "share": won / (won + lost) if won + lost else math.nan,
                    "share_low": low,
                    "share_high": high,
                }
            )
    columns = ("won", "tied", "lost", "share", "share_low", "share_high")
    return pd.DataFrame(lines, columns=["competitor", "other", "configurations", *Paired._fields, *columns])

"""The page of a run's ranking, with intervals and paired differences."""

from __future__ import annotations

from typing import Any

from scml_gym.analyzer.queries import worlds
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.figures import ranks
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import absent, chart, choices, run_choice, section, table
from scml_gym.evaluation.statistics import paired, ranking

MEANINGS = {
    "score": "mean over configurations; 1 is a factory that breaks even",
    "standard_error": "of the mean score over configurations",
    "configurations": "worlds with the same parameters, played with the levels swapped, count as one",
    "seller": "mean score on the first level",
    "buyer": "mean score on the last level",
    "bankrupt": "share of factories whose balance fell below 0",
    "difference": "mean score of the first less that of the second, in the same configurations",
    "low": "lower end of the difference's 95 % interval",
    "high": "upper end of the difference's 95 % interval",
    "p_t": "how likely so great a difference is by chance (paired t-test)",
    "p_wilcoxon": "likewise, by the signed-rank test",
    "share": "of configurations that the first one won, of those not tied",
}


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    scores = worlds.scores(recordings, run).dropna(axis=1, how="all")
    parts: list[Any] = [choices(run_choice(recordings, run))]
    roles = scores["role"].unique().tolist() if len(scores) else []
    if not roles:
        return [*parts, absent("No world of this run was recorded yet.")]
    judged, others = [role for role in roles if role == "competitor"], [role for role in roles if role != "competitor"]
    parts += [_scores(run, role, scores) for role in judged]
    pairs = paired(scores)
    if len(pairs):
        links = {
            "other": lambda row: address(
                "/compare", run=run, competitor=row["competitor"], other_run=run, other=row["other"]
            )
        }
        told = (
            "Differences in the same configurations: what luck with the parameters brought is taken out. Where the "
            "interval from low to high does not hold 0, the first one is better by more than chance. The other one's "
            "name leads to where the difference comes from."
        )
        parts.append(section("Paired differences", told, table("paired", pairs, links, MEANINGS)))
    return [*parts, *[_scores(run, role, scores) for role in others]]


def _scores(run: int, role: str, scores: Any) -> Any:
    ranked = ranking(scores, role)
    links = {"competitor": lambda row: address("/competitor", run=run, competitor=row["competitor"])}
    return section(
        f"Scores: {role}",
        "The mean score and its 95 % interval. A competitor's name leads to what it lost, and why.",
        chart(f"ranking-{role}", ranks(ranked), f"Scores of each {role} with intervals", 90 + 32 * len(ranked)),
        table(f"ranking-{role}", ranked, links, MEANINGS),
    )


RANKING = Page(
    "/ranking",
    "Ranking",
    "Who is best, and is that more than luck? The score is the balance at the end over the balance at the start.",
    show,
)

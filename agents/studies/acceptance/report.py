"""The files that the study ends in: table of runs, effects, figure 1 and the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.agents.studies.acceptance.config import AcceptanceConfig, Problem
from scml_gym.agents.studies.acceptance.findings import findings, floor_counts, interval, top
from scml_gym.agents.studies.acceptance.tables import Samples, baselines_table, effects_table, runs_table
from scml_gym.core.text import in_markdown, plain_labels

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = {"previous": "#7d8793", "run": "#2b6ca3"}


def write_report(
    config: AcceptanceConfig, tables: Mapping[str, pd.DataFrame], origin: str
) -> Mapping[str, str | bytes]:
    """See `scml_gym.evaluation.studies.study.Study.report`."""
    samples = Samples(tables["trainings"], tables["negotiations"])
    runs = runs_table(samples, config.floor)
    baselines = baselines_table(samples, config.floor)
    effects = effects_table(samples)
    return {
        "runs.csv": runs.to_csv(index=False, lineterminator="\n"),
        "baselines.csv": baselines.to_csv(index=False, lineterminator="\n"),
        "effects.csv": effects.to_csv(index=False, lineterminator="\n"),
        "figure1.png": draw_figure(config, samples, runs, baselines),
        "study.md": _page(config, samples, runs, baselines, effects, tables["training_problem"], origin),
    }


@plain_labels()
def draw_figure(config: AcceptanceConfig, samples: Samples, runs: pd.DataFrame, baselines: pd.DataFrame) -> bytes:
    """Figure 1 of the paper: the best three runs of each opponent and the previous method; lines for the rules.

    Args:
        config: For the names of the rules.
        samples: To choose the runs.
        runs: Of `runs_table`.
        baselines: Of `baselines_table`.
    """
    from matplotlib.figure import Figure

    opponents = list(dict.fromkeys(runs["opponent"]))
    shown = [label for opponent in opponents for label in [*top(samples, opponent), samples.previous(opponent)]]
    rows = {row["label"]: row for row in [*runs.to_dict("records"), *baselines.to_dict("records")]}
    means = [rows[label]["mean"] for label in shown]
    margins = [rows[label]["high"] - rows[label]["mean"] for label in shown]
    colours = [_COLOURS[str(samples.facts[label]["kind"])] for label in shown]
    figure = Figure(figsize=(8.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.bar(range(len(shown)), means, yerr=margins, color=colours, capsize=4)
    for label, style in ((config.own, "-"), (config.floor, "--")):
        axes.axhline(rows[label]["mean"], color="black", linewidth=0.9, linestyle=style, label=label)
    axes.set_xticks(range(len(shown)), shown, rotation=20)
    axes.set_ylim(min(0.5, *means) - 0.05, 1.0)
    axes.set_ylabel("utility, mean and 95 % interval")
    axes.set_title(f"{config.test.scenario} against {config.test_opponent}: the best runs and the previous method")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return file.getvalue()


def _page(
    config: AcceptanceConfig,
    samples: Samples,
    runs: pd.DataFrame,
    baselines: pd.DataFrame,
    effects: pd.DataFrame,
    in_training: pd.DataFrame,
    origin: str,
) -> str:
    counts = floor_counts(samples, config.floor)
    best = runs.sort_values("mean", ascending=False).iloc[0]["label"]
    own = samples.minus(best, config.own)
    found = findings(samples, config.significance)
    parts = [
        "# Which rewards teach a DQN to accept well",
        f"{len(runs)} runs (rewards x training opponents) of {config.trainings} trainings of "
        f"{config.dqn.total_steps:,} steps; learnt: {_problem(config.train)}; judged by {config.negotiations} "
        f"negotiations a training: {_problem(config.test)}, against {config.test_opponent}. Offers are those of "
        f"{config.bids}. Seed {config.seed}. Utilities are the learner's. The unit of the tests is the training; "
        "intervals are of 95 %.",
        "## What of the paper's findings holds here",
        _markdown(["the paper", "here", ""], [list(finding) for finding in found]),
        f"Of {len(runs)} runs, {counts['below']} are below the rule `{config.floor}` (which never accepts, mean "
        f"{samples.mean(config.floor):.3f}), {counts['level']} level with it, {counts['above']} above. The best, "
        f"{best}, minus the bidding strategy's own rule (`{config.own}`, mean {samples.mean(config.own):.3f}): "
        f"{interval(own)}.",
        "![Figure 1 redrawn: the best three runs of each opponent and the previous method](figure1.png)",
        "## Baselines",
        "`previous` is Razeghi et al. 2020, assumed: the same DQN, rewarded with the utility of an agreement, else 0.",
        _markdown(
            ["", "mean (interval)", "agreement rate", "mean round", "accepted by itself", f"minus `{config.floor}`"],
            [[f"`{r['label']}`", *_numbers(r), _spread(r, "minus_floor")] for r in baselines.to_dict("records")],
        ),
        "## Learning, and what carries over",
        "Mean utility where the networks learn: of the rules, and of the trainings in their last tenth (with the "
        "exploration that is left then).",
        _training_table(config, samples, in_training),
        "## Main effects",
        "Mean of the runs with a value, minus the mean of the others.",
        _markdown(
            ["trained against", "part", "value", "mean", "difference (interval)", "p"],
            [
                [r["trained_against"], r["part"].replace("_", " "), r["value"], f"{r['mean']:.3f}"]
                + [f"{r['difference']:+.3f} ({r['low']:+.3f}, {r['high']:+.3f})", _p(r["p"])]
                for r in effects.to_dict("records")
            ],
        ),
        "## All runs",
        "Label: training opponent, accept reward, offer reward, penalty. p of Welch's test against the previous method "
        "trained against the same opponent: over trainings, adjusted for all runs (Holm), and over pooled "
        "negotiations as in the paper. g: Hedges' effect size. Comparisons with the better of both previous methods "
        "are in [runs.csv](runs.csv).",
        _markdown(
            ["run", "mean (interval)", "sd of trainings", "sd of negotiations", "agreement rate", "mean round"]
            + ["minus previous (interval)", "p", "p, Holm", "p, pooled", "g (interval)", f"to `{config.floor}`"],
            [_table_row(r) for r in runs.to_dict("records")],
        ),
        "Raw tables: [trainings.csv](trainings.csv), [negotiations.csv](negotiations.csv); "
        "[runs.csv](runs.csv), [baselines.csv](baselines.csv), [effects.csv](effects.csv).",
        "## Where this comes from",
        origin,
    ]
    return "\n\n".join(parts) + "\n"


def _training_table(config: AcceptanceConfig, samples: Samples, in_training: pd.DataFrame) -> str:
    """A row for each training opponent: every rule, the range of the runs, the previous method."""
    of_rule = {(row["label"], row["opponent"]): row["utility"] for row in in_training.to_dict("records")}
    rows = []
    for opponent in config.train_opponents.values():
        late = {
            label: np.mean([row["late_utility"] for row in samples.rows[label]])
            for label in [*samples.labels("run"), samples.previous(opponent)]
            if samples.facts[label]["opponent"] == opponent
        }
        previous = late.pop(samples.previous(opponent))
        worst, best = min(late, key=lambda x: late[x]), max(late, key=lambda x: late[x])
        line = [f"{previous:.3f}", f"{late[worst]:.3f} ({worst})", f"{late[best]:.3f} ({best})"]
        rows.append([in_markdown(opponent), *(f"{of_rule[label, opponent]:.3f}" for label in config.rules), *line])
    head = ["trained against", *(f"`{label}`" for label in config.rules), "previous", "lowest run", "highest run"]
    return _markdown(head, rows)


def _problem(problem: Problem) -> str:
    first = "the opponent" if problem.opponent_first else "the learner"
    return f"{problem.scenario}, profile {problem.profile}, {problem.rounds} rounds, {first} opens"


def _numbers(row: Mapping[str, Any]) -> list[str]:
    mean = f"{row['mean']:.3f} ({row['low']:.3f}, {row['high']:.3f})"
    return [mean, f"{row['agreement_rate']:.3f}", f"{row['mean_round']:.1f}", f"{row['accepted_share']:.2f}"]


def _spread(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:+.3f} ({row[f'{name}_low']:+.3f}, {row[f'{name}_high']:+.3f})"


def _table_row(row: Mapping[str, Any]) -> list[str]:
    mean, agreement, mean_round, _ = _numbers(row)
    spread = [f"{row['sd_trainings']:.3f}", f"{row['sd_negotiations']:.3f}"]
    tests = [_p(row[name]) for name in ("p_previous", "p_previous_holm", "p_previous_pooled")]
    size = f"{row['g_previous']:+.1f} ({row['g_previous_low']:+.1f}, {row['g_previous_high']:+.1f})"
    start = [row["label"], mean, *spread, agreement, mean_round, _spread(row, "minus_previous")]
    return [*start, *tests, size, row["to_floor"]]


def _p(p: float) -> str:
    return "<.0001" if p < 1e-4 else f"{p:.4f}".lstrip("0")


def _markdown(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(part) for part in line)} |" for line in lines)

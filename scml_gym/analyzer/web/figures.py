"""Figures of pages: lines, bars, maps of numbers, and flows. What is put on them is escaped here, and only here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from scml_gym.analyzer.web.parts import plain

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7f00", "#7f7f7f")
"""That people who see no red or no green can tell apart (Okabe and Ito, Color universal design, 2008)."""

DASHES = ("solid", "dot", "dash", "dashdot")


def base(x: str = "", y: str = "") -> go.Figure:
    """An empty figure with titles of its axes, see-through, so that it fits dark and light pages."""
    figure = go.Figure()
    axis = {"gridcolor": "rgba(128,128,128,.25)", "zerolinecolor": "rgba(128,128,128,.6)", "automargin": True}
    figure.update_layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=COLOURS,
        font={"family": "system-ui, sans-serif", "color": "#222"},
        margin={"l": 50, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": -0.2},
        xaxis={**axis, "title": {"text": plain(x)}},
        yaxis={**axis, "title": {"text": plain(y)}},
    )
    return figure


def lines(series: Mapping[str, tuple[Sequence[Any], Sequence[Any]]], x: str, y: str) -> go.Figure:
    """A line for each name, from its places and values."""
    figure = base(x, y)
    for i, (name, (places, values)) in enumerate(series.items()):
        style = {"color": COLOURS[i % len(COLOURS)], "dash": DASHES[i // len(COLOURS) % len(DASHES)]}
        mode = "lines" if len(places) > 1 else "markers"
        figure.add_scatter(x=list(places), y=list(values), name=plain(name), mode=mode, line=style)
    return figure


def by_column(frame: Any, place: str, value: str, name: str) -> dict[str, tuple[list[Any], list[Any]]]:
    """The lines of a table that has a row for each of them and each place."""
    groups = frame.groupby(name, sort=False)
    return {str(key): (part[place].tolist(), part[value].tolist()) for key, part in groups}


def stacked(labels: Sequence[str], parts: Mapping[str, Sequence[float]], x: str) -> go.Figure:
    """Horizontal bars, each of several parts, the first label on top."""
    figure = base(x)
    for i, (name, values) in enumerate(parts.items()):
        figure.add_bar(
            y=[plain(label) for label in labels], x=list(values), name=plain(name), orientation="h",
            marker_color=COLOURS[i % len(COLOURS)],
        )  # fmt: skip
    figure.update_layout(barmode="relative")
    figure.update_yaxes(autorange="reversed", type="category")
    return figure


def ranks(ranked: Any) -> go.Figure:
    """The scores of a ranking with their 95 % intervals, the best one on top.

    Args:
        ranked: See `scml_gym.evaluation.statistics.ranking`.
    """
    figure = base("score")
    margins = [interval_margin(*row) for row in zip(ranked["standard_error"], ranked["configurations"], strict=True)]
    figure.add_scatter(
        x=ranked["score"].tolist(), y=[plain(label) for label in ranked["competitor"]], mode="markers",
        error_x={"type": "data", "array": margins, "thickness": 2}, marker={"size": 9},
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    return figure


def interval_margin(error: float, n: int) -> float | None:
    """Half a 95 % confidence interval (Student's t) of a mean over ``n`` configurations; None where it has no error."""
    from scipy import stats

    return None if math.isnan(error) else float(stats.t.ppf(0.975, n - 1)) * error


def heat(frame: Any, x: str, y: str, told: str) -> go.Figure:
    """Numbers of a table as colours around 0: blue above, red below.

    Args:
        frame: A row a line of the map, indexed by its label; a column a place.
        x: What the columns are.
        y: What the rows are.
        told: What the numbers are.
    """
    figure = base(x, y)
    scale = [[0.0, "#b2182b"], [0.5, "rgba(128,128,128,.08)"], [1.0, "#2166ac"]]
    figure.add_heatmap(
        z=frame.to_numpy(dtype=float).tolist(), x=frame.columns.tolist(), y=[plain(label) for label in frame.index],
        colorscale=scale, zmid=0, colorbar={"title": {"text": plain(told), "side": "right"}, "thickness": 12},
        hovertemplate=f"{plain(x)} %{{x}}<br>%{{y}}<br>{plain(told)} %{{z:,.1f}}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    return figure


def flow(names: Mapping[int, str], sources: Sequence[int], targets: Sequence[int], amounts: Sequence[float]) -> Any:
    """Who gave how much to whom, as a Sankey diagram; the names by the numbers of the nodes."""
    figure = base()
    place = {node: i for i, node in enumerate(dict.fromkeys([*names, *sources, *targets]))}
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(place))]
    figure.add_sankey(
        node={"label": [plain(names[node]) for node in place], "color": colours, "pad": 12, "thickness": 16},
        link={
            "source": [place[node] for node in sources],
            "target": [place[node] for node in targets],
            "value": list(amounts),
            "color": [_faint(colours[place[node]]) for node in sources],
        },
    )
    return figure


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},.35)"

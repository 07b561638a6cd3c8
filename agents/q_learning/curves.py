"""Learning curves as the paper shows them (section 3): self-play, and one curve for each opponent."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from scml_gym.agents.q_learning.training import MIXED, SELF_PLAY
from scml_gym.core.text import plain_labels

PREFIX = "reward/"


@plain_labels()
def plot_opponents(rows: Sequence[Mapping[str, str]], title: str) -> bytes:
    """A PNG of the reward of a negotiation over negotiations, from the rows of a learning curve.

    Args:
        rows: Texts by column, as read from the CSV; empty ones are left out.
        title: Above the panels.
    """
    from matplotlib.figure import Figure

    names = dict.fromkeys(name for row in rows for name in row if name.startswith(PREFIX))
    panels = {"self-play": [f"{PREFIX}{SELF_PLAY}"], "against": []}
    for name in names:
        if name.removeprefix(PREFIX) not in (SELF_PLAY, "all"):
            panels["against"].append(name)
    figure = Figure(figsize=(13, 4), layout="constrained")
    for index, (panel, columns) in enumerate(panels.items()):
        axes = figure.add_subplot(1, 2, index + 1)
        for name in columns:
            points = [(float(row["step"]), float(row[name])) for row in rows if row.get(name)]
            label = name.removeprefix(PREFIX)
            if points:
                axes.plot(*zip(*points, strict=True), label="mixed opponents" if label == MIXED else label)
        axes.set_title("self-play" if panel == "self-play" else "one curve for each opponent")
        axes.set_xlabel("negotiations")
        axes.set_ylabel("mean reward of a negotiation")
        axes.grid(alpha=0.3)
        if panel == "against" and axes.lines:
            axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.suptitle(title)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    return picture.getvalue()

"""A report about recordings: one static HTML file without scripts, for a paper's appendix or a colleague."""

from __future__ import annotations

import html
import io
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from scml_gym.analyzer.detectors import DETECTORS
from scml_gym.analyzer.queries import competitors, negotiations, worlds
from scml_gym.analyzer.sources import Recordings, rows
from scml_gym.core.text import plain_labels, printable
from scml_gym.evaluation.statistics import paired, ranking

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Recorded worlds"

SHOWN = 10
"""Rows of worst days, and findings of a detector, that are shown."""

CAUSES = {"untraded": "#4c78a8", "price": "#f2a541", "excess": "#c0504d"}
"""Causes of losses and their colours."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1em 0; }
th, td { padding: .2em .7em; border-bottom: 1px solid #8884; text-align: right; white-space: nowrap; }
td { font-variant-numeric: tabular-nums; }
th:first-child, td:first-child, .text { text-align: left; }
p.help { max-width: 48em; opacity: .8; } svg { max-width: 100%; height: auto; background: #fff; }
"""


def report(recordings: Recordings) -> str:
    """The report as the text of an HTML file.

    Each recording has the ranking with paired comparisons, what was lost by cause (OneShot), where the profit comes
    from, where the needs went, how often offers were accepted, the worst days, and what the detectors found; one of
    bilateral negotiations who gained how much, who accepted what, and how they ended. Names of players and worlds are
    text, never markup.
    """
    seen = worlds.runs(recordings)
    parts = [_section("Recordings", "What this report is about.", _table(seen.drop(columns="run")))]
    parts += [_paragraph(problem) for problem in recordings.problems]
    for run in seen["run"].tolist():
        label = recordings.runs[run].label
        parts.append(f"<h2>{_text(label)}</h2>")
        parts += list(_run(recordings, int(run)))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{TITLE}</title>'
    body = "\n".join([f"<h1>{TITLE}</h1>", *parts])
    page = f"<html lang=en><head>{head}<style>{STYLE}</style></head>\n<body>{body}\n</body></html>"
    return f"<!doctype html>\n{page}\n"


def _run(recordings: Recordings, run: int) -> Iterable[str]:
    scores = worlds.scores(recordings, run)
    if "competitor" in scores["role"].tolist():
        yield _section(
            "Ranking",
            "Mean scores over configurations and their standard errors. A score of 1 is a factory that breaks even.",
            _table(ranking(scores.dropna(axis=1, how="all"))),
        )
        pairs = paired(scores.dropna(axis=1, how="all"))
        if len(pairs):
            columns = ["competitor", "other", "configurations", "difference", "low", "high", "p_t"]
            told = "Differences in the same configurations, with 95 % intervals."
            yield _section("Paired comparison", told, _table(pairs.filter(columns)))
    yield from _days(recordings, run) if len(competitors.needs(recordings, run)) else ()
    yield from _negotiations(recordings, run) if "bilateral" in worlds.worlds(recordings, run)["game"].tolist() else ()
    for detector in DETECTORS.values():
        count = detector.count(recordings, run)
        shown = _table(detector.find(recordings, run, n=SHOWN).drop(columns="run")) if count else ""
        more = f" The first {SHOWN} of {count} are shown." if count > SHOWN else ""
        yield _section(f"{detector.title}: {count}", detector.help + more, shown)


def _days(recordings: Recordings, run: int) -> Iterable[str]:
    """Of worlds of factories: what became of their days."""
    lost = competitors.losses(recordings, run)
    if len(lost):
        yield _section(
            "What was lost",
            "Money a factory and day less than the best that the day could have brought. Untraded: items that were "
            "needed and not traded. Price: worse than the best price of the day. Excess: items beyond the need.",
            _bars(lost) + _table(lost),
        )
        worst = competitors.worst_days(recordings, run, n=SHOWN).drop(columns="run")
        yield _section("Worst days", "The days with the greatest losses.", _table(worst))
    yield _section(
        "Where the profit comes from",
        "Money a factory and day: what was paid for sales, and what supplies, production, disposal or storage, and "
        "missing items cost.",
        _table(competitors.profits(recordings, run)),
    )
    yield _section(
        "Where the needs went",
        "Items a factory and day: needed, agreed upon, left untraded, agreed upon beyond the need. A middle "
        "level sells what it buys, and has no needs of its own.",
        _table(competitors.needs(recordings, run).drop(columns="run")),
    )
    unsafe = competitors.unsafe_acts(recordings, run, by=["competitor", "place"])
    if len(unsafe):
        told = "Acceptances and offers beyond what can be delivered or paid, by both bounds of the safety audit."
        yield _section("Unsafe acts", told, _table(unsafe))
    answered = competitors.acceptance(recordings, run, by=["receiver", "place", "above"])
    told = "How often offers were accepted, by the price less the day's trading price (rounded up)."
    yield _section("Acceptance", told, _table(answered))


def _negotiations(recordings: Recordings, run: int) -> Iterable[str]:
    """Of bilateral negotiations."""
    yield _section(
        "Who gained how much",
        "Mean utility, from 0 to 1, of all negotiations and of those that were agreed upon; without agreement it is 0.",
        _table(negotiations.utilities(recordings, run)),
    )
    told = "How often offers were accepted, by what they were worth to the one who answered, in tenths."
    yield _section("Acceptance", told, _table(negotiations.acceptance(recordings, run)))
    ended = negotiations.endings(recordings, run).drop(columns=["run", "seed"])
    told = f"The first {min(SHOWN, len(ended))} of {len(ended)} negotiations."
    yield _section("How they ended", told, _table(ended.head(SHOWN)))


def _section(title: str, help_text: str, content: str) -> str:
    return f"<h3>{_text(title)}</h3>\n{_paragraph(help_text)}\n{content}"


def _paragraph(text: str) -> str:
    return f"<p class=help>{_text(text)}</p>"


def _table(table: pd.DataFrame) -> str:
    """A table as HTML; whatever stands in it is text."""
    names = [str(name) for name in table.columns]
    texts = {name for name in names if len(table) and isinstance(table[name].iloc[0], str)}
    kinds = {name: " class=text" if name in texts else "" for name in names}
    head = "".join(f"<th{kinds[name]}>{_text(name.replace('_', ' '))}</th>" for name in names)
    lines = ["".join(_cell(value) for value in row.values()) for row in rows(table)]
    return (
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"
    )


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f"<td class=text>{_text(value)}</td>"
    return f"<td>{_text(_number(value))}</td>"


def _number(value: Any) -> str:
    """A number as it is read best; nothing where there is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ""
    if math.isnan(number):
        return ""
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.3f}"


def _text(text: object) -> str:
    return html.escape(printable(text))


@plain_labels()
def _bars(lost: pd.DataFrame) -> str:
    """The losses by cause as stacked bars, an SVG picture."""
    from matplotlib.figure import Figure

    labels = [f"{printable(row['competitor'])}, {row['place']}" for row in rows(lost)]
    figure = Figure(figsize=(9, 0.8 + 0.28 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    left: Sequence[float] = [0.0] * len(labels)
    for cause, colour in CAUSES.items():
        axes.barh(labels, lost[cause], left=left, color=colour, label=cause)
        left = [a + b for a, b in zip(left, lost[cause], strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("money a factory and day")
    axes.legend()
    picture = io.StringIO()
    figure.savefig(picture, format="svg", metadata={"Date": None})
    return picture.getvalue()[picture.getvalue().index("<svg") :]

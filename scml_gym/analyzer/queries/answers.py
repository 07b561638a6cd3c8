"""How offers were answered, of any game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scml_gym.analyzer.queries.columns import grouped_by
from scml_gym.analyzer.sources import Recordings

if TYPE_CHECKING:
    import pandas as pd


def shares_of_answers(
    recordings: Recordings,
    offers: str,
    by: Sequence[str],
    valid: Sequence[str],
    run: int | None,
    receiver: str | None,
) -> pd.DataFrame:
    """How often were offers accepted, by group?

    Args:
        recordings: Open.
        offers: Of the game, in SQL: ``run``, ``answer``, ``receiver`` and what may be told apart.
        by: What to tell apart.
        valid: What of it may be.
        run: Of one recording.
        receiver: Of one competitor's answers.

    Returns:
        Per group: offers, how many were accepted, countered, and ended the negotiation, and the share accepted.

    Raises:
        InputError: if ``by`` names something else.
    """
    columns = grouped_by(by, valid)
    return recordings.ask(
        f"""
        SELECT {columns}, count(*) AS offers, count(*) FILTER (answer = 'accepted') AS accepted,
            count(*) FILTER (answer = 'countered') AS countered, count(*) FILTER (answer = 'ended') AS ended,
            accepted / offers AS share
        FROM ({offers})
        WHERE ($run IS NULL OR run = $run) AND ($receiver IS NULL OR receiver = $receiver)
        GROUP BY {columns} ORDER BY {columns}
        """,
        run=run,
        receiver=receiver,
    )

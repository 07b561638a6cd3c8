"""Questions about competitors: what they lost and why, what became of their needs and of their offers.

A background opponent or a substitute has its role behind its label, as in ``greedy (background)``; see
`scml_gym.analyzer.views.PLAYERS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scml_gym.analyzer.queries.answers import shares_of_answers
from scml_gym.analyzer.queries.columns import grouped_by
from scml_gym.analyzer.sources import Recordings
from scml_gym.core.arguments import whole

if TYPE_CHECKING:
    import pandas as pd


def competitors(recordings: Recordings, run: int | None = None) -> pd.DataFrame:
    """Who plays? A row a competitor, those that are judged first: role, worlds, factories and the mean score."""
    return recordings.ask(
        """
        SELECT competitor, min(role) AS role, count(DISTINCT world) AS worlds, count(*) AS factories,
            avg(score) AS score
        FROM players WHERE $run IS NULL OR run = $run
        GROUP BY competitor ORDER BY min(role) <> 'competitor', competitor
        """,
        run=run,
    )


def losses(recordings: Recordings, run: int | None = None, by: Sequence[str] = ("competitor", "place")) -> pd.DataFrame:
    """What is lost against the hindsight optimum, by cause? Money a factory and day; OneShot only.

    Args:
        recordings: Open.
        run: Of one recording.
        by: What to tell apart: run, competitor, place, role, configuration, day, play.

    Returns:
        Per group: days, profit, hindsight, loss, and its causes untraded, price and excess; see
        `scml_gym.analyzer.views.LOSSES`.

    Raises:
        InputError: if ``by`` names something else.
    """
    columns = grouped_by(by, ("run", "competitor", "place", "role", "configuration", "day", "play"))
    return recordings.ask(
        f"""
        SELECT {columns}, count(*) AS days, avg(profit) AS profit, avg(hindsight) AS hindsight, avg(loss) AS loss,
            avg(untraded) AS untraded, avg(price) AS price, avg(excess) AS excess
        FROM losses WHERE $run IS NULL OR run = $run GROUP BY {columns} ORDER BY {columns}
        """,
        run=run,
    )


def profits(
    recordings: Recordings, run: int | None = None, by: Sequence[str] = ("competitor", "place")
) -> pd.DataFrame:
    """What does the profit consist of? Money a factory and day, of every track; ``by`` as in `losses`."""
    columns = grouped_by(by, ("run", "competitor", "place", "role", "configuration", "day", "play", "level"))
    return recordings.ask(
        f"""
        SELECT {columns}, count(*) AS days, avg(profit) AS profit, avg(revenue) AS revenue, avg(supplies) AS supplies,
            avg(production) AS production, avg(disposal) AS disposal, avg(storage) AS storage,
            avg(shortfall) AS shortfall
        FROM factory_days WHERE $run IS NULL OR run = $run GROUP BY {columns} ORDER BY {columns}
        """,
        run=run,
    )


def worst_days(
    recordings: Recordings, run: int | None = None, competitor: str | None = None, n: int = 20
) -> pd.DataFrame:
    """Which days cost most, and why? The ``n`` days with the greatest loss against the hindsight optimum; OneShot.

    Raises:
        InputError: if ``n`` is no whole number from 1 on.
    """
    return recordings.ask(
        """
        SELECT run, world, day, factory, competitor, place, profit, hindsight, loss, untraded, price, excess, needed,
            left_over, missing, unused
        FROM losses WHERE ($run IS NULL OR run = $run) AND ($competitor IS NULL OR competitor = $competitor)
        ORDER BY loss DESC, run, world, day, factory LIMIT $n
        """,
        run=run,
        competitor=competitor,
        n=whole("n", n),
    )


def needs(recordings: Recordings, run: int | None = None) -> pd.DataFrame:
    """Where did the needs go? Items a day by competitor and place: needed, traded, left untraded, agreed too many;
    null on the middle levels, see `scml_gym.analyzer.views.FACTORY_DAYS`."""
    return recordings.ask(
        """
        SELECT run, competitor, place, count(*) AS days, avg(needed) AS needed, avg(needed - left_over) AS agreed,
            avg(greatest(left_over, 0)) FILTER (left_over IS NOT NULL) AS untraded,
            avg(greatest(-left_over, 0)) FILTER (left_over IS NOT NULL) AS too_many,
            avg(produced) AS produced, avg(missing) AS missing, avg(unused) AS unused
        FROM factory_days WHERE $run IS NULL OR run = $run GROUP BY ALL ORDER BY run, competitor, place
        """,
        run=run,
    )


ACCEPTANCE = ("receiver", "sender", "place", "round", "quantity", "price", "above", "ahead", "run")
"""What `acceptance` may tell apart: who answers, who offers, where the one who answers stands, the round, the offer,
its price less the day's trading price (rounded up), and how many days ahead it is delivered."""


def acceptance(
    recordings: Recordings,
    run: int | None = None,
    by: Sequence[str] = ("receiver", "place", "quantity", "above"),
    receiver: str | None = None,
) -> pd.DataFrame:
    """How often was an offer accepted, by whom, in which round?

    Args:
        recordings: Open.
        run: Of one recording.
        by: What to tell apart, see `ACCEPTANCE`.
        receiver: Of one competitor's answers.

    Returns:
        Per group: offers, how many were accepted, countered, and ended the negotiation, and the share accepted.

    Raises:
        InputError: if ``by`` names something else.
    """
    return shares_of_answers(recordings, _ANSWERED, by, ACCEPTANCE, run, receiver)


_ANSWERED = """
SELECT o.run, o.round, o.quantity, o.price, o.delivery - o.day AS ahead, o.answer, r.competitor AS receiver, r.place,
    s.competitor AS sender,
    o.price - ceil(CASE WHEN o.sender < o.receiver THEN r.input_price ELSE r.output_price END)::INT AS above
FROM offers o
JOIN factory_days r ON (r.run, r.world, r.factory, r.day) = (o.run, o.world, o.receiver, o.day)
JOIN players s ON (s.run, s.world, s.factory) = (o.run, o.world, o.sender)
"""


def partners(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """How do negotiations with each partner end? By competitor, side and partner: negotiations, agreements, items."""
    return recordings.ask(
        """
        WITH pairs AS (
            SELECT run, world, seller, buyer, count(*) AS held, count(*) FILTER (result = 'accepted') AS agreed,
                sum(last_quantity) FILTER (result = 'accepted') AS quantity,
                sum(last_quantity * last_price) FILTER (result = 'accepted') AS money, sum(rounds) AS rounds
            FROM negotiations WHERE $run IS NULL OR run = $run GROUP BY ALL
        ), sides AS (
            SELECT *, seller AS factory, buyer AS partner, 'sells' AS side FROM pairs
            UNION ALL
            SELECT *, buyer AS factory, seller AS partner, 'buys' AS side FROM pairs
        )
        SELECT n.run, f.competitor, n.side, p.competitor AS partner, sum(held) AS negotiations,
            sum(agreed) AS agreements, agreements / negotiations AS share, coalesce(sum(quantity), 0) AS items,
            sum(money) / nullif(items, 0) AS mean_price, sum(rounds) / negotiations AS rounds
        FROM sides n
        JOIN players f ON (f.run, f.world, f.factory) = (n.run, n.world, n.factory)
        JOIN players p ON (p.run, p.world, p.factory) = (n.run, n.world, n.partner)
        WHERE $competitor IS NULL OR f.competitor = $competitor
        GROUP BY ALL ORDER BY n.run, f.competitor, n.side, partner
        """,
        run=run,
        competitor=competitor,
    )


def lost_to(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """To whom did prices go? By partner: what was traded with it, and the money lost against the day's best price;
    OneShot only."""
    return recordings.ask(
        """
        WITH sides AS (
            SELECT run, world, delivery AS day, seller AS factory, buyer AS partner, quantity, price, 1 AS sign
            FROM contracts WHERE nullified IS NOT TRUE
            UNION ALL
            SELECT run, world, delivery AS day, buyer AS factory, seller AS partner, quantity, price, -1 AS sign
            FROM contracts WHERE nullified IS NOT TRUE
        )
        SELECT l.run, l.competitor, l.place, p.competitor AS partner, count(*) AS contracts, sum(s.quantity) AS items,
            sum(s.quantity * s.price) / sum(s.quantity) AS mean_price,
            sum(s.quantity * l.best_price) / sum(s.quantity) AS mean_best_price,
            sum(s.sign * (l.best_price - s.price) * s.quantity) AS price_loss, price_loss / items AS loss_an_item
        FROM sides s
        JOIN losses l USING (run, world, day, factory)
        JOIN players p ON (p.run, p.world, p.factory) = (s.run, s.world, s.partner)
        WHERE ($run IS NULL OR l.run = $run) AND ($competitor IS NULL OR l.competitor = $competitor)
        GROUP BY ALL ORDER BY price_loss DESC, l.run, l.competitor, l.place, partner
        """,
        run=run,
        competitor=competitor,
    )


def offers_made(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """What was offered in which round? By competitor, place and round: offers, mean items, and the mean price less the
    day's trading price (rounded up)."""
    return recordings.ask(
        """
        SELECT o.run, d.competitor, d.place, o.round, count(*) AS offers, avg(o.quantity) AS items,
            avg(o.price - ceil(CASE WHEN o.sender < o.receiver THEN d.output_price ELSE d.input_price END)) AS above,
            count(*) FILTER (answer = 'accepted') / count(*) AS share_accepted
        FROM offers o
        JOIN factory_days d ON (d.run, d.world, d.factory, d.day) = (o.run, o.world, o.sender, o.day)
        WHERE ($run IS NULL OR o.run = $run) AND ($competitor IS NULL OR d.competitor = $competitor)
        GROUP BY ALL ORDER BY ALL
        """,
        run=run,
        competitor=competitor,
    )


def unsafe_acts(
    recordings: Recordings, run: int | None = None, by: Sequence[str] = ("run", "competitor", "place")
) -> pd.DataFrame:
    """How often was more accepted or offered than can be delivered or paid? Of factories that were audited.

    Args:
        recordings: Open.
        run: Of one recording.
        by: What to tell apart: run, competitor, place, role, configuration, play.

    Returns:
        Per group: factories, acts (acceptances and offers), how many were unsafe by each bound, and their share.

    Raises:
        InputError: if ``by`` names something else.
    """
    columns = grouped_by(by, ("run", "competitor", "place", "role", "configuration", "play"))
    return recordings.ask(
        f"""
        SELECT {columns}, count(*) AS factories, sum(s.acts) AS acts, sum(s.unsafe_covered) AS covered,
            sum(s.unsafe_possible) AS possible, sum(s.unsafe_covered) / nullif(sum(s.acts), 0) AS share_covered,
            sum(s.unsafe_possible) / nullif(sum(s.acts), 0) AS share_possible
        FROM seats s WHERE s.acts IS NOT NULL AND ($run IS NULL OR run = $run) GROUP BY {columns} ORDER BY {columns}
        """,
        run=run,
    )

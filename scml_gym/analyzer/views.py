"""Tables that many questions begin with, in SQL over those of a recording."""

from __future__ import annotations

PLAYERS = """
SELECT * REPLACE (
        CASE WHEN role IN ('background', 'substitute') THEN concat(competitor, ' (', role, ')') ELSE competitor END
            AS competitor
    )
FROM factories
"""
"""The factories, with labels that tell judged players from others, as one strategy may be a competitor and a background
opponent of the same tournament, under the same label. In all views and answers a background opponent is called
``greedy (background)``, and a substitute likewise."""

SEATS = """
SELECT f.*, w.game, w.backend, w.seed, w.configuration, w.block, w.play, w.days, w.levels, w.stock, w.horizon,
    w.scenario,
    CASE WHEN w.game = 'bilateral' THEN f.profile WHEN f.level = 0 THEN 'seller'
        WHEN f.level = w.levels - 1 THEN 'buyer' ELSE 'middle' END AS place
FROM players f JOIN worlds w USING (run, world)
"""
"""Every factory of every world, with what is known of the world. ``place`` is seller (the first level), buyer (the last
one) or middle; of a bilateral negotiation the profile."""

FACTORY_DAYS = """
SELECT d.*, s.competitor, s.role, s.level, s.levels, s.lines, s.production_cost, s.shortfall_mean, s.unused_mean,
    s.game, s.configuration, s.block, s.play, s.seed, s.place,
    CASE WHEN place <> 'middle' THEN needed_supplies + needed_sales END AS needed,
    CASE WHEN place <> 'middle' THEN left_supplies + left_sales END AS left_over
FROM days d JOIN seats s USING (run, world, factory)
"""
"""Every factory's days with who plays it; none of a bilateral negotiation, which has no days.

``needed`` and ``left_over`` are null on the middle levels, where the needs of the two sides are opposites of each other
and their sum says nothing; ``needed_supplies`` and the like are there."""

LOSSES = """
WITH ranges AS (
    SELECT * REPLACE (
            coalesce(disposal_cost, unused_mean) AS disposal_cost,
            coalesce(shortfall_penalty, shortfall_mean) AS shortfall_penalty
        ), greatest(1, ceil(CASE WHEN level = 0 THEN output_price ELSE input_price END)) AS ceiling,
        greatest(0, least(lines, exogenous_supply + exogenous_sales)) AS most
    FROM factory_days WHERE game = 'oneshot'
), margins AS (
    SELECT *, CASE WHEN level = 0 THEN ceiling ELSE greatest(1, ceiling - 1) END AS best_price,
        CASE WHEN level = 0 THEN ceiling - production_cost + disposal_cost * input_price
            ELSE exogenous_price - greatest(1, ceiling - 1) - production_cost + shortfall_penalty * output_price
        END AS margin
    FROM ranges
), bests AS (
    SELECT *, CASE WHEN margin > 0 THEN most ELSE 0 END AS best_items,
        CASE WHEN level = 0 THEN -exogenous_supply * (exogenous_price + disposal_cost * input_price)
            ELSE -exogenous_sales * shortfall_penalty * output_price END AS idle_profit
    FROM margins
)
SELECT run, world, day, factory, competitor, role, level, place, configuration, block, play, seed, profit, needed,
    left_over, bought, sold, produced, missing, unused, best_price, best_items,
    best_items * margin + idle_profit AS hindsight,
    best_items * margin + idle_profit - profit AS loss,
    (best_items - produced) * margin AS untraded,
    CASE WHEN level = 0 THEN produced * best_price - revenue ELSE supplies - bought * best_price END AS price,
    CASE WHEN level = 0 THEN shortfall ELSE unused * best_price + disposal END AS excess
FROM bests
"""
"""What every factory's day of OneShot lost against the best that it could have brought, in money and by cause.

The best is that of `scml_gym.oneshot.rewards.hindsight` for a factory with enough cash: all that it needs traded at the
best price of the day's range, or nothing where each item costs more than it brings. ``loss`` has three causes:
``untraded``, items that were not produced and sold; ``price``, what the items traded cost or brought less than at the
best price; ``excess``, items beyond what was needed: a seller's shortfall, a buyer's price and disposal.
Where the day's penalties are not known, as in imported worlds, the means from which they were drawn count.
"""

NEGOTIATIONS = """
SELECT run, world, day, least(sender, receiver) AS seller, greatest(sender, receiver) AS buyer, round + 1 AS rounds,
    answer AS result, sender AS last_sender, quantity AS last_quantity, price AS last_price, outcome AS last_outcome
FROM offers WHERE answer <> 'countered'
"""
"""Every negotiation in which something was offered, by its last offer; ``result`` is how that was answered."""

VIEWS = {
    "players": PLAYERS,
    "seats": SEATS,
    "factory_days": FACTORY_DAYS,
    "losses": LOSSES,
    "negotiations": NEGOTIATIONS,
}
"""By name, each after those that it needs."""

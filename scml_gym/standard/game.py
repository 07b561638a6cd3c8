"""The Standard track as a `Game`; light, so that its ids are known before anything of it is loaded."""

from __future__ import annotations

from scml_gym.game.definition import Column, EntryPoints, Game

AUDIT_COLUMNS = {
    "acts": Column(int, "acceptances and offers"),
    "unsafe_covered": Column(int, "acts beyond what stock and signed supplies cover, or cannot be paid"),
    "unsafe_possible": Column(int, "acts beyond the lines of their day, or today's money"),
    "other_rule_covered": Column(int, "the same under the other stock rule"),
    "other_rule_possible": Column(int, "likewise"),
    "breach_rate": Column(float, "items sold and not delivered, of all items sold"),
    "items_missing": Column(int, "items sold and not delivered"),
}
"""What the safety audit adds to a table of scores; see `scml_gym.standard.safety.audit`."""

STANDARD = Game(
    name="standard",
    summary="SCML Standard: a chain of factories that keep stock and trade up to ten days ahead",
    environments={
        "scml_gym/StandardConcurrent-v0": EntryPoints(
            "scml_gym.standard.envs.concurrent:StandardConcurrentEnv",
            "scml_gym.standard.envs.vector.concurrent:StandardConcurrentVectorEnv",
        ),
        "scml_gym/StandardDaily-v0": EntryPoints(
            "scml_gym.standard.envs.daily:StandardDailyEnv",
            "scml_gym.standard.envs.vector.daily:StandardDailyVectorEnv",
        ),
    },
    parallel_environments={
        name: f"scml_gym.standard.envs.{name}" for name in ("standard_factories_v0", "standard_negotiations_v0")
    },
    backends="scml_gym.standard.envs.config:BACKENDS",
    generators="scml_gym.standard.envs.config:GENERATORS",
    strategies="scml_gym.standard.strategies:STRATEGIES",
    actions="scml_gym.standard.actions:ACTIONS",
    observations="scml_gym.standard.observations:OBSERVATIONS",
    rewards="scml_gym.standard.rewards:REWARDS",
    players="scml_gym.standard.players:player_maker",
    parity="scml_gym.standard.parity:compare_case",
    conservation="scml_gym.standard.conservation:soak",
)

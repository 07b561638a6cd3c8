"""The table of environments."""

from __future__ import annotations

from typing import NamedTuple


class EntryPoints(NamedTuple):
    """Where the single environment of an id stands, and the one that plays many at once."""

    single: str
    vector: str | None = None


ENVIRONMENTS: dict[str, EntryPoints] = {
    "scml_gym/OneShotConcurrent-v0": EntryPoints(
        "scml_gym.oneshot.envs.concurrent:OneShotConcurrentEnv",
        "scml_gym.oneshot.envs.vector.concurrent:OneShotConcurrentVectorEnv",
    ),
    "scml_gym/OneShotBilateral-v0": EntryPoints(
        "scml_gym.oneshot.envs.bilateral:OneShotBilateralEnv",
        "scml_gym.oneshot.envs.vector.bilateral:OneShotBilateralVectorEnv",
    ),
    "scml_gym/BilateralAcceptance-v0": EntryPoints(
        "scml_gym.bilateral.envs.acceptance:BilateralAcceptanceEnv",
        "scml_gym.bilateral.envs.vector.env:BilateralAcceptanceVectorEnv",
    ),
    "scml_gym/Bilateral-v0": EntryPoints(
        "scml_gym.bilateral.envs.offers:BilateralEnv",
        "scml_gym.bilateral.envs.vector.env:BilateralVectorEnv",
    ),
}
"""Gymnasium id -> entry points; nothing is imported before an environment is made."""

PARALLEL_ENVIRONMENTS: dict[str, str] = {
    name: f"scml_gym.oneshot.envs.{name}" for name in ("oneshot_factories_v0", "oneshot_negotiations_v0")
}
"""Name of a PettingZoo environment -> its module, which has ``parallel_env`` and ``env``."""


def register_environments() -> None:
    """Make every environment of the table known to Gymnasium."""
    import gymnasium

    for name, entry_points in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(id=name, entry_point=entry_points.single, vector_entry_point=entry_points.vector)

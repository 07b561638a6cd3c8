"""The table of environments."""

from __future__ import annotations

ENVIRONMENTS: dict[str, str] = {
    "scml_gym/OneShotConcurrent-v0": "scml_gym.envs.oneshot_concurrent:OneShotConcurrentEnv",
    "scml_gym/OneShotBilateral-v0": "scml_gym.envs.oneshot_bilateral:OneShotBilateralEnv",
}
"""Gymnasium id -> entry point; nothing is imported before an environment is made."""


def register_environments() -> None:
    """Make every environment of the table known to Gymnasium."""
    import gymnasium

    for name, entry_point in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(id=name, entry_point=entry_point, vector_entry_point=None)

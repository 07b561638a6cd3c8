"""Bilateral negotiations as a `Game`; light, so that its ids are known before anything of it is loaded."""

from __future__ import annotations

from scml_gym.game.definition import EntryPoints, Game

BILATERAL = Game(
    name="bilateral",
    summary="Bilateral negotiations of alternating offers over a scenario of several issues",
    environments={
        "scml_gym/BilateralAcceptance-v0": EntryPoints(
            "scml_gym.bilateral.envs.acceptance:BilateralAcceptanceEnv",
            "scml_gym.bilateral.envs.vector.env:BilateralAcceptanceVectorEnv",
        ),
        "scml_gym/Bilateral-v0": EntryPoints(
            "scml_gym.bilateral.envs.offers:BilateralEnv",
            "scml_gym.bilateral.envs.vector.env:BilateralVectorEnv",
        ),
    },
    backends="scml_gym.bilateral.envs.config:BILATERAL_BACKENDS",
    generators="scml_gym.bilateral.scenarios:SCENARIOS",
    strategies="scml_gym.bilateral.negotiators:NEGOTIATORS",
    actions="scml_gym.bilateral.envs.codecs:ACTION_CODECS",
    rewards="scml_gym.bilateral.rewards:ACCEPT_REWARDS",
    players="scml_gym.bilateral.envs.config:player_maker",
    record="scml_gym.bilateral.recording:record_world",
    recompute="scml_gym.bilateral.recording:recompute",
    parity="scml_gym.bilateral.parity:compare_case",
)

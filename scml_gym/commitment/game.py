"""Games with commitments as a `Game`."""

from __future__ import annotations

from scml_gym.game.definition import Game

COMMITMENT = Game(
    name="commitment",
    summary="Small games of mixed interests, in which agents propose and commit before they act",
    generators="scml_gym.commitment:MARKOV_GAMES",
)

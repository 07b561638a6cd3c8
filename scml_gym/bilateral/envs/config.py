"""BilateralConfig: the negotiations that a bilateral environment plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.bilateral.negotiators import NEGOTIATORS
from scml_gym.bilateral.negotiators.base import TableStrategy, make_table
from scml_gym.bilateral.scenarios import Scenario, load_scenario, random_scenario
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation
from scml_gym.core.arguments import flag, whole
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import Registry, parse_parameters
from scml_gym.game.world import PlayerMaker

MOST_ROUNDS = 1_000_000
"""Of a negotiation."""

BILATERAL_BACKENDS = Registry("backend")
BILATERAL_BACKENDS.register("compiled", "scml_gym.bilateral.worlds.table_world:TableWorld")
BILATERAL_BACKENDS.register("reference", "scml_gym.bilateral.worlds.negmas_world:NegmasWorld")

Opponent = str | TableStrategy | Callable[..., Any]
"""A name, a strategy, or, in the reference backend, a class of negmas negotiators."""


@dataclass(frozen=True)
class RandomScenarios:
    """A scenario drawn anew for each episode; see `scml_gym.bilateral.scenarios.random_scenario`.

    Attributes:
        issues: Fewest and most issues.
        values: Fewest and most values of an issue.

    Raises:
        InputError: if a range is empty or begins below 1.
    """

    issues: tuple[int, int] = (2, 4)
    values: tuple[int, int] = (2, 5)

    def __post_init__(self) -> None:
        self.draw(0)

    @property
    def most_outcomes(self) -> int:
        """Outcomes of the largest one."""
        return self.values[1] ** self.issues[1]

    def draw(self, seed: int) -> Scenario:
        """The scenario of an episode's seed."""
        return random_scenario(np.random.default_rng(seed), self.issues, self.values)


AnyScenario = str | Path | Scenario | RandomScenarios | Mapping[str, Any]


class BilateralConfig:
    """Which negotiations are played: the arguments that all bilateral environments share.

    Args:
        scenario: Name of a registered scenario, path of a file or folder, or a `Scenario`; ``"random"``, a
            `RandomScenarios` or its attributes as a mapping for one that is drawn anew for each episode.
        profile: Which of its two profiles is the learner's, 0 (England, party1) or 1 (Zimbabwe, party2); the opponent
            has the other one.
        opponent: A name of ``NEGOTIATORS``, with a parameter replaced as ``"boulware?exponent=3"``; a `TableStrategy`;
            or, in the reference backend, a class of negmas negotiators or its ``"module:Name"``.
        rounds: Of one move of each side, T; 2 to `MOST_ROUNDS`.
        opponent_first: Whether the opponent opens each round, so that the learner has the last move.
        bids: Prepares the learner's bids: as ``opponent``, but never a negmas negotiator. None for a learner that makes
            its own.

    Raises:
        InputError: for an unknown name or a value of the wrong form.
    """

    def __init__(
        self,
        scenario: AnyScenario,
        profile: int,
        opponent: Opponent,
        rounds: int,
        opponent_first: bool,
        bids: Opponent | None = None,
    ):
        rounds, opponent_first = whole("rounds", rounds, 2, MOST_ROUNDS), flag("opponent_first", opponent_first)
        profile = whole("profile", profile, least=0, most=1)
        player = find_player("opponent", opponent)
        bidder = None if bids is None else find_player("bids", bids)
        if bidder is not None and not isinstance(bidder, Bidder):
            raise InputError(f"bids={bids!r} is no strategy over tables", "bids")
        self._make = partial(_negotiation, profile, rounds, opponent_first, player, bidder)
        self._source = find_scenario(scenario)
        if isinstance(self._source, Scenario) and len(self._source.profiles) != 2:
            raise InputError(f"scenario {self._source.name!r} has {len(self._source.profiles)} profiles; valid: 2")
        self._fixed = self._make(self._source) if isinstance(self._source, Scenario) else None

    @property
    def most_outcomes(self) -> int:
        """Outcomes of the largest scenario that may be played."""
        return self._source.n_outcomes if isinstance(self._source, Scenario) else self._source.most_outcomes

    def negotiation(self, seed: int) -> Negotiation:
        """What an episode with that seed plays; the same object where nothing but the draws differs."""
        if self._fixed is not None:
            return self._fixed
        assert isinstance(self._source, RandomScenarios)
        return self._make(self._source.draw(seed))


def acceptance_config(
    scenario: AnyScenario, profile: int, opponent: Opponent, rounds: int, opponent_first: bool, bids: Opponent
) -> BilateralConfig:
    """The environment config of a learner that decides when to accept, so that a strategy must make its offers.

    Raises:
        InputError: as `BilateralConfig`, and where there is no such strategy.
    """
    if bids is None:
        raise InputError("bids=None; valid: a strategy over tables, which makes the learner's offers", "bids")
    return BilateralConfig(scenario, profile, opponent, rounds, opponent_first, bids)


def _negotiation(
    profile: int, rounds: int, opponent_first: bool, opponent: Any, bids: Bidder | None, scenario: Scenario
) -> Negotiation:
    own, other = (make_table(scenario.utilities(side), scenario.shape) for side in (profile, 1 - profile))
    return Negotiation(scenario, profile, (own, other), rounds, opponent_first, opponent, bids)


def find_scenario(scenario: AnyScenario) -> Scenario | RandomScenarios:
    """What the argument of that name stands for; see `BilateralConfig`.

    Raises:
        InputError: if there is no such scenario, or it is of the wrong form.
    """
    if isinstance(scenario, Scenario | RandomScenarios):
        return scenario
    if isinstance(scenario, str) and scenario == "random":
        return RandomScenarios()
    pairs = {}
    if isinstance(scenario, Mapping):
        unknown = scenario.keys() - {"issues", "values"}
        if unknown:
            name = min(unknown, key=str)
            raise InputError(f"scenario: unknown key {name!r}{nearest(name, ('issues', 'values'))}", "scenario")
        pairs = {key: tuple(value) if isinstance(value, list) else value for key, value in scenario.items()}
    try:
        return RandomScenarios(**pairs) if isinstance(scenario, Mapping) else load_scenario(scenario)
    except InputError as error:
        raise InputError(f"scenario: {error}", "scenario") from None


def find_player(argument: str, player: Opponent) -> Any:
    """Who plays a side.

    Args:
        argument: Name of the argument, for messages.
        player: See `BilateralConfig`.

    Returns:
        A `Bidder`, or a class of negmas negotiators.

    Raises:
        InputError: if the name is unknown, or stands for something else.
    """
    found, overrides = player, {}
    if isinstance(player, str):
        name, _, query = player.partition("?")
        try:
            found, overrides = NEGOTIATORS.get(name), parse_parameters(player, query)
        except InputError as error:
            raise InputError(f"{argument}: {error}", argument) from None
    if isinstance(found, TableStrategy):
        found.parameter_array(overrides)  # refuse a misspelt parameter now
        return Bidder(found, overrides)
    if isinstance(found, type) and not overrides:
        from negmas.gb.negotiators.base import GBNegotiator

        if issubclass(found, GBNegotiator):  # negmas' common class of all that play in its mechanism
            return found
    raise InputError(
        f"{argument}={player!r} is neither a strategy over tables nor a class of negmas negotiators", argument
    )


def player_maker(name: str) -> PlayerMaker:
    """What makes the players of a name of ``NEGOTIATORS``; see `find_player`.

    Raises:
        InputError: if the name is unknown, or stands for something else.
    """
    player = find_player("player", name)
    return lambda seed: player

"""AcceptanceRows: many acceptance problems that differ, in one batch of arrays, for studies."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scml_gym.bilateral.envs.codecs import ACCEPTANCE
from scml_gym.bilateral.envs.config import AnyScenario, BilateralConfig, Opponent, acceptance_config
from scml_gym.bilateral.envs.vector.batch import NegotiationBatch, Row
from scml_gym.bilateral.rewards import RewardPart, make_reward
from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError
from scml_gym.vector.env import read_actions
from scml_gym.vector.seeds import SeedStreams


@dataclass(frozen=True)
class AcceptanceRow:
    """What one row plays: the arguments of `scml_gym.bilateral.envs.acceptance.BilateralAcceptanceEnv`, all given."""

    scenario: AnyScenario
    profile: int
    opponent: Opponent
    rounds: int
    opponent_first: bool
    accept_reward: str | RewardPart
    offer_reward: str | RewardPart
    failure_penalty: float
    bids: Opponent = "AgentK"


class RowsStep(NamedTuple):
    """What a step of `AcceptanceRows` brings, row by row; the arrays are the caller's to keep.

    The last five say how the negotiations ended in the rows that are done, and hold anything in the others.
    """

    observations: np.ndarray  # float32 (n, 2): in rows that are done the first of the next negotiation
    rewards: np.ndarray  # float64 (n,)
    done: np.ndarray  # bool (n,)
    final_observations: np.ndarray  # float32 (n, 2): as observations, but in rows that are done the last
    utility: np.ndarray  # float64 (n,): of the agreement to the learner; 0 without one
    opponent_utility: np.ndarray  # float64 (n,)
    agreement: np.ndarray  # bool (n,)
    round: np.ndarray  # int64 (n,): in which it ended, from 1
    accepted_by: np.ndarray  # int64 (n,): LEARNER, OPPONENT or NOBODY of scml_gym.bilateral.view


class AcceptanceRows(Independent):
    """Negotiations in which the learner decides when to accept; each row is the single environment with its arguments.

    A row whose negotiation ends starts its next one in the same step. Row ``i`` is ``BilateralAcceptance-v0`` reset
    with ``seeds[i]``, to the last bit, and its later negotiations are those of unseeded resets.
    A copy plays on by itself.

    Args:
        rows: One for each.

    Example:
        >>> import numpy as np
        >>> row = AcceptanceRow("EnglandZimbabwe", 0, "boulware", 100, True, "a", "b", 0.0)
        >>> rows = AcceptanceRows([row, row])
        >>> rows.reset([1, 2]).shape
        (2, 2)
        >>> rows.step(np.array([0, 1])).done.tolist()
        [False, True]

    Raises:
        InputError: if there is no row, or one has a value that the single environment refuses.
    """

    def __init__(self, rows: Sequence[AcceptanceRow]):
        if not rows:
            raise InputError("rows: none given")
        settings: dict[tuple[object, ...], BilateralConfig] = {}
        made = []
        for row in rows:
            sides = [p if isinstance(p, str) else id(p) for p in (row.scenario, row.opponent, row.bids)]
            key = (*sides, *map(repr, (row.profile, row.rounds, row.opponent_first)))  # True is not 1
            if key not in settings:
                settings[key] = acceptance_config(
                    row.scenario, row.profile, row.opponent, row.rounds, row.opponent_first, row.bids
                )
            reward = make_reward(row.accept_reward, row.offer_reward, row.failure_penalty)
            made.append(Row(settings[key].negotiation, reward))
        self.n_rows = len(made)
        self._batch = NegotiationBatch(ACCEPTANCE, made)
        self._all = np.arange(self.n_rows)
        self._seeds: SeedStreams | None = None

    def reset(self, seeds: Sequence[int]) -> np.ndarray:
        """Begin in every row; returns the observations, float32, shape ``(n, 2)``: utility of the standing offer, time.

        Raises:
            InputError: if there is not one seed for each row.
        """
        given = len(seeds) if isinstance(seeds, Sized) else "no list of"
        if given != self.n_rows:
            raise InputError(f"{given} seeds for {self.n_rows} rows")
        self._seeds = SeedStreams(seeds)
        results = self._batch.new_results()
        self._batch.reset(self._all, self._seeds.draw(self._all), results)
        return results.observations

    def step(self, actions: np.ndarray) -> RowsStep:
        """Offer (0) or accept (1) in every row.

        Args:
            actions: Integers, shape ``(n,)``.

        Raises:
            InputError: before ``reset``, if an action is neither, or there is not one for each row.
        """
        if self._seeds is None:
            raise InputError("call reset before step")
        actions = read_actions(actions, np.int64, (self.n_rows,))
        results = self._batch.new_results()
        self._batch.step(actions, self._all, results)
        step = RowsStep(
            results.observations,
            results.rewards,
            results.done,
            results.observations,
            *self._endings(),
        )
        ended = np.flatnonzero(results.done)
        if len(ended):
            step = step._replace(final_observations=results.observations.copy())
            self._batch.reset(ended, self._seeds.draw(ended), results)
        return step

    def _endings(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        views = self._batch.views
        utilities = views["utility"].copy(), views["opponent_utility"].copy()
        return *utilities, views["agreement"] >= 0, views["step"] + 1, views["accepted_by"].copy()

    def action_masks(self) -> np.ndarray:
        """Which actions are valid, bool, shape ``(n, 2)``: Accept is not before the opponent's first offer.

        Raises:
            InputError: before ``reset``.
        """
        if self._seeds is None:
            raise InputError("call reset before action_masks")
        return np.stack([np.ones(self.n_rows, dtype=np.bool_), self._batch.views["offer"] >= 0], axis=1)

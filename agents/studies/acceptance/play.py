"""Learning and judging: negotiations for the batched DQN, and those that a network or a rule is judged by."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from scml_gym.agents.dqn_batch import QNetworks
from scml_gym.bilateral.envs.acceptance import BilateralAcceptanceEnv
from scml_gym.bilateral.envs.config import BilateralConfig
from scml_gym.bilateral.envs.vector.acceptance_rows import AcceptanceRow, AcceptanceRows
from scml_gym.bilateral.worlds.table_world import play

ACCEPT = 1
"""The action."""


class Outcomes(NamedTuple):
    """How negotiations ended, arrays of shape ``(n, negotiations)``."""

    utility: np.ndarray
    opponent_utility: np.ndarray
    agreement: np.ndarray
    round: np.ndarray
    accepted_by: np.ndarray


class LearningRows:
    """The same problem once for each network, as `scml_gym.agents.dqn_batch.Rows`; it keeps how late negotiations went.

    Args:
        row: The problem.
        seeds: Of each network's environment.
        late: Steps after which a negotiation that ends is counted.
    """

    n_inputs = 2
    n_actions = 2

    def __init__(self, row: AcceptanceRow, seeds: Sequence[int], late: int):
        self._rows = AcceptanceRows([row] * len(seeds))
        self._seeds = seeds
        self._masked = not row.opponent_first
        self._left = late
        self._count, self._utility, self._agreed = np.zeros((3, len(seeds)))

    def reset(self) -> np.ndarray:
        """See `scml_gym.agents.dqn_batch.Rows`."""
        return self._rows.reset(self._seeds)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `scml_gym.agents.dqn_batch.Rows`."""
        result = self._rows.step(actions)
        self._left -= 1
        if self._left < 0:
            self._count += result.done
            self._utility += np.where(result.done, result.utility, 0.0)
            self._agreed += result.done & result.agreement
        return result.observations, result.rewards, result.done

    def masks(self) -> np.ndarray | None:
        """Accept is masked before the opponent's first offer, which there is only where the learner opens."""
        return self._rows.action_masks() if self._masked else None

    def late_utility(self) -> np.ndarray:
        """Mean utility of the late negotiations of each network, with the exploration that is left; NaN for none."""
        return np.divide(self._utility, self._count, out=np.full(len(self._count), np.nan), where=self._count > 0)

    def late_agreement(self) -> np.ndarray:
        """Which share of them ended in an agreement."""
        return np.divide(self._agreed, self._count, out=np.full(len(self._count), np.nan), where=self._count > 0)


@torch.no_grad()
def judge(networks: QNetworks, row: AcceptanceRow, seeds: np.ndarray) -> Outcomes:
    """Let networks negotiate, always taking the action of the highest value.

    Args:
        networks: ``n`` of them.
        row: What they play.
        seeds: Integers ``(n, negotiations)``, each of one negotiation.
    """
    rows = AcceptanceRows([row] * seeds.size)
    observations = rows.reset(seeds.ravel().tolist())
    found = Outcomes(*(np.zeros(seeds.size, dtype=kind) for kind in (float, float, bool, np.int64, np.int64)))
    running = np.ones(seeds.size, dtype=np.bool_)
    while running.any():
        values = networks.values(torch.from_numpy(observations).view(*seeds.shape, -1)).numpy().reshape(seeds.size, -1)
        result = rows.step(np.where(rows.action_masks(), values, -np.inf).argmax(1))
        ended = running & result.done
        for name, array in found._asdict().items():
            array[ended] = getattr(result, name)[ended]
        running &= ~ended
        observations = result.observations
    return Outcomes(*(array.reshape(seeds.shape) for array in found))


def judge_rule(row: AcceptanceRow, rule: str, seeds: np.ndarray) -> Outcomes:
    """Let a strategy negotiate that accepts by itself.

    Args:
        row: What it plays; the strategy named there does not bid.
        rule: A strategy by name.
        seeds: Integers ``(n, negotiations)``, each of one negotiation.
    """
    config = BilateralConfig(row.scenario, row.profile, row.opponent, row.rounds, row.opponent_first, rule)
    views = play(config.negotiation(0), seeds.ravel())
    ends = (
        views["utility"],
        views["opponent_utility"],
        views["agreement"] >= 0,
        views["step"] + 1,
        views["accepted_by"],
    )
    return Outcomes(*(np.array(array).reshape(seeds.shape) for array in ends))


@torch.no_grad()
def record_judged(networks: QNetworks, row: AcceptanceRow, seeds: np.ndarray, folder: Path) -> None:
    """Let networks negotiate as in `judge`, one negotiation after the other, and record it.

    Args:
        networks: ``n`` of them.
        row: What they play.
        seeds: Integers ``(n, negotiations)``, each of one negotiation.
        folder: Of the recording; one that is there is replaced.
    """
    shutil.rmtree(folder, ignore_errors=True)
    env = BilateralAcceptanceEnv(**{field.name: getattr(row, field.name) for field in fields(row)}, recording=folder)
    for network, own in enumerate(seeds):
        for seed in own.tolist():
            observation, info = env.reset(seed=seed)
            done = False
            while not done:
                values = networks.values(torch.from_numpy(observation).repeat(len(seeds), 1, 1))[network, 0].numpy()
                action = int(np.where(info["action_mask"] > 0, values, -np.inf).argmax())
                observation, _, done, _, info = env.step(action)

"""Whole worlds played by a hierarchy that explores, several side by side, and what it learns from of them.

Worlds are those of a `scml_gym.standard.envs.config.StandardConfig`. In self-play some of the other factories are
played by past copies, which answer without exploring. An agent is a negotiation's partner: its decisions follow each
other from day to day, and what the factory earns between two of them is what the first one is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from scml_gym.agents.hrl_xf.hierarchy import Decided, Exploring, Hierarchy, Seat
from scml_gym.standard.envs.config import StandardConfig


class Episode(NamedTuple):
    """What a factory did in a world.

    Attributes:
        decided: Its decisions.
        days: On which they were taken.
        rewards: What was earned from each to the next, in initial balances, float64 ``(decisions,)``.
        told: The world's summary of the factory.
    """

    decided: list[Decided]
    days: list[int]
    rewards: np.ndarray
    told: dict[str, Any]


@dataclass(frozen=True)
class Past:
    """Past copies as opponents.

    Attributes:
        copies: Of the hierarchy; possibly none.
        share: Of the other factories that one of them plays, each drawn by itself.
    """

    copies: Sequence[Hierarchy] = ()
    share: float = 0.0


class _World:
    """A world that is played."""

    def __init__(self, hierarchy: Hierarchy, config: StandardConfig, seed: int, past: Past, led: bool):
        sample = config.sample(seed)
        (self.own,) = sample.factories
        who, draws = {self.own: hierarchy}, np.random.default_rng((seed, 1))
        for i in range(len(sample.players)):
            taken, which = draws.random() < past.share, int(draws.integers(1 << 30))
            if taken and past.copies and i != self.own:
                who[i] = past.copies[which % len(past.copies)]
        players = [None if i in who else player for i, player in enumerate(sample.players)]
        self.world = config.new_world(replace(sample, players=players, factories=tuple(sorted(who))))
        self.seats = {i: (played_by, Seat(played_by, led and i == self.own)) for i, played_by in who.items()}
        self.decided: list[Decided] = []
        self.days, self.rewards, self._settled = list[int](), list[float](), 0
        self.world.start()
        for i, (_, seat) in self.seats.items():
            seat.begin(self.world.view(i))
        self._end_days()

    def step(self, decided: dict[int, Decided]) -> None:
        """Answer for the factories that are due."""
        if self.own in decided:
            self.decided.append(decided[self.own])
            self.days.append(int(self.world.view(self.own)["day"]))
            self.rewards.append(0.0)
        self.world.step({i: one.answers for i, one in decided.items()})
        self._end_days()

    def _end_days(self) -> None:
        for i, (_, seat) in self.seats.items():
            for last in self.world.closed_days(i):
                seat.end_day(last)
        earned = self.world.profits[self.own, self._settled : self.world.day].sum()
        self._settled = self.world.day
        if self.rewards:
            self.rewards[-1] += float(earned) / float(self.world.spec.initial_balance[self.own])

    def episode(self) -> Episode:
        """What came of it."""
        return Episode(self.decided, self.days, np.array(self.rewards), self.world.summary(self.own))


def play(
    hierarchy: Hierarchy,
    config: StandardConfig,
    seeds: Sequence[int],
    exploring: Exploring | None = None,
    past: Past | None = None,
) -> list[Episode]:
    """Play worlds to their ends, side by side.

    Args:
        hierarchy: In the learner's seat.
        config: Of the worlds.
        seeds: Of each world.
        exploring: How the hierarchy draws; None for its likeliest answers.
        past: Who else plays.
    """
    led = 0 if exploring is None else round(exploring.led * len(seeds))
    worlds = [_World(hierarchy, config, seed, past or Past(), i < led) for i, seed in enumerate(seeds)]
    while due := [(one, i) for one in worlds for i in one.world.pending]:
        answers: dict[int, dict[int, Decided]] = {}
        for played_by in {id(h): h for one, i in due for h in (one.seats[i][0],)}.values():
            own = [(one, i) for one, i in due if one.seats[i][0] is played_by]
            seats, views = [one.seats[i][1] for one, i in own], [one.world.view(i) for one, i in own]
            decided = played_by.decide(seats, views, exploring if played_by is hierarchy else None)
            for (one, i), what in zip(own, decided, strict=True):
                answers.setdefault(id(one), {})[i] = what
        for one in worlds:
            if id(one) in answers:
                one.step(answers[id(one)])
    return [one.episode() for one in worlds]


def advantages(
    rewards: np.ndarray, values: np.ndarray, due: np.ndarray, last: np.ndarray, gamma: float, trace: float
) -> np.ndarray:
    """Generalised advantages of agents that decide at some of a factory's decisions only, float64 ``(steps, agents)``.

    Args:
        rewards: From each decision of the factory to its next, ``(steps,)``.
        values: What agents expect, ``(steps, agents)``; read where they are due.
        due: Who decides, bool ``(steps, agents)``.
        last: Which decisions are the last ones of their worlds, bool ``(steps,)``.
        gamma: Discount from a decision of an agent to its next.
        trace: Lambda.
    """
    found, (running, following, earned) = np.zeros(values.shape), np.zeros((3, values.shape[1]))
    for step in range(len(rewards) - 1, -1, -1):
        if last[step]:
            running[:], following[:], earned[:] = 0.0, 0.0, 0.0
        earned += rewards[step]
        now = due[step]
        running[now] = (earned + gamma * (following + trace * running) - values[step])[now]
        found[step, now], following[now], earned[now] = running[now], values[step, now], 0.0
    return found


def scores(episodes: Sequence[Episode]) -> dict[str, float]:
    """What the worlds tell, as means."""
    told = {name: float(np.mean([e.told[name] for e in episodes])) for name in ("score", "agreements", "bankrupt")}
    alphas = np.concatenate([np.tanh(one.raw) for e in episodes for one in e.decided] or [np.zeros(1)])
    return told | {"alpha": float(alphas.mean()), "alpha_deviation": float(alphas.std())}

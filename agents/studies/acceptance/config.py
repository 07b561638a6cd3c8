"""What a study of acceptance strategies is made of; the only home of the values is configs/study/."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import Field, NonNegativeInt, field_validator, model_validator

from scml_gym.agents.dqn_batch.hyperparameters import DQNBatchHyperparameters
from scml_gym.bilateral.envs.config import BilateralConfig, find_player
from scml_gym.bilateral.envs.vector.acceptance_rows import AcceptanceRow
from scml_gym.bilateral.rewards import make_reward
from scml_gym.bilateral.scenarios import SCENARIOS
from scml_gym.bilateral.worlds.protocol import Bidder
from scml_gym.core.config import Config
from scml_gym.core.errors import InputError


class Problem(Config):
    """A negotiation, but for the opponent; see `scml_gym.bilateral.envs.config.BilateralConfig`.

    Attributes:
        scenario: Name or path.
        profile: The learner's, 0 or 1.
        rounds: Of one move of each side.
        opponent_first: Whether the opponent opens each round.
    """

    scenario: str
    profile: int
    rounds: int
    opponent_first: bool


class Rewards(Config):
    """The parts of which each combination is a run, each by the names of equations (3) and (4).

    Attributes:
        accept: For an agreement.
        offer: For refusing an offer.
        failure_penalty: At an end without agreement; 0 or below.
    """

    accept: list[str] = Field(min_length=1)
    offer: list[str] = Field(min_length=1)
    failure_penalty: list[float] = Field(min_length=1)

    @field_validator("accept", "offer", "failure_penalty")
    @classmethod
    def _each_once(cls, values: list[Any]) -> list[Any]:
        return _different(values)


class Reward(Config):
    """One combination."""

    accept: str
    offer: str
    failure_penalty: float


class AcceptanceConfig(Config):
    """See `scml_gym.agents.studies.acceptance.study.AcceptanceStudy`.

    Attributes:
        seed: The one seed that everything random comes from.
        trainings: Networks of each run, 4 or more.
        negotiations: With which each network, and each of as many repetitions of a rule, is judged.
        bids: The strategy that makes the learner's offers.
        train: The problem that is learnt.
        train_opponents: Letter for labels -> the opponent that is trained against.
        test: The problem in which the networks are judged.
        test_opponent: And against whom.
        rewards: Of the runs.
        previous: The reward of the baseline, trained like the runs.
        rules: Label -> strategy that makes offers and accepts by itself, judged beside the networks.
        floor: The label of the rule that never accepts.
        own: The label of the rule that is the bidding strategy's own acceptance.
        significance: Level of the tests.
        dqn: Of all trainings.
    """

    seed: NonNegativeInt
    trainings: int = Field(ge=4)
    negotiations: int = Field(ge=2)
    bids: str
    train: Problem
    train_opponents: dict[str, str] = Field(min_length=1)
    test: Problem
    test_opponent: str
    rewards: Rewards
    previous: Reward
    rules: dict[str, str]
    floor: str
    own: str
    significance: float = Field(gt=0, lt=1)
    dqn: DQNBatchHyperparameters

    @field_validator("train_opponents")
    @classmethod
    def _letters(cls, opponents: dict[str, str]) -> dict[str, str]:
        if not all(key.isalpha() for key in opponents):
            raise ValueError(f"keys {list(opponents)}; valid: letters, which stand in the labels of runs")
        _different(list(opponents.values()))
        return opponents

    @model_validator(mode="after")
    def _known_rules(self) -> Self:
        for name in (self.floor, self.own):
            if name not in self.rules:
                raise ValueError(f"floor and own are among the rules ({', '.join(self.rules)}), {name!r} is not")
        return self

    def check(self) -> None:
        """Make each kind of negotiation once.

        Raises:
            InputError: if a scenario, strategy, reward or number is not valid, with its key path.
        """
        strategies = {f"train_opponents.{letter}": opponent for letter, opponent in self.train_opponents.items()}
        strategies |= {f"rules.{label}": rule for label, rule in self.rules.items()}
        for where, name in ({"bids": self.bids, "test_opponent": self.test_opponent} | strategies).items():
            if not isinstance(find_player(where, name), Bidder):
                raise InputError(
                    f"{where}: {name!r} plays in the reference backend only; valid: a strategy over tables"
                )
        _check("train", self.train, self.bids, self.bids)
        for letter, opponent in self.train_opponents.items():
            _check(f"train_opponents.{letter}", self.train, opponent, self.bids)
        _check("test", self.test, self.test_opponent, self.bids)
        for label, rule in self.rules.items():
            _check(f"rules.{label}", self.test, self.test_opponent, rule)
        for run in self.runs():
            where = "previous" if run.previous else "rewards"
            try:
                make_reward(run.reward.accept, run.reward.offer, run.reward.failure_penalty)
            except InputError as error:
                raise InputError(f"{where}: {error}", where) from error
            if not re.fullmatch(r"[\w.-]+", run.label):
                raise InputError(
                    f"rewards: {run.label!r} is no label of a run: name a reward by letters and digits", "rewards"
                )
        labels = [run.label for run in self.runs()]
        for label in [*labels, *self.rules]:
            if [*labels, *self.rules].count(label) > 1:
                raise InputError(
                    f"rewards: {label!r} is the label of two; valid: runs and rules with different labels",
                    "rewards",
                )

    def files(self) -> dict[str, Path]:
        """The scenarios that are no names: key path -> file or folder."""
        problems = {"train.scenario": self.train, "test.scenario": self.test}
        return {k: Path(p.scenario) for k, p in problems.items() if p.scenario not in (*SCENARIOS, "random")}

    def runs(self) -> list[StudyRun]:
        """What is trained: every combination of opponent and rewards, then the baseline for each opponent."""
        parts = self.rewards
        combinations = [
            Reward(accept=a, offer=o, failure_penalty=p)
            for a, o, p in product(parts.accept, parts.offer, parts.failure_penalty)
        ]
        runs = [
            StudyRun(f"{letter}{_short(r.accept)}{_short(r.offer)}-{abs(r.failure_penalty):g}", opponent, r, False)
            for letter, opponent in self.train_opponents.items()
            for r in combinations
        ]
        return runs + [
            StudyRun(f"{k}-previous", opponent, self.previous, True) for k, opponent in self.train_opponents.items()
        ]

    def train_row(self, run: StudyRun) -> AcceptanceRow:
        """What a network of a run learns in."""
        return self._row(self.train, run.opponent, run.reward)

    def test_row(self) -> AcceptanceRow:
        """What it is judged in; the rewards do not count there."""
        return self._row(self.test, self.test_opponent, self.previous)

    def _row(self, problem: Problem, opponent: str, reward: Reward) -> AcceptanceRow:
        return AcceptanceRow(
            scenario=problem.scenario,
            profile=problem.profile,
            opponent=opponent,
            rounds=problem.rounds,
            opponent_first=problem.opponent_first,
            accept_reward=reward.accept,
            offer_reward=reward.offer,
            failure_penalty=reward.failure_penalty,
            bids=self.bids,
        )


class StudyRun(NamedTuple):
    """What is trained several times: label as in the paper's figure 1, opponent, reward, whether it is the baseline."""

    label: str
    opponent: str
    reward: Reward
    previous: bool


def _short(reward: str) -> str:
    """A reward in a label: of ``module:Name`` the name."""
    return re.sub(r"[^\w.-]+", "_", reward.rpartition(":")[2])


def _different(values: Sequence[Any]) -> Any:
    for value in values:
        if list(values).count(value) > 1:
            raise ValueError(f"{value!r} is given twice; valid: different ones")
    return values


def _check(where: str, problem: Problem, opponent: str, bids: str) -> None:
    try:
        BilateralConfig(problem.scenario, problem.profile, opponent, problem.rounds, problem.opponent_first, bids)
    except InputError as error:
        raise InputError(f"{where}: {error}", where) from error

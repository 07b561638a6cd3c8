"""The study of commitment: every method in every game, all seeds of a run learning as one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scml_gym.agents import AGENTS
from scml_gym.agents.commitment.learner import GameLearner, game_of, learning
from scml_gym.agents.commitment.rollout import Policies, play
from scml_gym.agents.studies.commitment.config import GameOfStudy, MethodOfStudy, StudyConfig
from scml_gym.agents.studies.commitment.report import report
from scml_gym.commitment.base import MarkovGame, one_hot
from scml_gym.core.config import ConfigError, find_config, merge, read_yaml, validate
from scml_gym.core.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from scml_gym.evaluation.studies.study import Tables

STUBBORN_EPISODES = 500


class CommitmentStudy:
    """A `scml_gym.evaluation.studies.study.Study`; a run is a method in a game.

    Args:
        config: Of the study file.
    """

    def __init__(self, config: StudyConfig) -> None:
        self.config = config
        self._runs = {
            f"{method}.{game}": (method, game)
            for game in config.games
            for method, about in config.methods.items()
            if about.only is None or game in about.only
        }
        for name, about in config.games.items():
            _check_game(name, about)
        for name, about in config.methods.items():
            _check_method(name, about, config.games)
        if not self._runs:
            raise ConfigError(("methods",), "no method plays any game, so that there is nothing to compute")
        self._learners = {run: self._learner(run) for run in self._runs}
        most = max(learner.game.agents for learner in self._learners.values())
        self._columns = ("welfare", *(f"return_{agent}" for agent in range(most)), "agreement")

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """A study of the config in its file.

        Raises:
            InputError: if a key is unknown or a value is not valid, in the study or in a learner's config.
        """
        return cls(validate(StudyConfig, config))

    def runs(self) -> Mapping[str, int]:
        """The updates of each run."""
        return {run: learner.hyperparameters.updates for run, learner in self._learners.items()}

    def _learner(self, run: str) -> Any:
        method, game = self._runs[run]
        about, played = self.config.methods[method], self.config.games[game]
        agent = merge(read_yaml(find_config("agent", about.agent)), played.agent)
        agent = merge(merge(agent, about.hyperparameters), about.games.get(game, {}))
        learner = AGENTS.get(about.agent)
        try:
            return learner(
                validate(learner.hyperparameters_class, agent, "agent").shortened(self.config.share), played.env
            )
        except ConfigError as error:
            raise ConfigError(("methods", method), f"in {game}: {error}") from None

    def compute(self, run: str, advance: Callable[[int], None]) -> Tables:
        """Learn with all seeds; curves, policies at the end, and play against stubborn co-players.

        Curves have a column for the return of each agent of the game with most; None where a game has fewer.
        """
        learner = self._learners[run]
        method_name, game_name = self._runs[run]
        hyperparameters, game = learner.hyperparameters, learner.game
        first = self.config.first_seed
        rngs = [np.random.default_rng(first + index) for index in range(self.config.seeds)]
        method = learner.method_class(hyperparameters, game, rngs)
        where = {"method": method_name, "game": game_name}
        curves: list[dict[str, Any]] = []
        before = 0
        for done, decisions, row in learning(method, hyperparameters, game):
            advance(done - before)
            before = done
            for index in range(self.config.seeds):
                place = {"seed": first + index, "updates": done, "decisions": decisions}
                numbers = {name: round(float(row[name][index]), 4) if name in row else None for name in self._columns}
                curves.append(where | place | numbers)
        policies = [where | row._asdict() | {"seed": first + row.seed} for row in method.policy_rows()]
        defection = self.config.games[game_name].defection
        met = against_stubborn(method, game, defection) if defection is not None else []
        stubborn = [where | row | {"seed": first + row["seed"]} for row in met]
        return {"curves": curves, "policies": policies, "stubborn": stubborn}

    def report(self, tables: Mapping[str, pd.DataFrame], origin: str) -> Mapping[str, str | bytes]:
        """The page, its tables and figures."""
        return report(self.config, tables, origin)


def _check_game(name: str, about: GameOfStudy) -> None:
    try:
        game = game_of(about.env)
    except ConfigError as error:
        raise ConfigError(("games", name), str(error)) from None
    wrong = [action for action in about.defection or () if action >= game.actions]
    if about.defection is not None and (len(about.defection) != game.agents or wrong):
        valid = f"an action of each of its {game.agents} agents is needed, each from 0 to {game.actions - 1}"
        raise ConfigError(("games", name, "defection"), f"{about.defection} is not valid; {valid}")


def _check_method(name: str, about: MethodOfStudy, games: Mapping[str, GameOfStudy]) -> None:
    for key, named in (("only", about.only or ()), ("games", about.games)):
        for game in named:
            if game not in games:
                raise ConfigError(("methods", name, key), f"there is no game {game!r}{nearest(game, games)}")
    try:
        learner = AGENTS.get(about.agent)
    except InputError as error:
        raise ConfigError(("methods", name, "agent"), str(error)) from None
    if not (isinstance(learner, type) and issubclass(learner, GameLearner)):
        raise ConfigError(("methods", name, "agent"), f"{about.agent} does not learn games; dcl, for one, does")


class Stubborn:
    """Policies in which one agent always proposes the same, and else does as before.

    Args:
        policies: Of all agents.
        agent: Who is stubborn.
        proposal: What it proposes.
    """

    def __init__(self, policies: Policies, agent: int, proposal: int) -> None:
        self._policies, self._agent, self._proposal = policies, agent, proposal

    def propose(self, x: np.ndarray) -> np.ndarray:
        """As the policies, but for the stubborn one."""
        logits = self._policies.propose(x)
        logits[:, self._agent] = 1e3 * one_hot(np.array(self._proposal), logits.shape[-1])
        return logits

    def commit(self, x: np.ndarray, m: np.ndarray) -> np.ndarray:
        """As the policies; the stubborn one always accepts."""
        logits = self._policies.commit(x, m)
        logits[:, self._agent] = np.array([-1e3, 1e3])
        return logits

    def act(self, x: np.ndarray) -> np.ndarray:
        """As the policies, but the stubborn one does what it proposes."""
        logits = self._policies.act(x)
        logits[:, self._agent] = 1e3 * one_hot(np.array(self._proposal), logits.shape[-1])
        return logits


def against_stubborn(method: Any, game: MarkovGame, defection: list[int]) -> list[dict[str, Any]]:
    """Each agent of a method with commitments against a co-player that always proposes, and plays, defection.

    Returns:
        A row for each seed and learner: its return, and how often an agreement bound; none for other methods.
    """
    if not hasattr(method, "commit"):
        return []
    rows = []
    for learner in range(game.agents):
        policies: Policies = method
        for other in range(game.agents):
            if other != learner:
                policies = Stubborn(policies, other, defection[other])
        rngs = [np.random.default_rng((seed, learner)) for seed in range(len(method.rngs))]
        batch = play(game, policies, rngs, STUBBORN_EPISODES, 1.0)
        for seed in range(len(rngs)):
            gained = float(batch.totals[seed, learner].mean())
            bound = float(batch.mutual[seed].mean())
            rows.append({"seed": seed, "agent": learner, "return": round(gained, 4), "agreement": round(bound, 4)})
    return rows

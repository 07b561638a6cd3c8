"""Learners for games, behind `scml_gym.agents.base.Agent`: DCL, independent PPO, mediated MARL, MOCA."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, Self

import numpy as np

from scml_gym.agents.commitment.dcl import DCL
from scml_gym.agents.commitment.hyperparameters import (
    DCLHyperparameters,
    GameHyperparameters,
    IPPOHyperparameters,
    MediatedHyperparameters,
    MOCAHyperparameters,
)
from scml_gym.agents.commitment.ippo import IPPO
from scml_gym.agents.commitment.mediated import MediatedMARL
from scml_gym.agents.commitment.moca import MOCA
from scml_gym.agents.commitment.tables import Row
from scml_gym.commitment import make_game
from scml_gym.commitment.base import MarkovGame
from scml_gym.core.arguments import brief, whole
from scml_gym.core.config import ConfigError, arguments_of, validate
from scml_gym.core.data_files import content_of, read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file, write_arrays

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run

SCHEMA = "scml-gym-games-1"


class Method(Protocol):
    """A way to learn a game, for all agents and any number of seeds at once.

    It is made of its hyperparameters, a game, and one generator for each seed; a seed learns the same whatever other
    seeds there are.
    """

    @property
    def rngs(self) -> Sequence[np.random.Generator]: ...

    updates: int
    inputs: int
    """Length of what `logits` takes."""

    def update(self) -> dict[str, np.ndarray]:
        """Play a batch and learn from it; ``returns`` ``(seeds, agents)`` and ``agreement`` ``(seeds,)``."""
        ...

    def logits(self, agent: int, observation: np.ndarray) -> np.ndarray:
        """Of an agent's choices, for one observation (first seed)."""
        ...

    def policy_rows(self) -> list[Row]:
        """What the agents do at the start of an episode."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything learnt, to be saved."""
        ...

    def restore(self, arrays: Mapping[str, np.ndarray], updates: int) -> None:
        """Take what `arrays` gave after a number of updates; ValueError or KeyError for what does not fit."""
        ...


def game_of(env: Mapping[str, Any]) -> MarkovGame:
    """The game of an ``env`` section: ``game``, ``mega_step`` and the game's own arguments.

    Raises:
        InputError: if there is none, or it is wrong.
    """
    if "game" not in env:
        raise ConfigError(("env", "game"), "missing; learners for games need an env such as configs/env/game.yaml")
    arguments = {key: value for key, value in env.items() if key not in ("name", "game")}
    with arguments_of("env", arguments, otherwise="game"):
        return make_game(env["game"], **arguments)


class GameLearner:
    """One method behind `scml_gym.agents.base.Agent`; subclasses name it and its hyperparameters.

    Attributes:
        method_class: A `Method`.
        hyperparameters_class: Its hyperparameters.
    """

    method_class: ClassVar[Any]
    hyperparameters_class: ClassVar[type[GameHyperparameters]]

    def __init__(self, hyperparameters: GameHyperparameters, env: Mapping[str, Any]) -> None:
        self.hyperparameters, self.env = hyperparameters, dict(env)
        self.game = game_of(env)
        self.method: Method = self.method_class(hyperparameters, self.game, [np.random.default_rng(0)])
        self._rng = np.random.default_rng(0)
        self._beginning: Mapping[str, np.ndarray] | None = None

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """A new, untrained learner.

        Raises:
            InputError: if a key is unknown or missing, or a value wrong.
        """
        return cls(validate(cls.hyperparameters_class, config, "agent"), env)

    def begin_from(self, checkpoint: Path) -> None:
        """See `scml_gym.agents.base.BeginsFrom`: networks and optimisers, of the same game.

        Raises:
            InputError: if it was trained on another game, or its networks are of another size.
        """
        other = type(self).load(checkpoint)
        for key in {**other.env, **self.env}:
            then, now = other.env.get(key), json.loads(json.dumps(self.env.get(key)))
            if then != now:
                raise ConfigError(("env", key), f"{now!r}, but {checkpoint} was trained with {then!r}")
        arrays = other.method.arrays()
        try:
            self.method.restore(arrays, 0)
        except (KeyError, ValueError) as error:
            told = f"its networks are not those of {checkpoint} ({' '.join(str(error).split())})"
            raise ConfigError(("agent",), told) from error
        self._beginning = arrays

    def train(self, run: Run) -> None:
        """Learn for the configured number of updates; steps of the learning curve are decisions of each agent.

        Raises:
            InputError: if the checkpoint to go on from is of another game or other hyperparameters; see `learning`.
        """
        checkpoint = run.latest_checkpoint()
        if checkpoint is None:
            self.method = self.method_class(
                self.hyperparameters, self.game, [np.random.default_rng(run.config["seed"])]
            )
            if self._beginning is not None:
                self.method.restore(self._beginning, 0)
        else:
            self.method = self._go_on_from(checkpoint)
        with run.progress(self.hyperparameters.updates, "updates") as bar, run.stops_at_checkpoints():
            for done, decisions, means in learning(self.method, self.hyperparameters, self.game):
                row = {name: value[0] for name, value in means.items()}
                run.log(decisions, **row)
                bar.update(done, f"welfare {row['welfare']:.2f}")
                if done == self.hyperparameters.updates or run.checkpoint_due():
                    run.checkpoint(decisions, self.save)
        run.plot()

    def _go_on_from(self, checkpoint: Path) -> Method:
        """The method of a checkpoint of the same game and hyperparameters."""
        kept = type(self).load(checkpoint)
        for section, now in (("agent", self.hyperparameters.model_dump()), ("env", json.loads(json.dumps(self.env)))):
            then = kept.hyperparameters.model_dump() if section == "agent" else kept.env
            for key in {**then, **now}:
                if then.get(key) != now.get(key):
                    raise InputError(
                        f"{checkpoint} was trained with {section}.{key}={then.get(key)!r}, the configuration has "
                        f"{now.get(key)!r}: set it back, or start another run"
                    )
        return kept.method

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """An agent's choice.

        Args:
            observation: The pair (index of the agent, what it sees): for DCL an observation of
                `scml_gym.commitment.envs.commitment_v0.CommitmentEnv` over the game, for the others one of the game.
            state: Ignored: there is none.
            mask: Valid choices; those beyond the policy's own are left out.
            deterministic: Else the choice is drawn.

        Raises:
            InputError: for anything but such a pair, or a mask that is too short.
        """
        agent, seen = self._read(observation)
        logits = self.method.logits(agent, seen)
        if mask is not None:
            valid = np.asarray(mask)[: len(logits)]
            if valid.shape != logits.shape:
                raise InputError(f"mask: its shape is {valid.shape}; at least {len(logits)} choices are needed")
            logits = np.where(valid, logits, -np.inf)
        if not deterministic:
            logits = logits + self._rng.gumbel(size=len(logits))
        return int(np.argmax(logits)), None

    def _read(self, observation: Any) -> tuple[int, np.ndarray]:
        if not isinstance(observation, tuple | list) or len(observation) != 2:
            raise InputError("observation: a pair is needed, the index of the agent and what it sees")
        agent = whole("agent", observation[0], 0, self.game.agents - 1)
        try:
            seen = np.asarray(observation[1], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"observation: {brief(observation[1])} is no array of numbers") from error
        if seen.shape != (self.method.inputs,):
            raise InputError(f"observation: its shape is {seen.shape}; {(self.method.inputs,)} is needed")
        return agent, seen

    def policy(self, seed: int) -> NoReturn:
        """Refused: what was learnt plays a game, not a factory.

        Raises:
            InputError: always.
        """
        raise InputError(f"trained on the game {self.env['game']!r}, which has no factories to play")

    def save(self, folder: Path) -> None:
        """Write the networks (``networks.npz``), and hyperparameters and generators (``game.json``)."""
        write_arrays(Path(folder) / "networks.npz", self.method.arrays())
        meta = {
            "schema": SCHEMA,
            "settings": self.hyperparameters.model_dump(),
            "env": self.env,
            "updates": self.method.updates,
            "generators": [rng.bit_generator.state for rng in self.method.rngs],
        }
        replace_file(Path(folder) / "game.json", json.dumps(meta, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the folder is missing or corrupt, or of another schema or shape.
        """
        what = "a checkpoint of a game"
        meta = read_json(Path(folder) / "game.json")
        if meta.get("schema") != SCHEMA:
            raise InputError(f"{folder}/game.json has the schema {meta.get('schema')!r}; {SCHEMA!r} is needed")
        arrays = read_arrays(Path(folder) / "networks.npz", what)
        with content_of(folder, what):
            learner = cls(validate(cls.hyperparameters_class, meta["settings"]), meta["env"])
            learner.method.restore(arrays, int(meta["updates"]))
            for rng, state in zip(learner.method.rngs, meta["generators"], strict=True):
                rng.bit_generator.state = state
        return learner


def learning(
    method: Method, hyperparameters: GameHyperparameters, game: MarkovGame
) -> Iterator[tuple[int, int, Mapping[str, np.ndarray]]]:
    """Learn up to the configured number of updates.

    Yields:
        For each row of the learning curve: updates and decisions of each agent so far, and `averages` since the last.

    Raises:
        InputError: if returns or anything learnt are no longer finite numbers.
    """
    decisions = hyperparameters.episodes(game.horizon) * game.horizon
    gathered: list[dict[str, np.ndarray]] = []
    while method.updates < hyperparameters.updates:
        with np.errstate(all="ignore"):  # what is not finite is told below, in one line
            gathered.append(method.update())
        done = method.updates
        if done == hyperparameters.updates or done % hyperparameters.log_every == 0:
            means = averages(gathered)
            gathered.clear()
            if not all(np.isfinite(array).all() for array in (*means.values(), *method.arrays().values())):
                raise InputError(
                    f"training came to numbers that are not finite by update {done}; nothing is saved of it: lower "
                    "agent.actor_rate or agent.critic_rate, or raise agent.scale"
                )
            yield done, done * decisions, means


def averages(gathered: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Means over updates, by column and seed: welfare, the return of each agent, agreement."""
    returns = np.mean([row["returns"] for row in gathered], axis=0)
    row = {"welfare": returns.sum(axis=-1)}
    row |= {f"return_{agent}": returns[:, agent] for agent in range(returns.shape[1])}
    return row | {"agreement": np.mean([row["agreement"] for row in gathered], axis=0)}


class DCLLearner(GameLearner):
    """Differentiable commitment learning: `scml_gym.agents.commitment.dcl.DCL`."""

    method_class = DCL
    hyperparameters_class = DCLHyperparameters


class IPPOLearner(GameLearner):
    """Independent PPO: `scml_gym.agents.commitment.ippo.IPPO`."""

    method_class = IPPO
    hyperparameters_class = IPPOHyperparameters


class MediatedLearner(GameLearner):
    """Mediated MARL: `scml_gym.agents.commitment.mediated.MediatedMARL`."""

    method_class = MediatedMARL
    hyperparameters_class = MediatedHyperparameters


class MOCALearner(GameLearner):
    """MOCA: `scml_gym.agents.commitment.moca.MOCA`."""

    method_class = MOCA
    hyperparameters_class = MOCAHyperparameters

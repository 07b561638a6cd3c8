"""What the vector environments of all tracks share: a batch of worlds, where the next ones come from, information."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import MOST_ENVS, real, whole
from scml_gym.core.errors import InputError
from scml_gym.core.registry import load
from scml_gym.game.codecs import Note
from scml_gym.game.env import MOST_WORLDS
from scml_gym.game.sampling import begin_sampling
from scml_gym.game.world_config import Opponent, WorldConfig
from scml_gym.simulator.compiled.advance import OVER
from scml_gym.simulator.compiled.player_table import (
    ADDRESSES,
    PlayerTable,
    in_play,
    make_player_table,
    move_addresses,
    readdress,
)
from scml_gym.simulator.vector.batch import STAGED, Batch, Source, point_to_state, widen_state
from scml_gym.simulator.vector.rows import ENDED, ERROR, Outputs
from scml_gym.simulator.vector.track import SUMMARY_DTYPE, BatchedTrack
from scml_gym.vector.env import Information, RowVectorEnv
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.loop import REST, RESTART

NOBODY = np.zeros(0, dtype=np.int64)

PLAYERS = "players"
"""Name of the player table among the arrays of a state."""


def check_batched(
    num_envs: int, arguments: dict[str, Any], name: str = "num_envs", instead: str = "vectorization_mode='sync'"
) -> None:
    """Refuse a batch that cannot be.

    Args:
        num_envs: How many worlds.
        arguments: Of the environment.
        name: Of the argument that says how many.
        instead: What plays in other backends.

    Raises:
        InputError: if there is none, or for another backend than the compiled one.
    """
    whole(name, num_envs, 1, MOST_ENVS)
    if arguments.get("backend", "compiled") != "compiled":
        raise InputError(f"backend={arguments['backend']!r} cannot be batched: use {instead}", "backend")


@dataclass(frozen=True)
class BatchPlan:
    """What a batch of worlds is made of.

    Attributes:
        config: Which worlds are played.
        source: Where the next ones come from, as `scml_gym.simulator.vector.batch.make_source` says.
        batch: The worlds.
        player_table: Of all who may play in them.
        learner: What belongs to the learners, a NamedTuple of arrays and numbers; the last part of a step's ``game``.
        n_choices: Length of a world's mask.
        size: Numbers of a world's observation.
        action_dtype: Of the numbers of an action.
        action_shape: Of the actions of a world.
        goes_on: Whether an unseeded reset goes on in the running world until that is over.
        always_asked: Whether worlds are drawn until there is one in which the learner is asked.
        num_agents: Rows of a world.
        n_factories: Factories of a world that learners play.
        memory: What the action codec remembers of each of them, the learner's array; None where it is of no use.
        notes: What of it information has.
    """

    config: WorldConfig
    source: Source
    batch: Batch
    player_table: PlayerTable
    learner: Any
    n_choices: int
    size: int
    action_dtype: Any
    action_shape: tuple[int, ...]
    goes_on: bool
    always_asked: bool
    num_agents: int = 1
    n_factories: int = 1
    memory: np.ndarray | None = None
    notes: Mapping[str, Note] = field(default_factory=dict)


class BatchedEnv(RowVectorEnv):
    """Rows of a batch of a track's worlds as a Gymnasium vector environment; see `RowVectorEnv`.

    A subclass sets ``track``, and says by ``_make_step`` what runs the rows.

    Args:
        num_envs: Worlds.
        autoreset_mode: As `RowVectorEnv`.
        threads: Likewise.
        plan: What is played, for that many worlds.

    Raises:
        InputError: if a number is below 1 or the autoreset mode is unknown.
    """

    track: ClassVar[BatchedTrack]
    pays_for_mates: ClassVar[bool] = False

    def __init__(self, num_envs: int, autoreset_mode: AutoresetMode | str, threads: int, plan: BatchPlan):
        super().__init__(num_envs, autoreset_mode, threads, plan.action_dtype, plan.num_agents)
        self.config = plan.config
        self._plan, self._source, self._batch = plan, plan.source, plan.batch
        self._has_mates = False
        self._step = self._in_threads(self._make_step())
        self._no_actions = np.zeros((self.num_worlds, *plan.action_shape), dtype=plan.action_dtype)
        self._later: list[PlayerTable] = []

    @property
    def goes_on(self) -> bool:
        """See `RowVectorEnv`."""
        return self._plan.goes_on

    def drawn(self) -> np.ndarray:
        """See `RowVectorEnv`."""
        return self._batch.rows["seed"].copy()

    @property
    def batch(self) -> Batch:
        """The worlds and all that belongs to them; live."""
        return self._batch

    def make_room(self, size: int) -> None:
        """Let the strategies of all factories remember so many numbers, at least."""
        self._batch = widen_state(self._batch, size)

    @abstractmethod
    def _make_step(self) -> BatchStep:
        """What runs the rows; see `scml_gym.vector.loop.make_step`."""

    def set_opponents(self, opponents: Sequence[Opponent], mates: Sequence[Opponent] = (), weight: float = 1.0) -> None:
        """Let others play in the worlds drawn from now on; those that are running go on as they are.

        Args:
            opponents: As the environment's argument of that name.
            mates: Further ones, each drawn as often, for whom the learner is paid, too: the rewards of their days are
                added to its own, which are to be those of days then.
            weight: Of the rewards of mates.

        Raises:
            InputError: as the environment does for its argument, and if it pays nobody for others; nothing has changed
                then.
        """
        weight, before = real("weight", weight), self.config.makers
        for name, players in (("opponents", opponents), ("mates", mates)):
            if isinstance(players, str) or not isinstance(players, Iterable):
                raise InputError(f"{name}={players!r}; give a list of players", name)
        mates = list(mates)
        self.config.set_opponents([*opponents, *mates])
        try:
            if mates and not self.pays_for_mates:
                raise InputError(f"{type(self).__name__} pays no learner for its mates", "mates")
            player_table = make_player_table(self.config.makers, self.track.interface)
        except InputError:
            self.config.makers = before
            raise
        player_table.players["mate"][len(player_table.players) - len(mates) :] = weight
        if mates and not self._has_mates:
            self._has_mates = True
            self._step = self._in_threads(self._make_step())
        # records of players hold addresses: parameters live on while a row has them, and a state that grows is moved
        used = np.unique(self._batch.worlds["players"]["params"])
        later = [in_play(before, used) for before in self._later]
        self._later = [before for before in later if before.params] + [player_table]
        self._batch = widen_state(self._batch, player_table.state_size)
        self._source = self._source._replace(players=player_table.players.copy())

    def _draw(self, row: int, mode: str) -> Any:
        """See `RowVectorEnv.draw`: the day of the row's factory."""
        world, agent = divmod(row, self.num_agents)
        view = self._batch.worlds["views"][world, self._factory_of(world, agent)]
        return load(self.track.render)(view, mode)

    def _factory_of(self, world: int, agent: int) -> int:
        """The factory that an agent plays, or plays for."""
        return int(self._batch.rows["factory"][world])

    _not_copied = ("_workers", "_step")

    def _prepare(self) -> None:
        """See `RowVectorEnv`."""
        moved = {}
        for player_table in (self._plan.player_table, *self._later):
            moved |= readdress(player_table)
        for records in self._with_addresses():
            move_addresses(records, moved)
        point_to_state(self._batch)
        self._step = self._in_threads(self._make_step())

    def restore(self, state: Mapping[str, np.ndarray]) -> Any:
        """See `RowVectorEnv`."""
        here, there = self._plan.player_table.players, state.get(PLAYERS)
        if there is not None and there.shape != here.shape:
            raise InputError(f"a state of an environment with {len(there)} opponents, here are {len(here)}")
        observations = super().restore(state)
        pairs = ((state[PLAYERS][name].tolist(), here[name].tolist()) for name in ADDRESSES)
        moved = {old: new for some, others in pairs for old, new in zip(some, others, strict=True)}
        for records in self._with_addresses():
            if records is not self._source.players:
                move_addresses(records, moved)
        point_to_state(self._batch)
        return observations

    def _arrays(self) -> dict[str, np.ndarray]:
        """See `RowVectorEnv`; records of players hold addresses, so the table of players belongs to it.

        Raises:
            InputError: if the opponents were changed.
        """
        if self._later:
            raise InputError("opponents were changed by set_opponents, and are kept in no arrays; valid: a copy")
        learner = {name: part for name, part in self._plan.learner._asdict().items() if isinstance(part, np.ndarray)}
        players = self._plan.player_table.players.copy()  # which stay as they are here
        return self._batch._asdict() | {PLAYERS: players} | {f"learner_{name}": part for name, part in learner.items()}

    def _with_addresses(self) -> list[np.ndarray]:
        """The records that point to what belongs to player tables."""
        return [self._batch.worlds["players"], self._source.players]

    def _new_outputs(self) -> Any:
        """Fresh arrays, `Outputs`: those of earlier steps stay as they were."""
        n, m = self.num_worlds, self.num_worlds * self._plan.n_factories
        observations = np.empty((n, self._plan.size), dtype=self.single_observation_space.dtype or np.float32)
        masks = np.empty((n, self._plan.n_choices), dtype=np.bool_)
        rewards, measures, errors = np.zeros(m), np.zeros(n), np.zeros(m, dtype=np.int64)
        done, ended = np.zeros(n, dtype=np.bool_), np.zeros(m, dtype=np.bool_)
        summaries, notes = np.zeros(m, dtype=SUMMARY_DTYPE), np.zeros(2, dtype=np.bool_)
        return Outputs(observations, masks, rewards, done, measures, errors, ended, summaries, notes)

    def _advance(self, actions: np.ndarray, outputs: Outputs, resting: np.ndarray) -> None:
        """Answer in some worlds and start the next episode in others, all of them shared by the threads at once."""
        for note in self._plan.notes.values():
            self._memory[:, note.place] = 0
        ended = np.flatnonzero(resting) if self._plan.always_asked or self._source.kind == STAGED else NOBODY
        self._stage(ended)
        self._run(outputs, resting.view(np.uint8), actions)
        self._check(actions, outputs, resting)
        self._settle_resets(ended, outputs)

    def _run(self, outputs: Outputs, tasks: np.ndarray, actions: np.ndarray) -> None:
        seeds = self._seeds.ready()
        game = self._batch, self._source, self._plan.learner
        self._step(self.num_worlds, game, seeds, outputs, tasks, actions.reshape(self._no_actions.shape))

    def _kept(self, outputs: Outputs) -> Outputs:
        """See `RowVectorEnv`."""
        kept = super()._kept(outputs)
        ended, summaries, notes = outputs.ended.copy(), outputs.summaries.copy(), outputs.notes.copy()
        outputs.notes[ENDED] = False
        return kept._replace(measures=outputs.measures * outputs.done, ended=ended, summaries=summaries, notes=notes)

    def _reset_rows(self, indices: np.ndarray, outputs: Outputs, seeded: np.ndarray) -> None:
        """Start the next episode in some worlds' places; where a seed was given in a new world in any case."""
        outputs.measures[indices] = 0.0
        self._batch.rows["draw"][indices] = seeded[indices]
        self._begin(indices, outputs)
        self._settle_resets(indices, outputs)

    def _begin(self, indices: np.ndarray, outputs: Outputs) -> None:
        self._stage(indices)
        tasks = np.full(self.num_worlds, REST, dtype=np.uint8)
        tasks[indices] = RESTART
        self._run(outputs, tasks, self._no_actions)

    def _stage(self, indices: np.ndarray) -> None:
        """Make the parameters of the next worlds of some rows, where that is done in Python."""
        source, rows = self._source, self._batch.rows
        if source.kind == STAGED:
            if self._plan.goes_on:
                indices = indices[(rows["draw"][indices] != 0) | (rows["status"][indices] == OVER)]
            for i, seed in zip(indices, self._seeds.peek(indices), strict=True):
                spec = self.config.draw_spec(int(begin_sampling(np.zeros(1, dtype=np.uint64), int(seed))))
                self.track.fill_spec(spec, source.specs[i], source.daily[i])

    def _settle_resets(self, indices: np.ndarray, outputs: Outputs) -> None:
        """Draw other worlds for the rows that were reset into one in which nobody asks the learner, where that is due.

        Raises:
            InputError: if that does not end.
        """
        if not self._plan.always_asked:
            return
        for _ in range(MOST_WORLDS):
            indices = indices[self._batch.rows["status"][indices] == OVER]
            if not len(indices):
                outputs.notes[ENDED] = outputs.ended.any()
                return
            self._begin(indices, outputs)
        raise InputError(f"in {MOST_WORLDS} worlds in a row nobody asked the learner for an answer")

    def _check(self, actions: np.ndarray, outputs: Outputs, resting: np.ndarray) -> None:
        """Refuse actions outside the space; the worlds of valid ones have moved on."""
        if outputs.notes[ERROR]:
            wrong = (outputs.errors.reshape(self.num_worlds, -1) > 0) & ~resting[:, None]
            if wrong.any():
                i = self._wrong_row(int(np.argmax(wrong)), outputs)
                valid = " ".join(str(self.single_action_space).split())
                raise InputError(f"row {i}: action {actions[i].tolist()}; valid: {valid}")

    def _wrong_row(self, place: int, outputs: Outputs) -> int:
        """The row of the first error, whose place among them is given."""
        return place

    def _information(self, outputs: Outputs, rows: np.ndarray) -> Information:
        """Masks and the track's measure of some rows, and a summary of those whose world is over."""
        information: Information = {"action_mask": self._masks(outputs), "_action_mask": rows}
        if self.track.measure is not None:
            information |= {self.track.measure: outputs.measures, f"_{self.track.measure}": rows}
        self._tell(information, rows)
        self._summarise(outputs, information)
        return information

    @property
    def _memory(self) -> np.ndarray:
        """What the action codec remembers."""
        assert self._plan.memory is not None, "a codec with notes has a memory"
        return self._plan.memory

    def _tell(self, information: Information, rows: np.ndarray) -> None:
        """Add to the information of some rows what the action codec noted in the step: by factory, or by agent where
        several play one."""
        for name, note in self._plan.notes.items():
            values = self._memory[:, note.place].astype(note.dtype)
            if values.size == self.num_envs or values.shape[1] == 1:
                values = self._by_row(values.ravel())
            information[name], information[f"_{name}"] = values, rows

    def _summarise(self, outputs: Outputs, information: Information) -> None:
        """Add to the information what became of the learner's factory in the rows that have ended."""
        if outputs.notes[ENDED]:
            ended = self._by_row(outputs.ended)
            for name in outputs.summaries.dtype.names:
                information[name], information[f"_{name}"] = self._by_row(outputs.summaries[name]), ended

"""Rows of a vector environment: their seeds, autoreset, threads and columns of information, whatever is played."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Sized
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from scml_gym.core.arguments import MOST_ENVS, MOST_THREADS, brief, check_names, whole
from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError, require_reset, shown
from scml_gym.core.masks import sampling_mask
from scml_gym.core.threads import one_thread
from scml_gym.game.strategy import StrategyError
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.seeds import GENERATORS, SeedStreams
from scml_gym.vector.workers import Workers

Information = dict[str, Any]

SINGLE = ("render_mode", "strict", "max_episode_steps")
"""Arguments of single environments that no native batch has."""


class RowVectorEnv(Independent, VectorEnv, ABC):
    """A Gymnasium vector environment of rows; row ``i`` is the single environment with seed ``seed + i``.

    Where several agents play in a world, each of them is a row: those of world ``i`` are the ``num_agents`` rows from
    ``i * num_agents`` on. The world is then the single environment with seed ``seed + i``; its rows start and end
    together.

    A copy (``copy``, ``deepcopy``, ``pickle``) goes on from where the original stands, alike and alone, with threads of
    its own.

    A subclass sets ``single_action_space`` and ``single_observation_space`` and then calls this constructor; it says
    what is played by ``_new_outputs``, ``_advance``, ``_reset_rows`` and ``_information``, and by ``_prepare`` how what
    cannot be copied is made anew. What these are given and give is by world, but for the information, which is by row.

    Args:
        num_envs: Worlds.
        autoreset_mode: When a row whose episode ended starts the next one: with the next step (``"NextStep"``), in the
            same step (``"SameStep"``, the last observation and information are in ``final_obs`` and ``final_info``), or
            when it is reset by hand (``"Disabled"``, with ``options={"reset_mask": ...}``).
        threads: Threads that share the rows; changes no result.
        action_dtype: Of the numbers of an action.
        num_agents: Rows of a world.

    Attributes:
        num_worlds: Worlds.
        num_agents: Rows of a world.
        num_envs: All rows.

    Raises:
        InputError: if a number is below 1 or the autoreset mode is unknown.
    """

    def __init__(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode | str,
        threads: int,
        action_dtype: Any,
        num_agents: int = 1,
    ):
        modes = {mode.value: mode for mode in AutoresetMode} | {mode.name: mode for mode in AutoresetMode}
        mode = modes.get(str(getattr(autoreset_mode, "value", autoreset_mode)))
        if mode is None:
            raise InputError(
                f"autoreset_mode={autoreset_mode!r}; valid: {', '.join(m.value for m in AutoresetMode)}",
                "autoreset_mode",
            )
        self._threads = whole("threads", threads, 1, MOST_THREADS)
        self.num_worlds, self.num_agents = whole("num_envs", num_envs, 1, MOST_ENVS), num_agents
        self.num_envs = self.num_worlds * num_agents
        self.metadata = {"autoreset_mode": mode, "render_modes": []}
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self._mode = mode
        self._action_dtype = action_dtype
        self._ended = np.zeros(self.num_worlds, dtype=np.bool_)
        self._seeds = SeedStreams([])
        self._everyone = np.ones(self.num_envs, dtype=np.bool_)
        self._last: Any = None
        self._workers: list[Workers] = []

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self._not_copied}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._workers = []
        self._prepare()

    _not_copied: tuple[str, ...] = ("_workers",)
    """Attributes that ``_prepare`` makes anew."""

    @abstractmethod
    def _prepare(self) -> None:
        """After copying: compiled steps in threads, and addresses."""

    @abstractmethod
    def _new_outputs(self) -> Any:
        """Fresh arrays, as those of earlier steps stay as they were: a NamedTuple of ``observations``, ``masks``,
        ``rewards``, ``done`` and possibly others, by world. Observations and masks, those of its agents end to end, may
        hold anything, all others zeros; rewards may be by row."""

    @abstractmethod
    def _advance(self, actions: np.ndarray, outputs: Any, resting: np.ndarray) -> None:
        """Start the next episode in the worlds that are resting, bool, shape ``(num_worlds,)``; in all others answer
        and run on to their next decisions, refusing actions outside the space."""

    @abstractmethod
    def _reset_rows(self, indices: np.ndarray, outputs: Any, seeded: np.ndarray) -> None:
        """Start the next episode in some worlds; ``seeded`` says for all of them which were given a seed."""

    @abstractmethod
    def _information(self, outputs: Any, rows: np.ndarray) -> Information:
        """What ``info`` holds of some rows, bool, shape ``(num_envs,)``."""

    def _kept(self, outputs: Any) -> Any:
        """What the worlds that are done show, apart from what the restarted ones will write over."""
        return outputs._replace(masks=outputs.masks & outputs.done[:, None])

    def _keep(self, outputs: Any, before: Any) -> None:
        """Let the worlds that are not reset show what they did before."""
        outputs.observations[:], outputs.masks[:] = before.observations, before.masks

    def _by_row(self, values: np.ndarray) -> np.ndarray:
        """Values by world, or by row, as values by row."""
        return values if len(values) == self.num_envs else values.repeat(self.num_agents)

    @one_thread
    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Information]:
        """Start an episode in every row, or in those of ``options["reset_mask"]`` (bool, shape ``(num_envs,)``).

        Args:
            seed: Of the first world, whose successors get those that follow; or one for each world.
            options: See above; the rows of a world are reset together.

        Raises:
            InputError: for a wrong mask or wrong seeds; if a strategy raises.
        """
        seeds = self._list_seeds(seed)
        chosen = np.ones(self.num_worlds, dtype=np.bool_)
        outputs = self._new_outputs()
        check_names(options or {}, ["reset_mask"])
        if options is not None and "reset_mask" in options:
            rows = np.asarray(options["reset_mask"], dtype=np.bool_)
            if rows.shape != (self.num_envs,) or not rows.any():
                raise InputError(f"reset_mask of shape {rows.shape}; valid: ({self.num_envs},), one of it true")
            chosen = rows[:: self.num_agents].copy()
            if not np.array_equal(self._by_row(chosen), rows):
                raise InputError(f"reset_mask of a part of a world; valid: all of its {self.num_agents} rows or none")
            if self._last is not None:
                self._keep(outputs, self._last)
            elif not chosen.all():
                raise InputError(f"reset_mask of {int(rows.sum())} rows; valid: all of them at the first reset")
        fresh = not len(self._seeds)
        if fresh:
            self._seeds = SeedStreams(seeds)
        for i, row_seed in enumerate(seeds):
            if row_seed is not None and chosen[i] and not fresh:
                self._seeds.renew(i, row_seed)
        seeded = np.array([fresh or s is not None for s in seeds])
        try:
            self._reset_rows(np.flatnonzero(chosen), outputs, seeded)
        except StrategyError:
            self._last = None
            raise
        self._ended[chosen] = False
        self._last = outputs
        return self._shape(outputs.observations), self._information(outputs, self._by_row(chosen))

    @one_thread
    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, Information]:
        """Answer in every row and run on to the next decisions.

        Raises:
            InputError: for actions of another shape or outside the space; before ``reset``; if a strategy raises.
        """
        require_reset(self._last is not None, "step")
        actions = read_actions(actions, self._action_dtype, self.action_space.shape)
        outputs = self._new_outputs()
        resting = self._ended
        if self._mode == AutoresetMode.DISABLED and resting.any():
            row = int(np.argmax(self._by_row(resting)))
            raise InputError(f"row {row} has ended: reset it (options={{'reset_mask': ...}})")
        try:
            self._advance(actions, outputs, resting)
            done = outputs.done
            if self._mode == AutoresetMode.SAME_STEP and done.any():
                information = self._restart(outputs)
            else:
                information = self._information(outputs, self._everyone.copy())
                self._ended = done.copy()
        except StrategyError:  # where the rows stand now is not known
            self._last = None
            raise
        self._last = outputs
        rewards, terminated = self._by_row(outputs.rewards), self._by_row(done)
        return self._shape(outputs.observations), rewards, terminated, np.zeros_like(terminated), information

    @property
    def goes_on(self) -> bool:
        """Whether the next episode of a row is in the running world, until that is over."""
        return False

    def drawn(self) -> np.ndarray:
        """The seeds that the worlds were drawn from last, uint64 ``(num_worlds,)``; zeros where each episode draws."""
        return np.zeros(self.num_worlds, dtype=np.uint64)

    def action_masks(self) -> np.ndarray:
        """The valid choices of the decisions that are due, bool, shape ``(num_envs, choices)``."""
        require_reset(self._last is not None, "action_masks")
        return self._masks(self._last)

    def sample_mask(self) -> tuple[Any, ...]:
        """The same masks, for each row as ``single_action_space.sample(mask=...)`` takes it: int8, and for a
        ``MultiDiscrete`` an array for each dimension.

        Raises:
            InputError: before ``reset``.
        """
        require_reset(self._last is not None, "sample_mask")
        return tuple(sampling_mask(row, self.single_action_space) for row in self.action_masks())

    @one_thread
    def draw(self, row: int, mode: str = "rgb_array") -> Any:
        """What a row shows of its episode, as the single environment's ``render`` does; a row of one of several agents
        shows what its own player sees.

        Args:
            row: From 0 on.
            mode: ``"rgb_array"`` for uint8 pixels, shape ``(height, width, 3)``; ``"ansi"`` for text.

        Raises:
            InputError: before ``reset``; for a row that is not there, another mode, or a game that is not drawn.
        """
        require_reset(self._last is not None, "draw")
        return self._draw(whole("row", row, 0, self.num_envs - 1), mode)

    def _draw(self, row: int, mode: str) -> Any:
        """See `draw`."""
        raise InputError(f"{type(self).__name__} is not drawn")

    @one_thread
    def state(self) -> dict[str, np.ndarray]:
        """Where the rows stand: arrays that ``np.savez`` takes without pickling.

        Raises:
            InputError: before ``reset``, or where a kind of environment keeps it in no arrays.
        """
        require_reset(self._last is not None, "state")
        shown = {"observations": self._last.observations, "masks": self._last.masks, "ended": self._ended}
        kept = shown | self._seeds.state() | self._arrays()
        return {name: array.copy() for name, array in kept.items()}

    @one_thread
    def restore(self, state: Mapping[str, np.ndarray]) -> Any:
        """Go on, in any process, where an environment that was made with the same arguments stood.

        Args:
            state: What its `state` gave.

        Returns:
            The observations of the decisions that are due.

        Raises:
            InputError: if it is the state of an environment of other arguments or another version.
        """
        outputs, live = self._new_outputs(), self._arrays()
        seeds = SeedStreams([0] * self.num_envs)
        live |= {"observations": outputs.observations, "masks": outputs.masks, "ended": self._ended.copy()}
        for name, array in (live | seeds.state()).items():
            if name not in state:
                raise InputError(f"a state without {name!r}; valid: one of an environment with the same arguments")
            kept = state[name]
            if name != GENERATORS and (kept.shape, kept.dtype) != (array.shape, array.dtype):
                told = f"{name!r} is {kept.dtype.name}{kept.shape}, here {array.dtype.name}{array.shape}"
                raise InputError(f"a state of an environment of other arguments or another version: {told}")
        for name, array in live.items():
            array[...] = state[name]
        seeds.restore(state)
        self._seeds, self._ended, self._last = seeds, live["ended"], outputs
        return self._shape(outputs.observations)

    def _arrays(self) -> dict[str, np.ndarray]:
        """All that changes while the rows are played, by name, to be read and written."""
        raise InputError(f"{type(self).__name__} keeps no state in arrays; valid: a copy of it")

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads."""
        for workers in self._workers:
            workers.close()

    def _shape(self, observations: np.ndarray) -> Any:
        """Flat observations of worlds in the form of the observation space, by row."""
        shape = self.single_observation_space.shape
        assert shape is not None, "a space without a shape needs a form of its own"
        return observations.reshape(-1, *shape)

    def _masks(self, outputs: Any) -> np.ndarray:
        """Masks by row."""
        return outputs.masks.reshape(self.num_envs, -1)

    def _list_seeds(self, seed: int | Sequence[int | None] | None) -> Sequence[int | None]:
        if seed is None or isinstance(seed, (int, np.integer)):
            return [None if seed is None else int(seed) + i for i in range(self.num_worlds)]
        of = "row" if self.num_agents == 1 else "world"
        if not isinstance(seed, Sized):
            raise InputError(f"seed={seed!r}; valid: a whole number, or one for each {of}")
        if len(seed) != self.num_worlds:
            raise InputError(f"{len(seed)} seeds for {self.num_worlds} {of}s")
        return seed

    def _in_threads(self, step: BatchStep) -> Workers:
        """A step as the environment's threads run it."""
        self._workers.append(Workers(step, self._threads))
        return self._workers[-1]

    def _restart(self, outputs: Any) -> Information:
        """Start the next episode in the worlds that are done; what their rows saw last, and their information, are kept
        aside."""
        done = outputs.done
        rows = self._by_row(done)
        last = np.full(self.num_envs, None, dtype=object)
        ended = np.flatnonzero(done)
        shown = self._shape(outputs.observations[ended])
        if isinstance(shown, dict):
            shown = [dict(zip(shown, parts, strict=True)) for parts in zip(*shown.values(), strict=True)]
        for i, seen in zip(np.flatnonzero(rows).tolist(), shown, strict=True):
            last[i] = seen
        final = self._information(self._kept(outputs), rows)
        self._reset_rows(ended, outputs, np.zeros_like(done))
        information = self._information(outputs._replace(done=np.zeros_like(done)), self._everyone.copy())
        return information | {"final_obs": last, "_final_obs": rows, "final_info": final, "_final_info": rows}

    def _columns(self, rows: np.ndarray, values: dict[str, np.ndarray]) -> Information:
        """Values of some rows as Gymnasium's vector environments have them: whole columns, and whose they are."""
        columns: Information = {}
        indices = np.flatnonzero(rows)
        for name, some in values.items():
            column = np.zeros(self.num_envs, dtype=some.dtype)
            column[indices] = some
            columns[name], columns[f"_{name}"] = column, rows
        return columns


def read_actions(actions: Any, dtype: Any, shape: tuple[int, ...] | None) -> np.ndarray:
    """The actions of all rows as an array in C order.

    Raises:
        InputError: if they are of another shape, or no numbers of that kind.
    """
    if isinstance(actions, np.ndarray) and actions.dtype == dtype and actions.shape == shape:
        return np.ascontiguousarray(actions)
    try:
        given = np.asarray(actions)
        if given.dtype.kind == "c":
            raise TypeError
        with np.errstate(invalid="ignore"):  # nan becomes some integer, and differs from it below
            made = np.ascontiguousarray(given, dtype=dtype).reshape(given.shape)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"actions {brief(actions)}; valid: an array of shape {shape}") from None
    if made.shape != shape:
        raise InputError(f"actions of shape {made.shape}; valid: {shape}")
    if made.dtype.kind in "iu" and given.dtype.kind not in "iu" and not np.array_equal(given, made):
        raise InputError(f"actions {shown(given.tolist())}; valid: whole numbers")
    return made

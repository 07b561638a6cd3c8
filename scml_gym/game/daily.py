"""One decision a day: what an external player means to reach today, carried out by an executor in all negotiations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.game.world import Actions, View, World


class Executor(Protocol):
    """Who carries out the goals of a day, one for each player and world.

    The views passed in are live records of the world: copy what is to be kept.
    """

    def begin(self, view: View) -> None:
        """A world starts: called once, with the view of the first decision."""
        ...

    def act(self, view: View, goals: Any) -> Actions:
        """Answer every partner whose ``my_turn`` is set, by the goals that were decided for this day."""
        ...

    def end_day(self, view: View) -> None:
        """The day's negotiations are over."""
        ...


class DailyWorld:
    """A `scml_gym.game.world.World` whose external players decide once a day, when they are first asked on it.

    Days on which a player is not asked at all pass without a decision.

    Args:
        world: Not yet started.
        executors: Of each external player.
    """

    def __init__(self, world: World, executors: Mapping[int, Executor]):
        self.world = world
        self.external = world.external
        self._executors = dict(executors)
        self._goals: dict[int, Any] = {}
        self._decided = dict.fromkeys(self.external, -1)
        self._closed: dict[int, list[View]] = {player: [] for player in self.external}
        self._due: tuple[int, ...] = ()

    def start(self) -> None:
        """Run to the first decision of an external player, or to the end where there is none."""
        self.world.start()
        for player, executor in self._executors.items():
            executor.begin(self.world.view(player))
        self._run()

    def step(self, actions: Mapping[int, Any]) -> None:
        """Take the goals of the players whose decision is due, and run on to the next decision.

        Raises:
            InputError: if the world has ended or goals are missing.
        """
        if not self._due:
            raise InputError("the world has ended: start a new one")
        for player in self._due:
            if player not in actions:
                raise InputError(f"no goals for factory {player}, whose decision is due")
            self._goals[player] = actions[player]
            self._decided[player] = int(self.world.view(player)["day"])
        self._run()

    def close(self) -> None:
        """End an unfinished world; nobody decides in it any more."""
        self._due = ()
        self.world.close()

    def _run(self) -> None:
        """Let the executors answer until a player has to decide for a new day."""
        self._collect()
        while pending := self.world.pending:
            views = {player: self.world.view(player) for player in pending}
            self._due = tuple(p for p, view in views.items() if self._decided[p] != view["day"])
            if self._due:
                return
            self.world.step({p: self._executors[p].act(view, self._goals[p]) for p, view in views.items()})
            self._collect()
        self._due = ()

    def _collect(self) -> None:
        for player, executor in self._executors.items():
            closed = self.world.closed_days(player)
            for last in closed:
                executor.end_day(last)
            self._closed[player] += closed

    @property
    def pending(self) -> tuple[int, ...]:
        """The external players whose decision is due; empty where the world has ended."""
        return self._due

    @property
    def done(self) -> bool:
        """Whether all days are over."""
        return self.world.done

    @property
    def day(self) -> int:
        """Days whose profits are settled."""
        return self.world.day

    def view(self, player: int) -> View:
        """What an external player sees now: a live record."""
        return self.world.view(player)

    def closed_days(self, player: int) -> list[View]:
        """The last views of the days that a player saw end since this was last called (copies)."""
        closed, self._closed[player] = self._closed[player], []
        return closed

    def hidden_state(self) -> np.ndarray:
        """See `World`."""
        return self.world.hidden_state()

    @property
    def profits(self) -> np.ndarray:
        """See `World`."""
        return self.world.profits

    def summary(self, player: int) -> dict[str, Any]:
        """See `World`."""
        return self.world.summary(player)

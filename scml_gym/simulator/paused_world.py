"""A real simulation that is paused where somebody outside must decide; of any track."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import greenlet
import numpy as np

from scml_gym.core.copying import Uncopied
from scml_gym.core.errors import InputError
from scml_gym.core.threads import Home
from scml_gym.simulator.adapters import Adapter
from scml_gym.simulator.deterministic_world import OrderedWorld
from scml_gym.simulator.external import External
from scml_gym.simulator.global_rng import GlobalStreams
from scml_gym.simulator.looking import Seen, look_at
from scml_gym.simulator.pausing import unwind
from scml_gym.simulator.pending import Look, due_answers, refuse_external
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.simulator.recording.real_worlds import watch_world


class PausedWorld(Uncopied):
    """One real simulation as a `scml_gym.game.world.World`, reproducible, any factories external; a track sets
    ``no_ops`` and ``seen``.

    The simulation runs in a greenlet: the policy of an external factory switches out of it in the middle of scml's
    call, and ``step`` switches back in with the answer. It must be stepped from the thread that started it. The
    caller's global random generators are untouched. scml's agents that iterate over sets of names repeat only under the
    same PYTHONHASHSEED.

    Args:
        spec: The world's parameters.
        players: For each factory who plays it: a policy, an scml agent class with its keyword arguments, or None where
            it is external.
        seed: Of the simulation's own generators, which only scml's agents draw from.
        make: ``(name) -> simulation``; called under these generators. Its factories are played by adapters, see
            `scml_gym.simulator.adapters`, where the player is a policy or None.
        log: Of a world that is recorded; None for one that is not.

    Attributes:
        spec: As given.
        external: Indices of the external factories.
        log: As given.
        world: scml's world.
        ids: Of the factories' agents.
        agents: scml's agents that play the factories.
    """

    backend: ClassVar = "reference"
    no_ops: ClassVar[staticmethod[[], np.ndarray]]
    """What makes an array of a track's answers."""

    seen: ClassVar[Seen]
    """How the track sees scml's agents."""

    why_not = "scml is paused in the middle of a call; make another one of the same spec and players and start it"

    def __init__(
        self,
        spec: Any,
        players: Sequence[Any],
        seed: int,
        make: Callable[[str], OrderedWorld],
        log: WorldLog | None = None,
    ):
        self.spec = spec
        self.log = log
        self.external = tuple(i for i, p in enumerate(players) if p is None)
        self._streams = GlobalStreams(seed)
        self._pending: tuple[int, ...] = ()
        self._started = self._done = False
        self._profits = np.zeros((spec.n_factories, spec.n_days))
        with self._streams.active():
            self.world = make(f"world{seed}")
        self.ids = self.world.factory_ids
        adapters: dict[str, Any] = self.world.agents
        self.agents = [adapters[i].adapted_object for i in self.ids]
        if log is not None:
            watch_world(self.world, self.agents, log)
        # the simulation must not hold this object: an abandoned one is ended when this object goes
        self._looks: dict[int, Look] = {}
        self._greenlet = greenlet.greenlet(functools.partial(_run, self.world))
        self._end = weakref.finalize(self, unwind, self._greenlet, self._streams)
        self._end.atexit = False
        for factory, (agent, player) in enumerate(zip(self.agents, players, strict=True)):
            if player is None:
                agent.policy = External(factory, self._greenlet)
            elif not isinstance(player, tuple):
                agent.policy = player

    def start(self) -> None:
        """Run to the first decision of an external factory, or to the end where there is none.

        Raises:
            InputError: if it was started before.
        """
        if self._started:
            raise InputError("the world was started already: make another one")
        self._started = True
        self._home = Home("the world")
        with self._streams.active():
            self._begin()

    def step(self, actions: Mapping[int, np.ndarray]) -> None:
        """Give the pending factories' answers and run on to the next decision.

        Raises:
            InputError: if the world has ended, or an answer is missing or of another form.
            WrongThreadError: in another thread than the one that started it.
        """
        if self._started:
            self._home.check()
        answers = due_answers(actions, self._pending, self.no_ops())
        answers = {factory: answer.copy() for factory, answer in answers.items()}
        for factory in answers.keys() & self._looks.keys():
            self._looks[factory](self.view(factory), answers[factory])
        with self._streams.active():
            self._go_on(answers)

    def look(self, looks: Sequence[Look]) -> None:
        """Show functions every decision; to be called before the world is started.

        Args:
            looks: ``(view, actions)`` for each factory, see `scml_gym.simulator.pending.Look`.
        """
        for factory, (agent, look) in enumerate(zip(self.agents, looks, strict=True)):
            if factory in self.external:
                self._looks[factory] = look
            else:
                look_at(agent, self.seen, look)

    def run(self) -> None:
        """Play a world without external factories to its end.

        Raises:
            InputError: if it has some.
        """
        refuse_external(self.external)
        self.start()

    def close(self) -> None:
        """End an unfinished simulation; done by itself when nothing refers to this object any more."""
        self._pending = ()
        self._end()

    def _begin(self) -> None:
        """Run to the first decision."""
        self._resume()

    def _go_on(self, actions: dict[int, np.ndarray]) -> None:
        """Run on with the answers of the pending factories."""
        self._resume(*actions.values())

    def _resume(self, *answer: np.ndarray) -> None:
        """Switch into the simulation; it comes back with the factory that must decide, or at its end."""
        self._greenlet.parent = greenlet.getcurrent()
        factory = self._greenlet.switch(*answer)
        self._done = self._greenlet.dead
        self._pending = () if self._done else (factory,)
        self._tell_end()

    def _tell_end(self) -> None:
        """Let the log know when the world is over."""
        if self.log is not None and self._done:
            self.log.end(self)

    @property
    def pending(self) -> tuple[int, ...]:
        """The external factories whose decision is due; empty where the world has ended."""
        return self._pending

    @property
    def done(self) -> bool:
        """Whether all days are over."""
        return self._done

    @property
    def day(self) -> int:
        """Days whose profits are settled, 0 to ``spec.n_days``."""
        return len(self.world._profits[self.ids[0]])

    def view(self, factory: int) -> Any:
        """What a factory played by a policy or from outside sees now: a live record."""
        return self.agents[factory].view

    def closed_days(self, factory: int) -> list[Any]:
        """The last views of the days that an external factory saw end since this was last called (copies)."""
        policy = self.agents[factory].policy
        closed, policy.closed = policy.closed, []
        return closed

    @property
    def profits(self) -> np.ndarray:
        """Daily profits in money, float64, shape ``(n_factories, n_days)``; 0 for days to come."""
        for row, agent in zip(self._profits, self.ids, strict=True):
            daily = self.world._profits[agent]
            row[: len(daily)] = daily
        return self._profits

    @property
    def scores(self) -> np.ndarray:
        """(initial balance + profits so far) / initial balance, float64, shape ``(n_factories,)``."""
        scores = self.world.scores()
        return np.array([scores[a] for a in self.ids])

    @property
    def bankrupt(self) -> np.ndarray:
        """Which factories have gone bankrupt, bool, shape ``(n_factories,)``."""
        return np.array([self.world.is_bankrupt[a] for a in self.ids])

    @property
    def trading_prices(self) -> np.ndarray:
        """Trading prices of the products at the start of each day, float64, shape ``(n_products, n_days + 1)``; days to
        come repeat what is known last."""
        return self.world._trading_price

    @property
    def decision_counts(self) -> list[tuple[int, int] | None]:
        """Of each factory that a policy plays, or that is external, its decisions so far, and the answers among them
        that were not playable; None for scml's own agents."""
        return [(agent.decisions, agent.invalid) if isinstance(agent, Adapter) else None for agent in self.agents]

    def negotiated(self) -> Iterator[tuple[dict[str, Any], int, int]]:
        """scml's record of each negotiated contract so far, in order of conclusion, with the indices of seller and
        buyer."""
        index = {agent: i for i, agent in enumerate(self.ids)}
        for record in self.world._saved_contracts.values():
            if record["seller"] in index and record["buyer"] in index:
                yield record, index[record["seller"]], index[record["buyer"]]

    def summary(self, factory: int) -> dict[str, Any]:
        """What became of one external factory so far."""
        agent = self.agents[factory]
        return {
            "score": float(self.scores[factory]),
            "profit": float(sum(self.world._profits[self.ids[factory]])),
            "agreements": agent.agreements,
            "negotiations": agent.negotiations,
            "decisions": agent.decisions,
            "invalid_actions": agent.invalid,
            "bankrupt": bool(self.bankrupt[factory]),
        }


def _run(world: OrderedWorld) -> None:
    """All days, inside the greenlet."""
    while world.step():
        pass

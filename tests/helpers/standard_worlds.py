"""Worlds of the Standard track for tests: players that need no strategy of the package, and worlds short of cash."""

import dataclasses
from typing import Any

import numpy as np

from scml_gym.simulator.global_rng import GlobalStreams
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import prices_with
from scml_gym.standard.view import ACCEPT, END, OFFER, new_actions
from scml_gym.standard.worlds.reference import ReferenceWorld

BUILTINS = ["scml:GreedyStdAgent", "scml:SyncRandomStdAgent", "scml:RandomStdAgent"]


class RandomAnswers:
    """A policy that answers at random, always validly; a function of the seed and of where it is asked.

    Args:
        seed: Of its answers.
        synchronous: When it is asked.
        share: Of the day's largest quantity that it offers at most.
    """

    def __init__(self, seed, synchronous=True, share=0.4):
        self.seed, self.synchronous, self.share = seed, synchronous, share
        self.days = []

    def begin(self, view):
        """A world begins."""
        self.days = []

    def act(self, view):
        """Random answers where it is this factory's turn."""
        place = [int(view[name]) for name in ("factory", "day", "decision")]
        rng = np.random.default_rng([self.seed, *place])
        actions = new_actions()
        for k in np.flatnonzero(view["partners"]["my_turn"]):
            choice, later = rng.random(2)
            if view["partners"][k]["offer_quantity"] > 0 and choice < 0.3:
                actions[k]["response"] = ACCEPT
            elif choice < 0.33:
                actions[k]["response"] = END
            else:
                last = view["last_day"] if later < 0.5 else view["day"]
                low, high = prices_with(view, k)
                most = max(view["min_quantity"], int(self.share * view["max_quantity"]))
                actions[k]["response"] = OFFER
                actions[k]["quantity"] = rng.integers(view["min_quantity"], most, endpoint=True)
                actions[k]["day"] = rng.integers(view["day"], last, endpoint=True)
                actions[k]["price"] = rng.integers(low, high, endpoint=True)
        return actions

    def end_day(self, view):
        """Keep the day's last view."""
        self.days.append(view.copy())


def cast(spec, seed, names=None, external=()) -> list[Any]:
    """A player for each factory: the names in turn, or random answers; None where external."""
    if names is None:
        makers: list[Any] = [lambda s, i=i: RandomAnswers(s, synchronous=i % 3 > 0) for i in range(3)]
    else:
        makers = [player_maker(name) for name in names]
    players = [makers[(i + seed) % len(makers)](seed) for i in range(spec.n_factories)]
    return [None if i in external else player for i, player in enumerate(players)]


def play(spec, seed, names=None, external=(), **arguments):
    """A world played to its end; external factories play what they would have been cast as."""
    world = ReferenceWorld(spec, cast(spec, seed, names, external), seed=seed, **arguments)
    policies = cast(spec, seed, names)
    world.start()
    while world.pending:
        world.step({i: policies[i].act(world.view(i)) for i in world.pending})
    assert world.done
    assert world.day == spec.n_days
    return world


def poor(spec, share=0.08):
    """The same world with so little cash that factories go bankrupt."""
    return dataclasses.replace(spec, initial_balance=np.maximum(1, (spec.initial_balance * share).astype(np.int64)))


def scmls_own(cls, folder, n_steps=6, **arguments):
    """A world that scml drew and built."""
    from scml.std.agents import GreedyStdAgent

    with GlobalStreams(5).active():
        ranges = {
            key: arguments.pop(key) for key in ("n_processes", "n_agents_per_process", "perishable") if key in arguments
        }
        config = cls.generate(agent_types=[GreedyStdAgent], n_steps=n_steps, random_agent_types=True, **ranges)
        return cls(**config | arguments, log_folder=str(folder))

"""Submissions written without their trial, and worlds in which they are compared with what they were made of."""

import importlib
import itertools

import numpy as np

from scml_gym.core.warnings import quiet
from scml_gym.export.folder import submission_files

NUMBERS = itertools.count()
"""So that no two packages of a process have one name."""


def agent_of(player, folder, monkeypatch):
    """The class of an exported player, imported from a submission in a folder."""
    package = f"submission_{next(NUMBERS)}"
    for path, content in submission_files(player, "Agent").items():
        (folder / package / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / package / path).write_bytes(content)
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module(package).MAIN_AGENT


def assert_same_contracts(game, makers, agents, seeds=(0,), days=4):
    """Players, and the agents that they became (classes, or classes with arguments), make the same contracts."""
    worlds = f"scml_gym.{game}.worlds"
    generate = importlib.import_module(f"{worlds}.generation").league_spec
    world = importlib.import_module(f"{worlds}.reference").ReferenceWorld
    for seed in seeds:
        spec = generate(seed, days=days)
        places, played = np.random.default_rng(seed).permutation(spec.n_factories) % len(makers), []
        for players in (
            [makers[i](0) for i in places],
            [agents[i] if isinstance(agents[i], tuple) else (agents[i], {}) for i in places],
        ):
            with quiet():
                played.append(world(spec, players))
                played[-1].run()
        assert len(played[0].contracts) > 0
        assert np.array_equal(played[0].contracts, played[1].contracts)
        assert np.array_equal(played[0].scores, played[1].scores)

"""Random networks as policies of every game that has some, for tests of what plays them."""

import itertools

import numpy as np

from scml_gym.game.networks import pack_network
from scml_gym.game.policy_files import PolicyFile
from scml_gym.games import GAMES

FORMS = {
    "oneshot": [
        ("flat", 0, "choice", "flatten"),
        ("flat", 2, "planner", "flatten"),
        ("entities", 0, "choice", "flatten"),
        ("asked prospects", 0, "asked choice-offer-first", "flatten"),
        ("entities", 0, "planner", "sets"),
        ("entities", 0, "choice", "partners"),
    ],
    "standard": [
        ("flat", 0, "choice", "flatten"),
        ("flat", 1, "daily goals", "flatten"),
        ("entities", 0, "daily traits", "flatten"),
    ],
}
"""Game -> forms of its networks; each costs a compilation."""


def networks_of(game):
    """See `scml_gym.game.network_strategies.NetworkForms`."""
    return GAMES.get(game).load("networks")


def random_policy(game, form, seed=0, masked=True, temperature=1.0, activation="tanh", scale=1.0, units=(12, 7)):
    """A policy with weights so large that its choices differ."""
    strategy = networks_of(game).strategy(*form)
    rng, twice, (n_in, n_out) = np.random.default_rng(seed), strategy.reads.twice, strategy.sizes
    shapes = [(a * (1 + (i in twice)), b) for i, (a, b) in enumerate(itertools.pairwise([n_in, *units, n_out]))]
    layers = [(scale * rng.normal(size=s), scale * rng.normal(size=s[1])) for s in shapes]
    layers = [(weights.astype(np.float32), biases.astype(np.float32)) for weights, biases in layers]
    return PolicyFile(strategy, pack_network(layers, activation, masked, temperature, twice))

"""Random networks as policies, for tests of what plays them."""

import itertools

import numpy as np

from scml_gym.game.networks import pack_network
from scml_gym.game.policy_files import PolicyFile


def random_policy(strategy, seed=0, masked=True, temperature=1.0, activation="tanh", scale=1.0, units=(12, 7)):
    """A policy with weights so large that its choices differ."""
    rng, twice, (n_in, n_out) = np.random.default_rng(seed), strategy.reads.twice, strategy.sizes
    shapes = [(a * (1 + (i in twice)), b) for i, (a, b) in enumerate(itertools.pairwise([n_in, *units, n_out]))]
    layers = [(scale * rng.normal(size=s), scale * rng.normal(size=s[1])) for s in shapes]
    layers = [(weights.astype(np.float32), biases.astype(np.float32)) for weights, biases in layers]
    return PolicyFile(strategy, pack_network(layers, activation, masked, temperature, twice))

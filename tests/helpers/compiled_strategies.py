"""Strategies as machine code: what worlds call by an address against the same function in Python."""

import ctypes

import numpy as np

from scml_gym.game.calls import strategy_addresses
from scml_gym.jit.random import counter_draws


def assert_compiled_code_gives_the_same_answers(strategy, views):
    """The code that worlds call by its address, and the same functions in Python, on every view twice, so that the
    state from before counts."""
    n, generator = len(views), np.random.default_rng(11)
    draws = np.stack([counter_draws(seed, 0, 0, 0) for seed in range(n)])
    memory = generator.uniform(0, 1, (n, strategy.state_size)) * generator.integers(0, 2, (n, 1))
    params = strategy.parameter_array()
    decide, learn = strategy_addresses(strategy)

    def call(address, i, state, *more):
        told = [views[i : i + 1].ctypes.data, state[i].ctypes.data, state.shape[1], params.ctypes.data, len(params)]
        told += [array[i].ctypes.data for array in more]
        ctypes.CFUNCTYPE(None, *[ctypes.c_ssize_t] * len(told))(address)(*told)

    plays = {
        "decide": (strategy.decide, lambda i, state, actions: call(decide, i, state, draws, actions)),
        "learn": (strategy.learn, lambda i, state, actions: call(learn, i, state)),
    }
    for what, (function, compiled) in plays.items():
        if function is None:
            assert learn == 0
            continue
        results = []

        def plain(i, state, actions, function=function, deciding=what == "decide"):
            function(views[i], state[i], params, *((draws[i], actions[i]) if deciding else ()))

        for play in (plain, compiled):
            actions = np.zeros((n, strategy.interface.n_answers), dtype=strategy.interface.action)
            state = memory.copy()
            for _ in range(2):
                for i in range(n):
                    play(i, state, actions)
            results.append((actions, state))
        (expected, kept), (answered, remembered) = results
        assert (expected != expected.flat[0]).any() or (kept != memory).any()
        np.testing.assert_array_equal(expected, answered)
        np.testing.assert_array_equal(kept, remembered)

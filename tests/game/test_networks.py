"""Networks as plain arithmetic: what they compute, how they choose, and what is no network."""

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.networks import choose, compute_logits, fill_head_draws, pack_network
from scml_gym.jit.random import N_DRAWS, counter_draws


def test_the_arithmetic_is_that_of_matrices():
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(5, 4)), rng.normal(size=4)), (rng.normal(size=(4, 6)), rng.normal(size=6))]
    x = rng.normal(size=5)
    for activation, function in (("tanh", np.tanh), ("relu", lambda v: np.maximum(v, 0))):
        expected = function(x @ layers[0][0] + layers[0][1]) @ layers[1][0] + layers[1][1]
        assert np.allclose(compute_logits(pack_network(layers, activation, False, 0.0), x), expected)


def test_choices_are_drawn_by_softmax_among_the_valid():
    logits, valid = np.array([1.0, 3.0, 2.0, -1.0]), np.array([True, False, True, True])
    assert choose(logits.copy(), valid, 0.0, 0.5) == 2
    draws = (np.arange(2000) + 0.5) / 2000
    drawn = np.bincount([choose(logits.copy(), valid, 2.0, u) for u in draws], minlength=4) / 2000
    weights = np.exp(logits / 2.0) * valid
    assert np.allclose(drawn, weights / weights.sum(), atol=1e-3)


def test_every_head_has_a_number_of_its_own():
    few, many = np.zeros(N_DRAWS), np.zeros((300, N_DRAWS + 16))
    fill_head_draws(counter_draws(7, 0, 0, 0), few)
    assert np.array_equal(few, counter_draws(7, 0, 0, 0))
    for i, out in enumerate(many):
        fill_head_draws(counter_draws(i, 1, 2, 3), out)
    assert np.array_equal(many[7, : N_DRAWS - 1], counter_draws(7, 1, 2, 3)[:-1])
    assert ((many >= 0) & (many < 1)).all()
    assert np.abs(np.corrcoef(many.T) - np.eye(N_DRAWS + 16)).max() < 0.3  # 300 decisions: a deviation of .06
    assert np.abs(many.mean(axis=0) - 0.5).max() < 0.08


def test_layers_that_do_not_meet_are_refused():
    layer = (np.zeros((95, 3)), np.zeros(3))
    with pytest.raises(InputError, match=r"sigmoid.*tanh, relu"):
        pack_network([layer], "sigmoid", False, 0.0)
    with pytest.raises(InputError, match=r"temperature=-1\.0; valid: 0 or more"):
        pack_network([layer], "tanh", False, -1.0)
    with pytest.raises(InputError, match=r"layer 1 has weights \(4, 2\); valid: \(3, 2\)"):
        pack_network([layer, (np.zeros((4, 2)), np.zeros(2))], "tanh", False, 0.0)

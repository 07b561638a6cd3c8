"""The critic treats agents as a set, sees whom it is to see, and leaves an agent's own choice out of its baseline."""

import itertools

import numpy as np
import pytest
import torch

from scml_gym.agents.mappo.networks import Actor, Critic, everyone, oneself
from scml_gym.agents.mappo.rollout import generalised_advantages
from scml_gym.agents.mappo.value_norms import VALUE_NORMS, Scale

INPUTS, OPTIONS, AGENTS = 5, 3, 4


def inputs(seed=0):
    torch.manual_seed(seed)
    return torch.randn(2, AGENTS, INPUTS), torch.tensor([[True] * 4, [True, False, True, True]])


def choices(*chosen):
    return torch.nn.functional.one_hot(torch.tensor(chosen), OPTIONS).float().expand(2, AGENTS, OPTIONS)


@pytest.mark.parametrize("options", [0, OPTIONS])
def test_the_order_and_the_number_of_the_others_change_nothing(options):
    (seen, present), critic = inputs(), Critic(INPUTS, 8, options)
    chosen = choices(0, 1, 2, 1) if options else None
    values = critic(seen, everyone(present), chosen)
    for order in itertools.permutations(range(AGENTS)):
        moved = critic(seen[:, order], everyone(present[:, order]), None if chosen is None else chosen[:, order])
        assert torch.allclose(moved, values[:, order], atol=1e-6)
    left = [0, 2, 3]  # without the agent that is not there, in the second row
    alone = critic(seen[1:, left], everyone(present[1:, left]), None if chosen is None else chosen[1:, left])
    assert torch.allclose(alone, values[1:, left], atol=1e-6)


def test_a_decentralised_critic_sees_nobody_else():
    (seen, present), critic = inputs(), Critic(INPUTS, 8)
    changed = seen.clone()
    changed[:, 1:] += 1.0
    own, all_others = (
        [critic(numbers, view(present))[:, 0] for numbers in (seen, changed)] for view in (oneself, everyone)
    )
    assert torch.equal(*own)
    assert not torch.allclose(*all_others)


def test_the_counterfactual_baseline_hears_of_the_others_alone():
    (seen, present), critic = inputs(), Critic(INPUTS, 8, OPTIONS)
    values = [
        critic(seen, everyone(present), choices(*chosen)) for chosen in ((0, 1, 2, 1), (2, 1, 2, 1), (0, 0, 2, 1))
    ]
    assert torch.equal(values[0][:, 0], values[1][:, 0])
    assert not torch.allclose(values[0][:, 1:], values[1][:, 1:])
    assert not torch.allclose(values[0][0, 0], values[2][0, 0])
    assert torch.equal(values[0][1, 0], values[2][1, 0])  # agent 1 is not there


def test_invalid_options_have_no_chance():
    torch.manual_seed(0)
    actor, masks = Actor(INPUTS, 8, [2, 3]), torch.ones(6, 5, dtype=torch.bool)
    masks[:, 1] = masks[:, 4] = False
    first, second = actor.log_probabilities(torch.randn(6, INPUTS), masks)
    assert (first[:, 0] == 0).all() and (first[:, 1] == -torch.inf).all() and (second[:, 2] == -torch.inf).all()
    assert torch.allclose(second.exp().sum(dim=1), torch.ones(6))


def test_popart_keeps_what_the_critic_expects():
    torch.manual_seed(0)
    seen, present = inputs()
    critic, scale = Critic(INPUTS, 8), Scale()
    returns = torch.randn(50) * 30 + 200

    def expected():
        mean, deviation = scale.mean_and_deviation()
        return critic(seen, everyone(present)) * deviation + mean

    before = expected()
    VALUE_NORMS["popart"](scale, [critic.head], returns, 0.9)
    assert torch.allclose(expected(), before, atol=1e-4)
    mean, deviation = scale.mean_and_deviation()
    assert mean == pytest.approx(float(returns.mean()), rel=1e-5)
    assert deviation == pytest.approx(float(returns.std(correction=0)), rel=1e-4)
    VALUE_NORMS["running"](scale, [critic.head], returns + 1000, 0.9)
    assert not torch.allclose(expected(), before, atol=1.0)
    VALUE_NORMS["none"](untouched := Scale(), [critic.head], returns, 0.9)
    assert untouched.mean_and_deviation() == (0.0, 1.0)


def test_advantages_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    rewards, values = (torch.from_numpy(rng.normal(size=(6, 3))) for _ in range(2))
    following, ended = torch.from_numpy(rng.normal(size=3)), torch.from_numpy(rng.random((6, 3)) < 0.3)
    found = generalised_advantages(rewards, values, following, ended, 0.9, 0.7)
    after = torch.cat([values[1:], following[None]])
    for step, row in itertools.product(range(6), range(3)):
        told, weight = 0.0, 1.0
        for t in range(step, 6):
            goes_on = 0.0 if ended[t, row] else 1.0
            told += weight * (rewards[t, row] + 0.9 * goes_on * after[t, row] - values[t, row])
            weight *= 0.9 * 0.7 * goes_on
        assert float(found[step, row]) == pytest.approx(float(told))

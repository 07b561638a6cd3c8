"""What is computed by hand against torch: facts, probabilities, values, and every gradient against autograd's."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from stable_baselines3.common.utils import LinearSchedule

from scml_gym.agents.fast_ppo.network import read_network
from scml_gym.agents.fast_ppo.passes import (
    ACT,
    APPROX_KL,
    CHUNK,
    ENTROPY_LOSS,
    LEARN,
    MEASURES,
    POLICY_LOSS,
    VALUE_LOSS,
    Decisions,
)
from scml_gym.agents.sb3.facts import FACTS
from scml_gym.agents.sb3.heads import HeadsPolicy, MaskedHeadsPolicy
from scml_gym.agents.sb3.hyperparameters import FEATURES, EnvSpaces
from scml_gym.agents.sb3.partners import Sets
from scml_gym.oneshot.observations.fitting_sets import MY_TURN, N_CONTEXT, QUANTITY, RUNNING, read_sets
from scml_gym.vector.workers import Workers

N, BATCH = 400, 300
ENTITIES = Box(0, 1, (9, 16), np.float32)
CASES = {
    "choices": ("flatten", Box(-1, 1, (31,), np.float32), MultiDiscrete([22] * 8), [32, 16]),
    "settings": ("flatten", Box(-1, 1, (31,), np.float32), MultiDiscrete([3, 5, 2, 9]), [24]),
    "one choice": ("flatten", Box(-1, 1, (3, 4), np.float32), Discrete(6), [16, 16, 16]),
    "sets": ("sets", ENTITIES, MultiDiscrete([4, 6, 5]), [32, 32]),
    "partners": ("partners", ENTITIES, MultiDiscrete([22] * 8), [16]),
}
"""Features, observations, actions and hidden layers."""


def observations_of(space, rng, n):
    """Random ones; of partners, with whole quantities and few who negotiate."""
    observations = rng.uniform(space.low, space.high, (n, *space.shape)).astype(np.float32)
    if space is ENTITIES:
        partners = observations[:, 1:, 1:]
        partners[..., RUNNING] = rng.random((n, 8)) < 0.4
        partners[..., MY_TURN] = partners[..., RUNNING] * (rng.random((n, 8)) < 0.8)
        partners[..., QUANTITY] = rng.integers(0, 11, (n, 8)) / np.float32(10)
        partners[: n // 10, :, RUNNING] = 0
    return observations


def masks_of(heads, rng, n, masked):
    """Each choice has a valid option; some have no other."""
    masks = np.ones((n, sum(heads)), dtype=bool)
    first = 0
    for options in heads if masked else []:
        part = masks[:, first : first + options]
        part[:] = rng.random(part.shape) < rng.choice([0.0, 0.5, 0.9], (n, 1))
        part[np.arange(n), rng.integers(options, size=n)] = True
        first += options
    return masks


class Compared:
    """A torch policy, and its decisions as they are computed by hand."""

    def __init__(self, case, masked, threads=1):
        features, observed, actions, layers = CASES[case]
        made = FEATURES.get(features)(SimpleNamespace(embedding_size=24), EnvSpaces(observed, actions))
        kind = MaskedHeadsPolicy if masked else HeadsPolicy
        torch.manual_seed(3)
        self.policy = kind(observed, actions, LinearSchedule(1e-3, 1e-3, 1.0), net_arch=layers, **made)
        with torch.no_grad():
            for parameter in self.policy.parameters():
                parameter += 0.2 * torch.randn_like(parameter)
        self.heads = actions.nvec.tolist() if isinstance(actions, MultiDiscrete) else [actions.n]
        self.masked, self.rng = masked, np.random.default_rng(4)
        self.network, self.observations = read_network(self.policy, self.heads), observations_of(observed, self.rng, N)
        known = FACTS.get(features)(self.observations.reshape(N, -1))
        done = (known[2].shape, np.bool_), ((N, len(self.heads)), np.int64), (N, np.float32), (N, np.float32)
        masks = masks_of(self.heads, self.rng, N, masked)
        self.decisions = Decisions(*known, masks, *(np.empty(shape, kind) for shape, kind in done))
        self.act, self.learn = (Workers(step, threads) for step in (ACT, LEARN))
        draws = self.rng.random((N, len(self.heads)), dtype=np.float32)
        self.act(-(-N // CHUNK), self.network, self.decisions, draws)

    def by_torch(self, chosen):
        """Values, logarithms of probabilities and entropies."""
        masks = {"action_masks": self.decisions.masks[chosen]} if self.masked else {}
        actions = torch.from_numpy(self.decisions.actions[chosen])
        if len(self.heads) == 1 and not isinstance(self.policy.action_space, MultiDiscrete):
            actions = actions[:, 0]
        seen = torch.from_numpy(self.observations[chosen])
        values, logs, entropies = self.policy.evaluate_actions(seen, actions, **masks)
        return values[:, 0], logs, entropies

    def _batch(self):
        """Some decisions that were more or less likely before, with any advantages and returns."""
        self.decisions.logs[:] += 0.3 * self.rng.standard_normal(N)
        chosen = self.rng.permutation(N)[:BATCH]
        advantages, returns = (self.rng.standard_normal(n).astype(np.float32) for n in (BATCH, N))
        chunks = -(-BATCH // CHUNK)
        gradients = np.empty((chunks, len(self.network.parameters)), np.float32)
        return chosen, advantages, returns, (0.2, 0.01, 0.5), gradients, np.zeros((chunks, len(MEASURES)))

    def learnt(self):
        """A batch after learning."""
        batch = self._batch()
        self.learn(len(batch[-1]), self.network, self.decisions, *batch)
        return batch


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_decisions_and_gradients_are_those_of_torch(case, masked):
    compared = Compared(case, masked)
    decisions = compared.decisions
    values, logs, _ = compared.by_torch(np.arange(N))
    assert np.allclose(decisions.values, values.detach().numpy(), atol=1e-5)
    assert np.allclose(decisions.logs, logs.detach().numpy(), atol=2e-5)
    first = 0
    for head, options in enumerate(compared.heads):
        assert decisions.masks[np.arange(N), first + decisions.actions[:, head]].all()
        first += options

    chosen, advantages, returns, _, gradients, measures = compared.learnt()
    advantages = torch.from_numpy(advantages)
    values, logs, entropies = compared.by_torch(chosen)
    log_ratio = logs - torch.from_numpy(decisions.logs[chosen])
    ratio = log_ratio.exp()
    policy_loss = -torch.min(advantages * ratio, advantages * ratio.clamp(0.8, 1.2)).mean()
    value_loss = torch.nn.functional.mse_loss(torch.from_numpy(returns[chosen]), values)
    (policy_loss - 0.01 * entropies.mean() + 0.5 * value_loss).backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in compared.policy.parameters()]).numpy()
    assert np.abs(gradients.sum(axis=0) - expected).max() < 1e-5
    measured = measures.sum(axis=0) / BATCH
    assert measured[POLICY_LOSS] == pytest.approx(policy_loss.item(), abs=1e-5)
    assert measured[VALUE_LOSS] == pytest.approx(value_loss.item(), rel=1e-5)
    assert measured[ENTROPY_LOSS] == pytest.approx(-entropies.mean().item(), rel=1e-5)
    assert measured[APPROX_KL] == pytest.approx((ratio - 1 - log_ratio).mean().item(), rel=1e-4)


def test_the_number_of_threads_changes_no_bit():
    results = []
    for threads in (1, 2):
        compared = Compared("partners", True, threads)
        results.append((*compared.learnt()[-2:], *compared.decisions))
        compared.act.close()
        compared.learn.close()
    assert all(np.array_equal(one, other) for one, other in zip(*results, strict=True))


def test_options_are_drawn_as_often_as_they_are_likely():
    compared = Compared("one choice", True)
    n, options = 20_000, compared.heads[0]
    decisions = Decisions(*(np.repeat(part[7:8], n, axis=0) for part in compared.decisions))
    decisions.masks[:] = [True, True, False, True, True, False]
    draws = compared.rng.random((n, 1), dtype=np.float32)
    compared.act(-(-n // CHUNK), compared.network, decisions, draws)
    shares = np.bincount(decisions.actions[:, 0], minlength=options) / n
    every = torch.arange(options)
    masks = {"action_masks": np.repeat(decisions.masks[:1], options, axis=0)}
    observed = torch.from_numpy(np.repeat(compared.observations[7:8], options, axis=0))
    _, logs, _ = compared.policy.evaluate_actions(observed, every, **masks)
    assert np.abs(shares - logs.exp().detach().numpy()).max() < 0.015
    assert not shares[[2, 5]].any()


def test_the_facts_about_sets_are_those_of_torch():
    observations = observations_of(ENTITIES, np.random.default_rng(5), 3_000)
    rows, context, running = (part.numpy() for part in Sets()(torch.from_numpy(observations)))
    inputs, found, shares = read_sets(observations.reshape(len(observations), -1))
    assert np.array_equal(found, rows)
    assert np.array_equal(FACTS.get("sets")(observations.reshape(len(observations), -1))[0], inputs)
    assert np.array_equal(inputs[:, :N_CONTEXT], context)
    expected = running / np.maximum(running.sum(axis=1, keepdims=True), 1)
    assert np.allclose(shares, expected[..., 0])
    assert np.allclose(inputs[:, N_CONTEXT:], (rows * expected).sum(axis=1), atol=1e-6)

"""Each gradient term of lemma 5.1 against the exact gradient of the enumerated game."""

import itertools

import numpy as np
import pytest
import torch

from scml_gym.agents.commitment import policy_gradient_terms as terms
from scml_gym.agents.commitment.dcl import DCL, joint_probabilities, proposal_gradient
from scml_gym.agents.commitment.hyperparameters import DCLHyperparameters
from scml_gym.agents.commitment.networks import new_stack
from scml_gym.agents.commitment.rollout import play, proposals_seen
from scml_gym.commitment import make_game
from scml_gym.commitment.base import joint_actions, one_hot
from scml_gym.commitment.enumeration import exact_value
from scml_gym.core.config import find_config, read_yaml

AGENTS, ACTIONS = 2, 2
JOINT = joint_actions(AGENTS, ACTIONS)
SETTINGS = {k: v for k, v in read_yaml(find_config("agent", "dcl")).items() if k != "name"}


def make(game="prisoners-dilemma", seeds=1, **changes):
    hyperparameters = DCLHyperparameters.model_validate(SETTINGS | changes)
    return DCL(hyperparameters, make_game(game), [np.random.default_rng(k) for k in range(seeds)])


@pytest.fixture(params=range(3))
def policies(request):
    """Logits of proposals, of rejecting and accepting each joint proposal, and of actions; payoffs."""
    rng = np.random.default_rng(request.param)
    return {
        "phi": rng.normal(size=(AGENTS, ACTIONS)),
        "psi": rng.normal(size=(AGENTS, len(JOINT), 2)),
        "pi": rng.normal(size=(AGENTS, ACTIONS)),
        "q": rng.normal(size=(len(JOINT), AGENTS)),
    }


def value(policies, agent):
    accept = terms.softmax(policies["psi"])[..., 1]
    return exact_value(policies["q"], terms.softmax(policies["phi"]), accept, terms.softmax(policies["pi"]))[agent]


def slope(function, at, step=1e-5):
    """The gradient of a function of one array, by central differences."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient


def exact(policies, name, agent):
    return slope(lambda at: value(policies | {name: at}, agent), policies[name])


def outcomes(policies):
    """Every (m, c, a) of the one-step game, with its probability."""
    phi, psi, pi = (terms.softmax(policies[name]) for name in ("phi", "psi", "pi"))
    agents = np.arange(AGENTS)
    for m, c, a in itertools.product(range(4), JOINT, range(4)):
        likely = phi[agents, JOINT[m]].prod() * psi[agents, m, c].prod() * pi[agents, JOINT[a]].prod()
        yield m, c, a, likely


def expected(policies, agent, term, like):
    """The expectation of a term over all outcomes; it is told q_m, q_a, mutual, m, c, a and adds into an array."""
    total = np.zeros_like(like)
    for m, c, a, likely in outcomes(policies):
        q_m, q_a = (policies["q"][joint, agent] for joint in (m, a))
        total += likely * term(np.array(q_m), np.array(q_a), np.array(float(c.all())), m, c, a)
    return total


@pytest.mark.parametrize("agent", range(AGENTS))
@pytest.mark.parametrize("constant", [0.0, 3.7])
def test_the_action_term_is_the_gradient_of_theta(policies, agent, constant):
    pi = terms.softmax(policies["pi"])

    def term(q_m, q_a, mutual, m, c, a):
        factor = terms.ACTION_FACTORS["lemma"](mutual)
        return terms.action_term(q_a - constant, factor, pi[agent], one_hot(JOINT[a][agent], ACTIONS))

    found = expected(policies, agent, term, policies["pi"][agent])
    assert np.allclose(found, exact(policies, "pi", agent)[agent], atol=1e-8)


@pytest.mark.parametrize("agent", range(AGENTS))
@pytest.mark.parametrize("constant", [0.0, 3.7])
def test_the_score_part_is_the_gradient_of_zeta(policies, agent, constant):
    psi = terms.softmax(policies["psi"])

    def term(q_m, q_a, mutual, m, c, a):
        at = np.zeros((4, 2))
        weight = terms.executed_value(q_m - constant, q_a - constant, mutual)
        at[m] = terms.commitment_score_term(weight, psi[agent, m], one_hot(c[agent], 2))
        return at

    found = expected(policies, agent, term, policies["psi"][agent])
    assert np.allclose(found, exact(policies, "psi", agent)[agent], atol=1e-8)


@pytest.mark.parametrize("agent", range(AGENTS))
def test_the_straight_through_part_is_the_gradient_of_zeta_too(policies, agent):
    """With the policy itself as the relaxation: the value is linear in 1(c^i = 1), so the estimator has no bias.

    Both parts of the lemma are the whole gradient each, so that their sum is proportional to it.
    """
    psi = terms.softmax(policies["psi"])

    def term(q_m, q_a, mutual, m, c, a):
        at = np.zeros((4, 2))
        others = terms.others_commit(c[:, None])[agent, 0]
        at[m] = terms.commitment_straight_through_term(q_m, q_a, others, psi[agent, m], 1.0)
        return at

    found = expected(policies, agent, term, policies["psi"][agent])
    assert np.allclose(found, exact(policies, "psi", agent)[agent], atol=1e-8)


@pytest.mark.parametrize("agent", range(AGENTS))
def test_the_direct_part_is_the_gradient_of_eta(policies, agent):
    phi = terms.softmax(policies["phi"])

    def term(q_m, q_a, mutual, m, c, a):
        weight = terms.executed_value(q_m, q_a, mutual)
        return terms.proposal_score_term(weight, phi[agent], one_hot(JOINT[m][agent], ACTIONS))

    found = expected(policies, agent, term, policies["phi"][agent])
    assert np.allclose(found, exact(policies, "phi", agent)[agent], atol=1e-8)


@pytest.mark.parametrize("agent", range(AGENTS))
@pytest.mark.parametrize("part", ["score", "straight-through"])
def test_the_indirect_parts_are_the_gradients_at_every_commitment(policies, agent, part):
    """Agent i's value by the logits of every psi^j: what then flows through the proposals."""
    psi = terms.softmax(policies["psi"])

    def term(q_m, q_a, mutual, m, c, a):
        at = np.zeros((AGENTS, 4, 2))
        if part == "score":
            weight = terms.executed_value(q_m, q_a, mutual)[None]
            at[:, m] = terms.commitments_of_others_term(weight, psi[:, m], one_hot(c, 2))
        else:
            others = terms.others_commit(c[:, None])[:, 0]
            at[:, m] = terms.agreements_of_others_term(q_m, q_a, others, psi[:, m], 1.0)
        return at

    found = expected(policies, agent, term, policies["psi"])
    assert np.allclose(found, exact(policies, "psi", agent), atol=1e-8)


@pytest.mark.parametrize("owners", [1, 2])
def test_gradients_reach_a_proposal_through_all_commitments(owners):
    game, rows = make_game("prisoners-dilemma"), 3
    rng = np.random.default_rng(0)
    psi = new_stack([rng], (owners, 2), game.features + 4, 8, 2)
    upstream = rng.normal(size=(1, 2, 2, rows, 2))
    x, m = rng.normal(size=(1, 1, 1, rows, game.features)), rng.normal(size=(2, rows, 2))

    def through(agent, own):
        proposals = [own if k == agent else m[k] for k in range(2)]
        made = psi.forward(np.concatenate([x, np.concatenate(proposals, axis=-1)[None, None, None]], axis=-1))
        return (made.out[0, min(agent, owners - 1)] * upstream[0, agent]).sum()

    made = psi.forward(np.concatenate([x, np.concatenate(list(m), axis=-1)[None, None, None]], axis=-1))
    found = proposal_gradient(psi, made, upstream, game)
    for agent in range(2):
        by_differences = slope(lambda own, agent=agent: through(agent, own), m[agent])
        assert np.allclose(found[0, agent], by_differences, atol=1e-7)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_straight_through_is_the_gradient_of_the_relaxed_sample(temperature):
    rng = np.random.default_rng(0)
    logits, noise, upstream = rng.normal(size=(3, 4))
    relaxed = terms.relax(logits, noise, temperature)
    assert relaxed.argmax() == (logits + noise).argmax()
    found = terms.straight_through(upstream, relaxed, temperature)
    by_differences = slope(lambda at: (terms.relax(at, noise, temperature) * upstream).sum(), logits)
    assert np.allclose(found, by_differences, atol=1e-8)
    pair, noise = logits[:2], noise[:2]
    found = terms.indicator_gradient(terms.relax(pair, noise, temperature), temperature)
    assert np.allclose(found, slope(lambda at: terms.relax(at, noise, temperature)[1], pair), atol=1e-8)


@pytest.mark.parametrize("agent", range(AGENTS))
def test_the_incentive_term_is_the_gradient_of_the_constraint(policies, agent):
    q, pi = policies["q"], terms.softmax(policies["pi"])
    free = joint_probabilities(pi[:, None], JOINT)[0] @ q

    def gaps(logits):
        return joint_probabilities(terms.softmax(logits)[:, None], JOINT)[0] @ q - free

    def constraint(own):
        logits = policies["phi"].copy()
        logits[agent] = own
        return np.minimum(0.0, gaps(logits)).sum()

    phi = terms.softmax(policies["phi"])
    others = joint_probabilities(phi[:, None], JOINT, leave_out=agent)[0]
    marginal = (others * q.T) @ one_hot(JOINT[:, agent], ACTIONS)
    violation = (gaps(policies["phi"]) < 0).astype(float)[:, None]
    found = terms.incentive_term(violation, phi[agent][None], marginal[:, None])
    assert np.allclose(found[0], slope(constraint, policies["phi"][agent]), atol=1e-8)


def test_the_entropy_term_is_the_gradient_of_the_entropy():
    logits = np.random.default_rng(0).normal(size=4)

    def entropy(at):
        p = terms.softmax(at)
        return -(p * np.log(p)).sum()

    assert np.allclose(terms.entropy_term(terms.softmax(logits)), slope(entropy, logits), atol=1e-8)


def test_the_factors_differ_as_they_say():
    c = np.array([[1, 1, 0, 0], [1, 0, 1, 0]])
    mutual = c.min(axis=0).astype(float)
    assert terms.OTHERS_FACTORS["lemma"](c).tolist() == [[1, 0, 1, 0], [1, 1, 0, 0]]
    assert terms.OTHERS_FACTORS["mutual"](c).tolist() == [[1, 0, 0, 0]] * 2
    assert terms.OTHERS_FACTORS["none"](c).tolist() == [[1] * 4] * 2
    assert terms.ACTION_FACTORS["lemma"](mutual).tolist() == [0, 1, 1, 1]
    assert terms.ACTION_FACTORS["mutual"](mutual).tolist() == [1, 0, 0, 0]
    three = np.array([[1], [1], [0]])
    assert terms.others_commit(three)[:, 0].tolist() == [0, 0, 1]


def test_gradients_of_a_network_are_those_of_differences():
    rng = np.random.default_rng(0)
    stack = new_stack([rng, rng], (2,), 3, 4, 2)
    x, upstream = rng.normal(size=(2, 1, 5, 3)), rng.normal(size=(2, 2, 5, 2))
    found = stack.gradient(stack.forward(x), upstream)

    def through(flat):
        again = new_stack([rng, rng], (2,), 3, 4, 2)
        again.flat[:] = flat
        return (again.forward(x).out * upstream).sum()

    assert np.allclose(found, slope(through, stack.flat), atol=1e-6)


def network(stack, *index):
    """One network of a stack, as a function of torch tensors."""
    layers = [(torch.tensor(layer.weights[index]), torch.tensor(layer.biases[index])) for layer in stack.layers]

    def apply(x):
        for weights, biases in layers[:-1]:
            x = torch.tanh(x @ weights + biases)
        return x @ layers[-1][0] + layers[-1][1]

    return apply


def likelihood(logits, chosen):
    return torch.log_softmax(logits, -1).gather(-1, chosen[:, None])[:, 0]


def entropy(logits):
    return -(torch.softmax(logits, -1) * torch.log_softmax(logits, -1)).sum()


class Surrogate:
    """What agent i maximises, as lemma 5.1 and the constraint are written, for a batch of one seed."""

    def __init__(self, dcl, batch, i):
        self.dcl, self.i, self.batch = dcl, i, batch
        self.agents, self.actions = dcl.game.agents, dcl.game.actions
        self.x = torch.tensor(batch.x[0, 0])
        self.m, self.c, self.a = (torch.tensor(part[0]) for part in (batch.m, batch.c, batch.a))
        self.noise = torch.tensor(batch.noise[0])
        self.proposed = torch.nn.functional.one_hot(self.m, self.actions).double()
        self.mutual = (self.c == 1).all(dim=0).double()
        self.q = self.network("critic", i)(self.x)
        self.free = self.joint([torch.softmax(self.network("pi", j)(self.x), -1) for j in range(self.agents)])
        base = (self.free * self.q).sum(-1) if dcl.hyperparameters.baseline == "no-agreement" else 0.0
        self.q_m, self.q_a = (self.worth(chosen) - base for chosen in (self.m, self.a))
        self.executed = self.mutual * self.q_m + (1 - self.mutual) * self.q_a

    def network(self, name, j):
        """Of agent j, as agent i knows it."""
        if self.dcl.hyperparameters.information == "decentralised" and j != self.i:
            return network(self.dcl.estimates.stack(name), 0, self.i, j)
        return network(self.dcl.stacks[name], 0, j)

    def joint(self, policies):
        """Probabilities of all joint actions, the first agent's counting most."""
        product = torch.ones(len(self.x), 1, dtype=torch.double)
        for policy in policies:
            product = (product[:, :, None] * policy[:, None]).flatten(1)
        return product

    def worth(self, chosen):
        index = sum(part * self.actions ** (self.agents - 1 - j) for j, part in enumerate(chosen))
        return self.q.gather(-1, index[:, None])[:, 0]

    def commits(self, logits, j):
        """The straight-through indicator of c^j = 1; the noise of others is not known without their networks."""
        known = self.dcl.hyperparameters.information == "centralised" or j == self.i
        noise = self.noise[j, :, self.actions : self.actions + 2] if known else 0.0
        others = torch.stack([self.c[k] for k in range(self.agents) if k != j]).prod(dim=0)
        return (
            others
            * (self.q_m - self.q_a)
            * torch.softmax((logits + noise) / self.dcl.hyperparameters.temperature, -1)[:, 1]
        )

    def pi(self, logits):
        weight = self.dcl.hyperparameters.entropy.at(self.dcl.updates)
        played = 1 - self.mutual
        rows = -(torch.softmax(logits, -1) * torch.log_softmax(logits, -1)).sum(-1)
        return (played * self.q_a * likelihood(logits, self.a[self.i]) + weight * played * rows).sum()

    def psi(self, logits):
        made = self.executed * likelihood(logits, self.c[self.i]) + self.commits(logits, self.i)
        return made.sum() + self.dcl.hyperparameters.entropy.at(self.dcl.updates) * entropy(logits)

    def phi(self, logits):
        hyperparameters = self.dcl.hyperparameters
        soft = torch.softmax((logits + self.noise[self.i, :, : self.actions]) / hyperparameters.temperature, -1)
        proposed = [self.proposed[j] + (soft - soft.detach() if j == self.i else 0.0) for j in range(self.agents)]
        made = self.executed * likelihood(logits, self.m[self.i])
        for j in range(self.agents):
            answer = self.network("psi", j)(torch.cat([self.x, *proposed], -1))
            made = made + self.executed * likelihood(answer, self.c[j]) + self.commits(answer, j)
        own = [logits if j == self.i else self.network("phi", j)(self.x) for j in range(self.agents)]
        bound = self.joint([torch.softmax(part, -1) for part in own])
        gaps = [((bound - self.free) * self.network("critic", j)(self.x)).sum(-1) for j in range(self.agents)]
        incentive = sum(torch.clamp(gap, max=0.0).sum() for gap in gaps)
        return (
            made.sum()
            + hyperparameters.constraint * incentive
            + hyperparameters.entropy.at(self.dcl.updates) * entropy(logits)
        )


GAMES_OF_TERMS = {
    "prisoners-dilemma": {"horizon": 3, "memory": 1},
    "public-goods": {"horizon": 2},
    "purely-conflicting": {"mega_step": 2},
}
FORMS = {
    "dcl": {},
    "dcl-ic-decentralised": {"constraint": 1.0, "information": "decentralised"},
    "no-baseline": {"constraint": 0.7, "temperature": 0.5, "baseline": "none"},
}


def learner_and_batch(game, form):
    """Far from indifferent policies, a batch of them, and the gradients at their logits."""
    hyperparameters = DCLHyperparameters.model_validate(SETTINGS | FORMS[form] | {"batch": 48})
    dcl = DCL(hyperparameters, make_game(game, **GAMES_OF_TERMS[game]), [np.random.default_rng(5)])
    for stack in (*dcl.stacks.values(), *dcl.estimates.own_stacks().values()):
        stack.flat *= 6
    dcl.estimates.follow()
    batch = play(dcl.game, dcl, dcl.rngs, dcl.episodes, 0.99)
    return dcl, batch


def gradients_of(dcl, batch):
    seen = np.concatenate([batch.x, proposals_seen(batch.m, dcl.game.actions)], axis=-1)
    passes = {name: stack.forward(seen if name == "psi" else batch.x) for name, stack in dcl.stacks.items()}
    return passes, dcl.gradients(batch, passes)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("game", GAMES_OF_TERMS)
def test_dcl_puts_the_terms_together(game, form):
    """All terms with their weights, against what automatic differentiation makes of the lemma as it is written."""
    dcl, batch = learner_and_batch(game, form)
    passes, found = gradients_of(dcl, batch)
    for agent in range(dcl.game.agents):
        surrogate = Surrogate(dcl, batch, agent)
        for name in ("phi", "psi", "pi"):
            logits = torch.tensor(passes[name].out[0, agent], requires_grad=True)
            (wanted,) = torch.autograd.grad(getattr(surrogate, name)(logits), logits)
            assert np.abs(wanted.numpy()).max() > 0.01
            assert np.allclose(found[name][0, agent], wanted.numpy(), rtol=0, atol=1e-10), (name, agent)


TERMS = ("action_term", "commitment_score_term", "commitment_straight_through_term", "proposal_score_term")
TERMS += ("commitments_of_others_term", "agreements_of_others_term", "incentive_term", "entropy_term")


@pytest.mark.parametrize("term", TERMS)
def test_no_term_is_without_effect(term, monkeypatch):
    """What the test above compares would show that one is missing."""
    dcl, batch = learner_and_batch("public-goods", "dcl-ic-decentralised")
    _, whole = gradients_of(dcl, batch)
    kept = getattr(terms, term)
    monkeypatch.setattr(terms, term, lambda *arguments: 0.0 * kept(*arguments))
    _, without = gradients_of(dcl, batch)
    assert max(np.abs(whole[name] - without[name]).max() for name in whole) > 1e-3

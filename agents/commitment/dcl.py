"""Differentiable commitment learning (DCL) and its incentive-compatible form (DCL-IC), for many seeds at once.

Source: "Learning to Negotiate via Voluntary Commitment", lemma 5.1 and what follows it. The terms stand in
`scml_gym.agents.commitment.policy_gradient_terms`; here they are put together. A critic has an output for each joint
action, so that the expectations of the constraint and of the baseline are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scml_gym.agents.commitment import policy_gradient_terms as terms
from scml_gym.agents.commitment.estimates import ESTIMATES
from scml_gym.agents.commitment.hyperparameters import DCLHyperparameters
from scml_gym.agents.commitment.networks import Pass, Stack, new_stack, restore_stacks, stack_arrays
from scml_gym.agents.commitment.rollout import Batch, play, proposals_seen
from scml_gym.agents.commitment.tables import Row, initial_view, option_rows
from scml_gym.commitment.base import MarkovGame, joint_actions, joint_index, one_hot
from scml_gym.core.errors import InputError

MOST_JOINT_ACTIONS = 4096


class DCL:
    """Policies and critics of all agents and seeds, and how they learn.

    Args:
        hyperparameters: See `DCLHyperparameters`.
        game: A native batch.
        rngs: One generator for each seed.

    Raises:
        InputError: if the game has more than 4096 joint actions.
    """

    def __init__(
        self, hyperparameters: DCLHyperparameters, game: MarkovGame, rngs: Sequence[np.random.Generator]
    ) -> None:
        count = game.actions**game.agents
        if count > MOST_JOINT_ACTIONS:
            raise InputError(f"the game has {count} joint actions; DCL can enumerate {MOST_JOINT_ACTIONS}")
        self.hyperparameters, self.game, self.rngs = hyperparameters, game, rngs
        self.episodes = hyperparameters.episodes(game.horizon)
        self.joint = joint_actions(game.agents, game.actions)
        agents, hidden, features = (game.agents,), hyperparameters.hidden, game.features
        seen = features + game.agents * game.actions
        self.stacks = {
            "phi": new_stack(rngs, agents, features, hidden, game.actions),
            "psi": new_stack(rngs, agents, seen, hidden, 2),
            "pi": new_stack(rngs, agents, features, hidden, game.actions),
            "critic": new_stack(rngs, agents, features, hidden, count),
        }
        self.estimates = ESTIMATES[hyperparameters.information](self.stacks, rngs, hyperparameters.estimate_rate)
        self.inputs = seen + 3
        self.updates = 0

    def propose(self, x: np.ndarray) -> np.ndarray:
        """Logits of the proposals; see `scml_gym.agents.commitment.rollout.Policies`."""
        return self.stacks["phi"].forward(x).out

    def commit(self, x: np.ndarray, m: np.ndarray) -> np.ndarray:
        """Logits of rejecting and accepting."""
        return self.stacks["psi"].forward(np.concatenate([x, m], axis=-1)).out

    def act(self, x: np.ndarray) -> np.ndarray:
        """Logits of the actions without an agreement."""
        return self.stacks["pi"].forward(x).out

    def update(self) -> dict[str, np.ndarray]:
        """Play a batch and update every network of every agent once.

        Returns:
            ``returns`` of shape ``(seeds, agents)`` and ``agreement``, the share of bound decisions, ``(seeds,)``.
        """
        batch = play(self.game, self, self.rngs, self.episodes, self.hyperparameters.gamma)
        self.learn(batch)
        return {"returns": batch.totals.mean(axis=-1), "agreement": batch.mutual.mean(axis=(1, 2))}

    def learn(self, batch: Batch) -> None:
        """One update of every network from a batch: the critics first, then the policies together."""
        hyperparameters, actions = self.hyperparameters, self.game.actions
        rows = batch.m.shape[-1]
        played = np.where(batch.mutual > 0, batch.m, batch.a)
        index = joint_index(played.swapaxes(1, 2), actions)[:, None]
        targets = batch.returns / hyperparameters.scale
        critic = self.stacks["critic"]
        made = critic.forward(batch.x)
        critic.learn(made, critic_error(made, index, targets) / rows, hyperparameters.critic_rate)
        passes = {
            "phi": self.stacks["phi"].forward(batch.x),
            "psi": self.stacks["psi"].forward(np.concatenate([batch.x, proposals_seen(batch.m, actions)], axis=-1)),
            "pi": self.stacks["pi"].forward(batch.x),
            "critic": critic.forward(batch.x),
        }
        gradients = self.gradients(batch, passes)
        self.estimates.learn(batch, index, targets, passes, actions)
        for name, upstream in gradients.items():
            stack = self.stacks[name]
            stack.learn(passes[name], upstream / rows, hyperparameters.actor_rate)
        self.estimates.follow()
        self.updates += 1

    def gradients(self, batch: Batch, passes: Mapping[str, Pass]) -> dict[str, np.ndarray]:
        """The gradient of lemma 5.1, with constraint and entropy, at the logits of each policy, by row.

        Actions have their entropy where they are played, so that the policy without an agreement does not fade once
        agreements are the rule.
        """
        hyperparameters, actions = self.hyperparameters, self.game.actions
        believed = {name: self.estimates.believe(name, passes[name]) for name in passes}
        q = passes["critic"].out
        q_m = chosen_value(q, joint_index(batch.m.swapaxes(1, 2), actions)[:, None])
        q_a = chosen_value(q, joint_index(batch.a.swapaxes(1, 2), actions)[:, None])
        if hyperparameters.baseline == "no-agreement":
            base = terms.total(joint_probabilities(terms.softmax(believed["pi"].out), self.joint) * q)
            q_m, q_a = q_m - base, q_a - base
        m, c, a = one_hot(batch.m, actions), one_hot(batch.c, 2), one_hot(batch.a, actions)
        phi, psi, pi = (terms.softmax(passes[name].out) for name in ("phi", "psi", "pi"))
        value = terms.executed_value(q_m, q_a, batch.mutual)
        temperature, entropy = hyperparameters.temperature, hyperparameters.entropy.at(self.updates)

        factor = terms.ACTION_FACTORS[hyperparameters.action_factor](batch.mutual)
        gradient_pi = terms.action_term(q_a, factor, pi, a)

        noise_c = batch.noise[..., actions : actions + 2]
        relaxed_c = terms.relax(passes["psi"].out, noise_c, temperature)
        factor = terms.OTHERS_FACTORS[hyperparameters.commitment_factor](batch.c)
        gradient_psi = terms.commitment_score_term(value, psi, c)
        gradient_psi += terms.commitment_straight_through_term(q_m, q_a, factor, relaxed_c, temperature)

        factor = terms.OTHERS_FACTORS[hyperparameters.proposal_factor](batch.c)[:, None]
        relaxed_all = self.estimates.relaxed(relaxed_c, believed["psi"].out, temperature)
        own = q_m[:, :, None], q_a[:, :, None]
        at_psi = terms.commitments_of_others_term(value[:, :, None], terms.softmax(believed["psi"].out), c[:, None])
        at_psi = at_psi + terms.agreements_of_others_term(*own, factor, relaxed_all, temperature)
        at_m = proposal_gradient(self.estimates.stack("psi"), believed["psi"], at_psi, self.game)
        relaxed_m = terms.relax(passes["phi"].out, batch.noise[..., :actions], temperature)
        gradient_phi = terms.proposal_score_term(value, phi, m)
        gradient_phi += terms.straight_through(at_m, relaxed_m, temperature)
        if hyperparameters.constraint:
            gradient_phi += hyperparameters.constraint * self._incentive(believed, phi)
        return {
            "phi": gradient_phi + entropy * terms.entropy_term(phi),
            "psi": gradient_psi + entropy * terms.entropy_term(psi),
            "pi": gradient_pi + (entropy * (1.0 - batch.mutual))[..., None] * terms.entropy_term(pi),
        }

    def _incentive(self, believed: Mapping[str, Pass], phi: np.ndarray) -> np.ndarray:
        proposals, actions = terms.softmax(believed["phi"].out), terms.softmax(believed["pi"].out)
        q = believed["critic"].out
        bound = terms.total(joint_probabilities(proposals, self.joint)[:, :, None] * q)
        free = terms.total(joint_probabilities(actions, self.joint)[:, :, None] * q)
        violation = (bound < free).astype(np.float64)
        made = []
        for agent in range(self.game.agents):
            view = min(agent, q.shape[1] - 1)
            others = joint_probabilities(proposals[:, view], self.joint, leave_out=agent)
            own = one_hot(self.joint[:, agent], self.game.actions)
            marginal = (others[:, None] * q[:, view]) @ own
            made.append(terms.incentive_term(violation[:, view], phi[:, agent], marginal))
        return np.stack(made, axis=1)

    def logits(self, agent: int, observation: np.ndarray) -> np.ndarray:
        """Of an agent's choices in the phase (first seed), for an observation of `CommitmentEnv` over the game's."""
        features = self.game.features
        x, phase, m = np.split(observation[None, None, None], [features, features + 3], axis=-1)
        made = (self.propose(x), self.commit(x, m), self.act(x))
        return made[int(np.argmax(phase))][0, agent, 0]

    def policy_rows(self) -> list[Row]:
        """What each agent proposes, accepts and does without an agreement, at the start of an episode."""
        seeds, names, game = len(self.rngs), self.game.action_names, self.game
        x = initial_view(game, seeds)
        rows = option_rows("propose", "", terms.softmax(self.propose(x))[:, :, 0], names)
        rows += option_rows("act", "no agreement", terms.softmax(self.act(x))[:, :, 0], names)
        for joint in self.joint:
            m = np.broadcast_to(joint[None, :, None], (seeds, game.agents, 1))
            psi = terms.softmax(self.commit(x, proposals_seen(m, game.actions)))[:, :, 0, 1:]
            rows += option_rows("accept", ", ".join(names[k] for k in joint), psi, ("accept",))
        return rows

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything learnt, to be saved."""
        return stack_arrays(self.stacks | self.estimates.own_stacks())

    def restore(self, arrays: Mapping[str, np.ndarray], updates: int) -> None:
        """Take what `arrays` gave after a number of updates.

        Raises:
            ValueError: if an array is of another shape.
            KeyError: if one is missing.
        """
        restore_stacks(self.stacks | self.estimates.own_stacks(), arrays)
        self.updates = updates


def critic_error(made: Pass, index: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Minus the gradient of half the squared error, at the critic's outputs: the error at the joint action played."""
    played = one_hot(np.broadcast_to(index, targets.shape), made.out.shape[-1])
    return played * (targets - chosen_value(made.out, index))[..., None]


def chosen_value(q: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Q of one joint action in each row: ``(..., rows, joint)`` and ``(..., rows)`` -> ``(..., rows)``."""
    index = np.broadcast_to(index, q.shape[:-1])
    return np.take_along_axis(q, index[..., None], axis=-1)[..., 0]


def joint_probabilities(policies: np.ndarray, joint: np.ndarray, leave_out: int | None = None) -> np.ndarray:
    """Of each joint action: ``(..., agents, rows, actions)`` -> ``(..., rows, joint)``.

    Args:
        policies: Probabilities.
        joint: Of `scml_gym.commitment.base.joint_actions`.
        leave_out: An agent whose probability is not multiplied in.
    """
    product = np.ones(1)
    for agent in range(joint.shape[1]):
        if agent != leave_out:
            product = product * policies[..., agent, :, :][..., joint[:, agent]]
    return product


def proposal_gradient(psi: Stack, made: Pass, upstream: np.ndarray, game: MarkovGame) -> np.ndarray:
    """From the gradient at all commitments' logits to that at each agent's own proposal, through the policies psi^j.

    Args:
        psi: Stacked ``(seeds, 1 or agents i, agents j)``: what agent i holds for psi^j.
        made: Its forward pass.
        upstream: Shape ``(seeds, i, j, rows, 2)``.
        game: Its agents and actions lay out the inputs: features, then the proposals one after the other.

    Returns:
        Shape ``(seeds, i, rows, actions)``.
    """
    _, first = psi.before_first(made, upstream)
    weights = psi.layers[0].weights[..., game.features :, :]
    seeds, _, agents, _, hidden = weights.shape
    weights = np.broadcast_to(weights, (seeds, agents, *weights.shape[2:]))
    of_agents = weights.reshape(seeds, agents, agents, game.agents, game.actions, hidden)
    own = np.stack([of_agents[:, agent, :, agent] for agent in range(agents)], axis=1)
    return np.add.reduce(first @ own.swapaxes(-1, -2), axis=2)

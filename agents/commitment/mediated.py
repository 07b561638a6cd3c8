"""Mediated MARL: a mediator acts for the agents that join it, for the good of them all, so that joining pays.

Source: Ivanov, Zisman and Chernyshev, "Mediated multi-agent reinforcement learning" (AAMAS 2023). In each step every
agent acts or joins; the mediator chooses the actions of those who joined (the coalition C). It maximises the sum of its
members' returns subject to each one's incentive constraint U^i(x, C) >= U^i(x, C without i), by Lagrange multipliers.
Both sides learn by policy gradients with critics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scml_gym.agents.commitment import policy_gradient_terms as terms
from scml_gym.agents.commitment.hyperparameters import MediatedHyperparameters
from scml_gym.agents.commitment.networks import new_stack, restore_stacks, stack_arrays
from scml_gym.agents.commitment.rollout import discounted, gumbel, run_episodes
from scml_gym.agents.commitment.tables import Row, initial_view, option_rows
from scml_gym.commitment.base import MarkovGame, joint_actions, one_hot


class MediatedMARL:
    """Agents and mediators of all seeds.

    Args:
        hyperparameters: See `MediatedHyperparameters`.
        game: A native batch.
        rngs: One generator for each seed.
    """

    def __init__(
        self, hyperparameters: MediatedHyperparameters, game: MarkovGame, rngs: Sequence[np.random.Generator]
    ) -> None:
        self.hyperparameters, self.game, self.rngs = hyperparameters, game, rngs
        self.episodes = hyperparameters.episodes(game.horizon)
        agents, hidden, seen = (game.agents,), hyperparameters.hidden, game.features + game.agents
        self.stacks = {
            "pi": new_stack(rngs, agents, game.features, hidden, game.actions + 1),
            "critic": new_stack(rngs, agents, game.features, hidden, 1),
            "mediator": new_stack(rngs, agents, seen, hidden, game.actions),
            "mediator_critic": new_stack(rngs, agents, seen, hidden, 1),
        }
        self.multipliers = np.zeros((len(rngs), game.agents))
        self.inputs = self.stacks["pi"].widths[0]
        self.updates = 0

    def update(self) -> dict[str, np.ndarray]:
        """Play a batch and update every network once; ``agreement`` is the share of decisions in which all join."""
        hyperparameters, game, actions = self.hyperparameters, self.game, self.game.actions
        noise = gumbel(self.rngs, (game.horizon, game.agents, self.episodes, 2 * actions + 1))
        pi, mediator = self.stacks["pi"], self.stacks["mediator"]

        def decide(t: int, x: np.ndarray) -> Sequence[np.ndarray]:
            own = np.argmax(pi.forward(x).out + noise[:, t, ..., : actions + 1], axis=-1)
            joined = (own == actions).astype(np.float64)
            chosen = np.argmax(mediator.forward(self._seen(x, joined)).out + noise[:, t, ..., actions + 1 :], axis=-1)
            return np.where(joined > 0, chosen, own), own, chosen, joined

        (x, _, own, chosen, joined), rewards = run_episodes(game, len(self.rngs), self.episodes, decide)
        returns = discounted(rewards / hyperparameters.scale, hyperparameters.gamma).reshape(own.shape)
        self._learn(x, own, chosen, joined, returns)
        self.updates += 1
        everyone = joined.min(axis=1).mean(axis=-1)
        return {"returns": rewards.sum(axis=2).mean(axis=-1), "agreement": everyone}

    def _learn(
        self, x: np.ndarray, own: np.ndarray, chosen: np.ndarray, joined: np.ndarray, returns: np.ndarray
    ) -> None:
        hyperparameters, actions, rows = self.hyperparameters, self.game.actions, own.shape[-1]
        entropy = hyperparameters.entropy.at(self.updates)
        seen = self._seen(x, joined)
        for name, view in (("critic", x), ("mediator_critic", seen)):
            critic = self.stacks[name]
            made = critic.forward(view)
            error = returns - made.out[..., 0]
            critic.learn(made, error[..., None] / rows, hyperparameters.critic_rate)
        surprise = returns - self.stacks["critic"].forward(x).out[..., 0]
        made = self.stacks["pi"].forward(x)
        pi = terms.softmax(made.out)
        upstream = surprise[..., None] * terms.score(pi, one_hot(own, actions + 1)) + entropy * terms.entropy_term(pi)
        self.stacks["pi"].learn(made, upstream / rows, hyperparameters.actor_rate)

        value = self.stacks["mediator_critic"].forward(seen).out[..., 0]
        weights = lagrangian_weights(self.multipliers[..., None], joined)
        welfare = (weights * (returns - value)).sum(axis=1, keepdims=True)
        made = self.stacks["mediator"].forward(seen)
        mu = terms.softmax(made.out)
        upstream = welfare[..., None] * terms.score(mu, one_hot(chosen, actions)) + entropy * terms.entropy_term(mu)
        self.stacks["mediator"].learn(made, joined[..., None] * upstream / rows, hyperparameters.actor_rate)
        gain = joined * (value - self._without(x, joined))
        gain = gain.sum(axis=-1) / np.maximum(joined.sum(axis=-1), 1.0)
        self.multipliers -= hyperparameters.multiplier_rate * gain
        np.clip(self.multipliers, 0.0, hyperparameters.multiplier_most, out=self.multipliers)

    def _seen(self, x: np.ndarray, joined: np.ndarray) -> np.ndarray:
        """What the mediator sees: the state and who joined."""
        return np.concatenate([x, joined.swapaxes(1, 2)[:, None]], axis=-1)

    def _without(self, x: np.ndarray, joined: np.ndarray) -> np.ndarray:
        """U^i(x, C without i) for each i: ``(seeds, agents, rows)``."""
        values = []
        for agent in range(self.game.agents):
            left = joined.copy()
            left[:, agent] = 0.0
            values.append(self.stacks["mediator_critic"].forward(self._seen(x, left)).out[:, agent, :, 0])
        return np.stack(values, axis=1)

    def logits(self, agent: int, observation: np.ndarray) -> np.ndarray:
        """Of an agent's actions and of joining, the last (first seed), for an observation of the game."""
        return self.stacks["pi"].forward(observation[None, None, None]).out[0, agent, 0]

    def policy_rows(self) -> list[Row]:
        """What each agent does at the start of an episode, and the mediator for it in each coalition."""
        x, names = initial_view(self.game, len(self.rngs)), self.game.action_names
        act = terms.softmax(self.stacks["pi"].forward(x).out)[:, :, 0]
        rows = option_rows("act or join", "", act, (*names, "join"))
        for coalition in joint_actions(self.game.agents, 2)[1:]:
            joined = np.broadcast_to(coalition[None, :, None].astype(np.float64), (len(self.rngs), len(coalition), 1))
            mu = terms.softmax(self.stacks["mediator"].forward(self._seen(x, joined)).out)[:, :, 0]
            told = "joined: " + " ".join(str(k) for k in np.flatnonzero(coalition))
            rows += [r for r in option_rows("mediator", told, mu, names) if coalition[r.agent]]
        return rows

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything learnt, to be saved."""
        return stack_arrays(self.stacks) | {"multipliers": self.multipliers}

    def restore(self, arrays: Mapping[str, np.ndarray], updates: int) -> None:
        """Take what `arrays` gave; see `scml_gym.agents.commitment.dcl.DCL.restore`."""
        restore_stacks(self.stacks, arrays)
        self.multipliers = arrays["multipliers"].copy()
        self.updates = updates


def lagrangian_weights(multipliers: np.ndarray, joined: np.ndarray) -> np.ndarray:
    """How much the mediator counts each agent's return: 1 + lambda^i for a member, -lambda^i for who stays out.

    From sum_{j in C} U^j + sum_i lambda^i [U^i(x, C) - U^i(x, C without i)], whose last part is reached in rows
    without i.
    """
    return joined + multipliers * (2.0 * joined - 1.0)

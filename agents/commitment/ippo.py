"""Independent PPO: each agent learns by itself, in the game without commitments.

Source: Schulman et al., "Proximal policy optimization algorithms" (2017); for independent agents, de Witt et al., "Is
independent learning all you need in the StarCraft multi-agent challenge?" (2020).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scml_gym.agents.commitment import policy_gradient_terms as terms
from scml_gym.agents.commitment.hyperparameters import IPPOHyperparameters
from scml_gym.agents.commitment.networks import new_stack, restore_stacks, stack_arrays
from scml_gym.agents.commitment.rollout import gumbel, run_episodes
from scml_gym.agents.commitment.tables import Row, initial_view, option_rows
from scml_gym.commitment.base import MarkovGame, one_hot


class IPPO:
    """Policies and critics of all agents and seeds.

    Args:
        hyperparameters: See `IPPOHyperparameters`.
        game: A native batch.
        rngs: One generator for each seed.
    """

    def __init__(
        self, hyperparameters: IPPOHyperparameters, game: MarkovGame, rngs: Sequence[np.random.Generator]
    ) -> None:
        self.hyperparameters, self.game, self.rngs = hyperparameters, game, rngs
        self.episodes = hyperparameters.episodes(game.horizon)
        self.stacks = {
            "pi": new_stack(rngs, (game.agents,), game.features, hyperparameters.hidden, game.actions),
            "critic": new_stack(rngs, (game.agents,), game.features, hyperparameters.hidden, 1),
        }
        self.inputs = self.stacks["pi"].widths[0]
        self.updates = 0

    def update(self) -> dict[str, np.ndarray]:
        """Play a batch, and make ``epochs`` updates of every network from it; see `DCL.update`."""
        hyperparameters, game = self.hyperparameters, self.game
        noise = gumbel(self.rngs, (game.horizon, game.agents, self.episodes, game.actions))
        pi, critic = self.stacks["pi"], self.stacks["critic"]
        (x, a), rewards = run_episodes(
            game,
            len(self.rngs),
            self.episodes,
            lambda t, x: (np.argmax(pi.forward(x).out + noise[:, t], axis=-1),),
        )
        values = critic.forward(x).out[..., 0]
        advantages = generalised(
            rewards / hyperparameters.scale, values.reshape(rewards.shape), hyperparameters.gamma, hyperparameters.trace
        ).reshape(values.shape)
        targets = values + advantages
        chosen, rows = one_hot(a, game.actions), a.shape[-1]
        before = (terms.softmax(pi.forward(x).out) * chosen).sum(axis=-1)
        entropy = hyperparameters.entropy.at(self.updates)
        for _ in range(hyperparameters.epochs):
            made = pi.forward(x)
            probabilities = terms.softmax(made.out)
            ratio = (probabilities * chosen).sum(axis=-1) / before
            upstream = clipped_term(ratio, advantages, hyperparameters.clip)[..., None] * terms.score(
                probabilities, chosen
            )
            upstream += entropy * terms.entropy_term(probabilities)
            pi.learn(made, upstream / rows, hyperparameters.actor_rate)
            made = critic.forward(x)
            error = (targets - made.out[..., 0])[..., None]
            critic.learn(made, error / rows, hyperparameters.critic_rate)
        self.updates += 1
        return {"returns": rewards.sum(axis=2).mean(axis=-1), "agreement": np.zeros(len(self.rngs))}

    def logits(self, agent: int, observation: np.ndarray) -> np.ndarray:
        """Of an agent's actions (first seed), for an observation of the game."""
        return self.stacks["pi"].forward(observation[None, None, None]).out[0, agent, 0]

    def policy_rows(self) -> list[Row]:
        """What each agent does at the start of an episode."""
        act = terms.softmax(self.stacks["pi"].forward(initial_view(self.game, len(self.rngs))).out)[:, :, 0]
        return option_rows("act", "", act, self.game.action_names)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything learnt, to be saved."""
        return stack_arrays(self.stacks)

    def restore(self, arrays: Mapping[str, np.ndarray], updates: int) -> None:
        """Take what `arrays` gave; see `scml_gym.agents.commitment.dcl.DCL.restore`."""
        restore_stacks(self.stacks, arrays)
        self.updates = updates


def clipped_term(ratio: np.ndarray, advantages: np.ndarray, clip: float) -> np.ndarray:
    """What the score is multiplied with in the gradient of min(r A, clip(r, 1 - clip, 1 + clip) A): r A, or 0."""
    held = np.where(advantages > 0, ratio > 1.0 + clip, ratio < 1.0 - clip)
    return np.where(held, 0.0, ratio * advantages)


def generalised(rewards: np.ndarray, values: np.ndarray, gamma: float, trace: float) -> np.ndarray:
    """Generalised advantages (Schulman et al., 2016) of whole episodes.

    Args:
        rewards: Shape ``(seeds, agents, steps, episodes)``.
        values: Of the states before each step, the same shape; the state after the last is worth 0.
        gamma: Discount.
        trace: Lambda.
    """
    advantages = np.zeros_like(rewards)
    following, ahead = np.zeros_like(values[:, :, 0]), np.zeros_like(values[:, :, 0])
    for t in range(rewards.shape[2] - 1, -1, -1):
        surprise = rewards[:, :, t] + gamma * following - values[:, :, t]
        ahead = surprise + gamma * trace * ahead
        advantages[:, :, t] = ahead
        following = values[:, :, t]
    return advantages

"""MOCA: contracts that transfer reward, in two stages.

Source: Christoffersen, Haupt and Hadfield-Menell, "Get it in writing: formal contracts mitigate social dilemmas in
multi-agent RL" (AAMAS 2023), multi-objective contract augmentation learning. A contract holds, for each agent and
action, what the agent pays when it takes it, shared equally by the others. In the first stage (subgames) contracts are
drawn at random and the action policies learn to play under each of them; in the second these are kept, a proposer drawn
for each episode proposes a contract, and it holds if all others accept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from scml_gym.agents.commitment import policy_gradient_terms as terms
from scml_gym.agents.commitment.hyperparameters import MOCAHyperparameters
from scml_gym.agents.commitment.networks import new_stack, restore_stacks, stack_arrays
from scml_gym.agents.commitment.rollout import discounted, gumbel, run_episodes
from scml_gym.agents.commitment.tables import Row, initial_view, option_rows
from scml_gym.commitment.base import MarkovGame, one_hot


class MOCA:
    """Action, proposal and acceptance policies of all agents and seeds.

    Args:
        hyperparameters: See `MOCAHyperparameters`.
        game: A native batch.
        rngs: One generator for each seed.
    """

    def __init__(
        self, hyperparameters: MOCAHyperparameters, game: MarkovGame, rngs: Sequence[np.random.Generator]
    ) -> None:
        self.hyperparameters, self.game, self.rngs = hyperparameters, game, rngs
        self.episodes = hyperparameters.episodes(game.horizon)
        self.terms = game.agents * game.actions
        agents, hidden, seen = (game.agents,), hyperparameters.hidden, game.features + self.terms
        self.stacks = {
            "pi": new_stack(rngs, agents, seen, hidden, game.actions),
            "critic": new_stack(rngs, agents, seen, hidden, 1),
            "proposal": new_stack(rngs, agents, game.features, hidden, self.terms),
            "acceptance": new_stack(rngs, agents, seen, hidden, 2),
            "outcome": new_stack(rngs, agents, game.features, hidden, 1),
        }
        self.first_stage = math.ceil(hyperparameters.subgame * hyperparameters.updates)
        self.inputs = self.stacks["pi"].widths[0]
        self.updates = 0

    def update(self) -> dict[str, np.ndarray]:
        """Play a batch and update the networks of the stage; ``agreement`` is the share of accepted contracts."""
        made = self._subgame() if self.updates < self.first_stage else self._contracting()
        self.updates += 1
        return made

    def _subgame(self) -> dict[str, np.ndarray]:
        hyperparameters, actions = self.hyperparameters, self.game.actions
        drawn = np.stack([rng.random((self.episodes, self.terms + 1)) for rng in self.rngs])
        contracts = drawn[..., 1:] * (drawn[..., :1] >= hyperparameters.no_contract)
        seen, a, rewards = self._play(contracts)
        rows = a.shape[-1]
        returns = discounted(rewards / hyperparameters.scale, hyperparameters.gamma).reshape(a.shape)
        critic, pi = self.stacks["critic"], self.stacks["pi"]
        made = critic.forward(seen)
        critic.learn(made, (returns - made.out[..., 0])[..., None] / rows, hyperparameters.critic_rate)
        surprise = returns - critic.forward(seen).out[..., 0]
        made = pi.forward(seen)
        probabilities = terms.softmax(made.out)
        upstream = surprise[..., None] * terms.score(probabilities, one_hot(a, actions))
        upstream += hyperparameters.entropy.at(self.updates) * terms.entropy_term(probabilities)
        pi.learn(made, upstream / rows, hyperparameters.actor_rate)
        return {"returns": rewards.sum(axis=2).mean(axis=-1), "agreement": np.zeros(len(self.rngs))}

    def _contracting(self) -> dict[str, np.ndarray]:
        hyperparameters, agents, seeds = self.hyperparameters, self.game.agents, len(self.rngs)
        drawn = np.stack([rng.standard_normal((self.episodes, self.terms)) for rng in self.rngs])
        proposer = np.stack([rng.integers(agents, size=self.episodes) for rng in self.rngs])
        turn = one_hot(proposer, agents).swapaxes(1, 2)
        spread = hyperparameters.spread.at(self.updates - self.first_stage)
        start = initial_view(self.game, seeds)
        means = self.stacks["proposal"].forward(start)
        raw = np.take_along_axis(means.out[:, :, 0], proposer[..., None], axis=1) + spread * drawn
        draws = np.stack([rng.random((self.episodes, self.terms + 1)) for rng in self.rngs])
        own = draws[..., :1] >= hyperparameters.explore.at(self.updates - self.first_stage)
        contracts = np.where(own, squash(raw), draws[..., 1:])
        answers = self.stacks["acceptance"].forward(_beside(np.repeat(start, self.episodes, axis=2), contracts))
        c = np.argmax(answers.out + gumbel(self.rngs, (agents, self.episodes, 2)), axis=-1)
        accepted = np.where(turn > 0, 1, c).min(axis=1).astype(np.float64)
        _, _, rewards = self._play(contracts * accepted[..., None])

        worth = discounted(rewards / hyperparameters.scale, hyperparameters.gamma)[:, :, 0]
        outcome = self.stacks["outcome"]
        made = outcome.forward(start)
        error = (worth - made.out[..., 0]).mean(axis=-1)[..., None, None]
        outcome.learn(made, error, hyperparameters.critic_rate)
        surprise = worth - outcome.forward(start).out[..., 0]
        psi = terms.softmax(answers.out)
        upstream = surprise[..., None] * terms.score(psi, one_hot(c, 2))
        upstream += hyperparameters.entropy.at(self.updates - self.first_stage) * terms.entropy_term(psi)
        self.stacks["acceptance"].learn(
            answers, (1.0 - turn)[..., None] * upstream / self.episodes, hyperparameters.actor_rate
        )
        pull = (turn * surprise)[..., None] * (own * drawn / spread)[:, None]
        self.stacks["proposal"].learn(means, pull.mean(axis=2, keepdims=True), hyperparameters.actor_rate)
        return {"returns": rewards.sum(axis=2).mean(axis=-1), "agreement": accepted.mean(axis=-1)}

    def _play(self, contracts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Episodes under contracts ``(seeds, episodes, terms)``: what was seen, actions, rewards with payments."""
        game, pi = self.game, self.stacks["pi"]
        noise = gumbel(self.rngs, (game.horizon, game.agents, self.episodes, game.actions))

        def decide(t: int, x: np.ndarray) -> Sequence[np.ndarray]:
            return (np.argmax(pi.forward(_beside(x, contracts)).out + noise[:, t], axis=-1),)

        (x, a), rewards = run_episodes(game, len(self.rngs), self.episodes, decide)
        owed = self.hyperparameters.payment * contracts.reshape(*contracts.shape[:2], game.agents, game.actions)
        rewards = rewards + transfers(owed, a.reshape(rewards.shape))
        return _beside(x, np.tile(contracts, (1, game.horizon, 1))), a, rewards

    def logits(self, agent: int, observation: np.ndarray) -> np.ndarray:
        """Of an agent's actions (first seed), for an observation of the game followed by the contract's payments, as
        shares of the highest."""
        return self.stacks["pi"].forward(observation[None, None, None]).out[0, agent, 0]

    def policy_rows(self) -> list[Row]:
        """The contract each agent proposes (shares of the highest payment), its acceptance, and play without one."""
        start, names, seeds = initial_view(self.game, len(self.rngs)), self.game.action_names, len(self.rngs)
        proposed = squash(self.stacks["proposal"].forward(start).out[:, :, 0])
        payments = tuple(f"{k} pays for {name}" for k in range(self.game.agents) for name in names)
        rows = option_rows("contract", "", proposed, payments)
        act = self.stacks["pi"].forward(_beside(start, np.zeros((seeds, 1, self.terms)))).out[:, :, 0]
        rows += option_rows("act", "no contract", terms.softmax(act), names)
        for proposer in range(self.game.agents):
            view = _beside(start, proposed[:, proposer][:, None])
            told = f"contract of {proposer}"
            accept = terms.softmax(self.stacks["acceptance"].forward(view).out[:, :, 0])
            rows += [r for r in option_rows("accept", told, accept, ("reject", "accept")) if r.agent != proposer]
            rows += option_rows("act", told, terms.softmax(self.stacks["pi"].forward(view).out[:, :, 0]), names)
        return rows

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything learnt, to be saved."""
        return stack_arrays(self.stacks)

    def restore(self, arrays: Mapping[str, np.ndarray], updates: int) -> None:
        """Take what `arrays` gave; see `scml_gym.agents.commitment.dcl.DCL.restore`."""
        restore_stacks(self.stacks, arrays)
        self.updates = updates


def squash(raw: np.ndarray) -> np.ndarray:
    """Numbers to shares: the logistic function."""
    return 1.0 / (1.0 + np.exp(-raw))


def transfers(owed: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """What each agent gains or loses by a contract; zero in sum.

    Args:
        owed: The payment for each action, ``(seeds, episodes, agents, actions)``.
        actions: Played, ``(seeds, agents, steps, episodes)``.

    Returns:
        As ``actions``: what is received, an equal share of what each other agent pays, less what is paid.
    """
    by_agent = np.broadcast_to(owed.swapaxes(1, 2)[:, :, None], (*actions.shape, owed.shape[-1]))
    paid = np.take_along_axis(by_agent, actions[..., None], axis=-1)[..., 0]
    received = (paid.sum(axis=1, keepdims=True) - paid) / (actions.shape[1] - 1)
    return received - paid


def _beside(x: np.ndarray, contracts: np.ndarray) -> np.ndarray:
    """Observations ``(seeds, 1, rows, features)`` with the contract of each row ``(seeds, rows, terms)``."""
    return np.concatenate([x, contracts[:, None]], axis=-1)

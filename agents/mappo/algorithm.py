"""MAPPO, and IPPO where the critic's view is the agent's own: rollouts, advantages, epochs of batches, Adam.

Sources: Yu et al. 2022, "The surprising effectiveness of PPO in cooperative multi-agent games",
https://arxiv.org/abs/2103.01955; de Witt et al. 2020, https://arxiv.org/abs/2011.09533 (IPPO). The counterfactual
baseline is that of Foerster et al. 2018, https://arxiv.org/abs/1705.08926, learnt as what is expected given what all
others do (Wu et al. 2018, https://arxiv.org/abs/1803.07246), so that no action has to be tried in its place.

What the paper has and is left out here: recurrent networks, and the clipping of values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from scml_gym.agents.adam import Adam
from scml_gym.agents.mappo.layout import Layout
from scml_gym.agents.mappo.networks import Actor, Critic, View
from scml_gym.agents.mappo.rollout import Decisions, Rollout, generalised_advantages
from scml_gym.agents.mappo.value_norms import VALUE_NORMS, Scale

MEASURES = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")


class Networks(nn.Module):
    """Everything that is learnt.

    Args:
        layout: Of agents.
        settings: `scml_gym.agents.mappo.hyperparameters.MAPPOHyperparameters`.

    Attributes:
        actor: Shared by all agents.
        critics: Of states; and, with ``credit="counterfactual"``, of what the others do in them.
        scale: Of what critics expect.
    """

    def __init__(self, layout: Layout, settings: Any):
        super().__init__()
        heads = layout.heads.tolist()
        self.actor = Actor(layout.inputs, settings.hidden, heads)
        told = [0, sum(heads)] if settings.credit == "counterfactual" else [0]
        self.critics = nn.ModuleList(Critic(layout.inputs, settings.hidden, options) for options in told)
        self.scale = Scale()


class Descent:
    """The parameters of a network as parts of one array, and Adam over it.

    Args:
        network: Whose parameters change.
        longest: Longer gradients are shortened to it.
    """

    def __init__(self, network: nn.Module, longest: float):
        self._parameters = list(network.parameters())
        vector = parameters_to_vector(self._parameters).detach().clone()
        vector_to_parameters(vector, self._parameters)
        self.adam = Adam(vector.numpy(), longest)

    def step(self, loss: Tensor, rate: float, step: int) -> None:
        """Against the gradient of a loss; see `Adam.descend`."""
        parts = torch.autograd.grad(loss, self._parameters, allow_unused=True, materialize_grads=True)
        self.adam.descend(torch.cat([part.reshape(-1) for part in parts]).numpy()[None], rate, step)


class Learning:
    """Learns from rollouts.

    Args:
        networks: That change.
        settings: As for them.
        view: Whom an agent's critic sees.
        generator: Of the order of decisions.

    Attributes:
        descents: Of the actor, and of the critics.
    """

    def __init__(self, networks: Networks, settings: Any, view: View, generator: torch.Generator):
        self.networks, self.settings, self.view, self.generator = networks, settings, view, generator
        self.descents = [Descent(part, settings.max_grad_norm) for part in (networks.actor, networks.critics)]
        self._rates, self._entropy, self._steps = (0.0, 0.0), 0.0, 0

    @torch.no_grad()
    def expected(self, k: int, inputs: Tensor, present: Tensor, actions: Tensor | None = None) -> Tensor:
        """What critic ``k`` expects, in rewards: ``(steps, agents)`` of ``(steps, agents, ...)``."""
        mean, deviation = self.networks.scale.mean_and_deviation()
        chosen = None if actions is None else one_hot(actions, self.networks.actor.heads)
        return self.networks.critics[k](inputs, self.view(present), chosen) * deviation + mean

    def estimate(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Advantages and returns of a rollout, both ``(steps * worlds, agents)``; measures the returns."""
        settings, decisions = self.settings, rollout.decisions
        flat = Decisions(*(part.flatten(0, 1) for part in decisions))
        shape = decisions.present.shape
        values = self.expected(0, flat.inputs, flat.present).reshape(shape)
        following = self.expected(0, *(torch.from_numpy(rollout.following[i]) for i in (0, 2)))
        rewards = rollout.rewards * settings.reward_scale
        for step, last in rollout.last:
            worth = self.expected(0, torch.from_numpy(last.inputs), torch.from_numpy(last.present))
            rewards[step] += settings.gamma * worth * rollout.cut[step]
        advantages = generalised_advantages(
            rewards, values, following, rollout.ended, settings.gamma, settings.gae_lambda
        )
        returns = (advantages + values).flatten(0, 1)
        if len(self.networks.critics) > 1:
            advantages = returns - self.expected(1, flat.inputs, flat.present, flat.actions)
        heads: list[Any] = [critic.head for critic in self.networks.critics]
        VALUE_NORMS[settings.value_norm](self.networks.scale, heads, returns[flat.present], settings.value_norm_decay)
        return advantages.reshape(returns.shape), returns

    def update(self, rollout: Rollout, steps: int) -> dict[str, float]:
        """Learn from a rollout; what it measured.

        Args:
            rollout: To learn from.
            steps: Of the environment before it, for the learning rates.

        Raises:
            InputError: if a gradient is not finite.
        """
        settings = self.settings
        decisions = Decisions(*(part.flatten(0, 1) for part in rollout.decisions))
        advantages, returns = self.estimate(rollout)
        learns = decisions.present & decisions.active & decisions.played
        if learns.any():
            ours = advantages[learns]
            advantages = (advantages - ours.mean()) / (ours.std(correction=0) + 1e-8)
        mean, deviation = self.networks.scale.mean_and_deviation()
        targets = (returns - mean) / deviation
        done = min(1.0, steps / settings.total_steps)
        left = 1.0 - done * (1.0 - settings.final_learning_rate / settings.learning_rate)
        self._rates, self._steps = (settings.learning_rate * left, settings.critic_rate * left), steps
        self._entropy = settings.ent_coef + done * (settings.final_ent_coef - settings.ent_coef)
        measured = []
        for batch in self._batches(len(targets)):
            ours = Decisions(*(part[batch] for part in decisions))
            told = self._policy_step(ours, learns[batch], advantages[batch])
            measured.append([*told[:1], self._value_step(ours, targets[batch]), *told[1:]])
        numbers = torch.tensor(measured).mean(dim=0).tolist()
        learnt = float(learns.sum()) / max(1, int((decisions.present & decisions.active).sum()))
        return dict(zip(MEASURES, numbers, strict=True)) | {"learnt_share": learnt, "learning_rate": self._rates[0]}

    def _batches(self, n: int) -> Iterator[Tensor]:
        for _ in range(self.settings.n_epochs):
            yield from torch.randperm(n, generator=self.generator).split(self.settings.batch_size)

    def _policy_step(self, decisions: Decisions, learns: Tensor, advantages: Tensor) -> tuple[float, ...]:
        """A step of the actor, from the decisions that were played as they were chosen."""
        if not learns.any():
            return (0.0,) * 4
        heads = self.networks.actor.log_probabilities(decisions.inputs[learns], decisions.masks[learns])
        actions = decisions.actions[learns]
        logs = sum(head.gather(1, actions[:, k : k + 1])[:, 0] for k, head in enumerate(heads))
        entropy = -torch.stack([(head.exp() * head.clamp_min(-1e9)).sum(dim=-1) for head in heads]).sum(dim=0).mean()
        change = logs - decisions.logs[learns]
        loss, kl, clipped = clipped_loss(change, advantages[learns], self.settings.clip_range)
        self.descents[0].step(loss - self._entropy * entropy, self._rates[0], self._steps)
        return tuple(float(number.detach()) for number in (loss, entropy, kl, clipped))

    def _value_step(self, decisions: Decisions, targets: Tensor) -> float:
        """A step of the critics, from all agents that were there; what that of states was wrong by."""
        sees, there = self.view(decisions.present), decisions.present
        losses: list[Tensor] = []
        for critic in self.networks.critics:
            chosen = one_hot(decisions.actions, self.networks.actor.heads) if critic.done is not None else None
            values = critic(decisions.inputs, sees, chosen)[there]
            losses.append(nn.functional.huber_loss(values, targets[there], delta=self.settings.huber_delta))
        self.descents[1].step(torch.stack(losses).sum(), self._rates[1], self._steps)
        return float(losses[0].detach())


def clipped_loss(change: Tensor, advantages: Tensor, clip: float) -> tuple[Tensor, Tensor, Tensor]:
    """PPO's loss of a policy (Schulman et al. 2017, https://arxiv.org/abs/1707.06347), and how far it has gone.

    Args:
        change: Of the logarithms of the probabilities of what was done, ``(n,)``.
        advantages: Of the same, ``(n,)``.
        clip: How far a ratio of probabilities counts from 1.

    Returns:
        The loss; the approximate Kullback-Leibler divergence; the share of the ratios that were clipped.
    """
    ratio = change.exp()
    loss = -torch.minimum(ratio * advantages, ratio.clamp(1.0 - clip, 1.0 + clip) * advantages).mean()
    return loss, (ratio - 1.0 - change).mean(), ((ratio - 1.0).abs() > clip).float().mean()


def one_hot(actions: Tensor, heads: list[int]) -> Tensor:
    """Choices, int64 ``(..., heads)``, as float32 ``(..., options of all heads)``."""
    parts = [nn.functional.one_hot(actions[..., k], n) for k, n in enumerate(heads)]
    return torch.cat(parts, dim=-1).float()

"""What agents know of each other: the others' policies and critics themselves, or estimates from what is observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scml_gym.agents.commitment import policy_gradient_terms as terms
from scml_gym.agents.commitment.networks import Pass, Stack, new_stack
from scml_gym.agents.commitment.rollout import Batch
from scml_gym.commitment.base import one_hot


class Centralised:
    """Every agent sees the others' networks: one view of them, shared by all (an axis of length 1).

    Args:
        stacks: The networks of all agents.
        rngs: Not needed.
        rate: Not needed.
    """

    def __init__(self, stacks: Mapping[str, Stack], rngs: Sequence[np.random.Generator], rate: float) -> None:
        self._stacks = stacks

    def stack(self, name: str) -> Stack:
        """The networks as every agent sees them, stacked ``(seeds, 1, agents)``."""
        own = self._stacks[name]
        return Stack(own.flat[:, None], own.widths[0], own.widths[1], own.widths[-1])

    def believe(self, name: str, own: Pass) -> Pass:
        """The forward pass of those networks."""
        return Pass(*(array[:, None] for array in own))

    def relaxed(self, own: np.ndarray, logits: np.ndarray, temperature: float) -> np.ndarray:
        """Relaxed samples of all commitments: they are known, with their noise."""
        return own[:, None]

    def learn(
        self, batch: Batch, index: np.ndarray, targets: np.ndarray, passes: Mapping[str, Pass], actions: int
    ) -> None:
        """Nothing is estimated."""

    def follow(self) -> None:
        """Nothing is estimated."""

    def own_stacks(self) -> dict[str, Stack]:
        """Nothing of its own is to be saved."""
        return {}


class Decentralised:
    """Agent i holds an estimate of each network of agent j, stacked ``(seeds, i, j)``; for i = j its own network.

    Policies are estimated by maximum likelihood from the proposals, commitments and actions that are seen (actions only
    where no agreement binds), critics by regression on the returns of the others.

    Args:
        stacks: The networks of all agents.
        rngs: One generator for each seed.
        rate: Of Adam.
    """

    def __init__(self, stacks: Mapping[str, Stack], rngs: Sequence[np.random.Generator], rate: float) -> None:
        self._own = stacks
        self._rate = rate
        agents = next(iter(stacks.values())).flat.shape[1]
        self._estimates = {
            name: new_stack(rngs, (agents, agents), stack.widths[0], stack.widths[1], stack.widths[-1])
            for name, stack in stacks.items()
        }
        self._passes: dict[str, Pass] = {}
        self.follow()

    def stack(self, name: str) -> Stack:
        """The estimates, stacked ``(seeds, i, j)``."""
        return self._estimates[name]

    def believe(self, name: str, own: Pass) -> Pass:
        """The forward pass of the estimates on the same rows."""
        made = self._estimates[name].forward(own.x[:, None])
        self._passes[name] = made
        return made

    def relaxed(self, own: np.ndarray, logits: np.ndarray, temperature: float) -> np.ndarray:
        """Relaxed samples of all commitments; the others' noise is not seen and is left out."""
        relaxed = terms.softmax(logits / temperature)
        agents = np.arange(own.shape[1])
        relaxed[:, agents, agents] = own
        return relaxed

    def learn(
        self, batch: Batch, index: np.ndarray, targets: np.ndarray, passes: Mapping[str, Pass], actions: int
    ) -> None:
        """One step of each estimate towards what was seen."""
        rows = batch.m.shape[-1]
        seen = {
            "phi": one_hot(batch.m, actions)[:, None],
            "psi": one_hot(batch.c, 2)[:, None],
            "pi": one_hot(batch.a, actions)[:, None],
        }
        for name, chosen in seen.items():
            error = terms.score(terms.softmax(self._passes[name].out), chosen)
            if name == "pi":
                error *= 1.0 - batch.mutual[:, None, :, :, None]
            self._step(name, error / rows)
        out = self._passes["critic"].out
        played = one_hot(index, out.shape[-1])[:, None]
        values = terms.total(played * out)
        self._step("critic", played * (targets[:, None] - values)[..., None] / rows)

    def _step(self, name: str, error: np.ndarray) -> None:
        stack = self._estimates[name]
        stack.learn(self._passes[name], error, self._rate)

    def follow(self) -> None:
        """An agent's view of itself is itself."""
        for name, own in self._own.items():
            agents = np.arange(own.flat.shape[1])
            self._estimates[name].flat[:, agents, agents] = own.flat

    def own_stacks(self) -> dict[str, Stack]:
        """The estimates, to be saved."""
        return {f"estimated_{name}": stack for name, stack in self._estimates.items()}


ESTIMATES = {"centralised": Centralised, "decentralised": Decentralised}
"""By the name in the hyperparameters."""

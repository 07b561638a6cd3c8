"""What a trained network thinks of its own action: its value, and how likely the action was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Discrete, MultiDiscrete
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.dqn.policies import DQNPolicy

from scml_gym.game.world import Predict


@dataclass(frozen=True)
class ThoughtfulPredict:
    """A learner's ``predict`` that also says what its network thinks: a `scml_gym.game.telling.Thoughtful`.

    Attributes:
        predict: The learner's.
        policy: Its network, of Stable-Baselines3.
    """

    predict: Predict
    policy: Any

    def __call__(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """The learner's action."""
        return self.predict(observation, state, mask, deterministic)

    def thoughts(self, observation: Any, mask: np.ndarray | None, action: Any) -> dict[str, float]:
        """``value``, the reward that is expected from here on; of choices also ``probability`` of the action, and
        ``entropy`` of all choices, in nats. A recurrent network and one of another kind say nothing."""
        return network_thoughts(self.policy, observation, mask, action)


def network_thoughts(policy: Any, observation: Any, mask: np.ndarray | None, action: Any) -> dict[str, float]:
    """See `ThoughtfulPredict.thoughts`."""
    if not isinstance(policy, ActorCriticPolicy | MaskableActorCriticPolicy | DQNPolicy) or hasattr(
        policy, "lstm_actor"
    ):
        return {}
    seen, _ = policy.obs_to_tensor(observation)
    with torch.no_grad():
        if isinstance(policy, DQNPolicy):
            return {"value": float(policy.q_net(seen)[0, int(action)])}
        told = {"value": float(policy.predict_values(seen))}
        if not isinstance(policy.action_space, Discrete | MultiDiscrete):
            return told
        masked = isinstance(policy, MaskableActorCriticPolicy)
        choices = policy.get_distribution(seen, mask) if masked else policy.get_distribution(seen)
        chosen = torch.as_tensor(np.asarray(action)[None], device=policy.device)
        entropy: Any = choices.entropy()
        return told | {"probability": float(choices.log_prob(chosen).exp()), "entropy": float(entropy)}

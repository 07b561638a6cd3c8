"""standard_negotiations_v0, many at once: the PettingZoo environment of that name as a native vector environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments
from scml_gym.game.encoders import RowEncoder
from scml_gym.jit.compile import jittable
from scml_gym.simulator.vector.concurrent import Agents
from scml_gym.simulator.vector.env import check_batched
from scml_gym.simulator.vector.partners import PartnersVectorEnv
from scml_gym.standard.actions import ChoiceActions, PartnerChoices
from scml_gym.standard.actions.safe import shielded
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.envs.partner_agents import AGENTS
from scml_gym.standard.envs.vector.track import TRACK
from scml_gym.standard.observations import PartnerEncoder
from scml_gym.standard.observations.encoding import encode_one_partner, encode_partner
from scml_gym.standard.observations.features import PARTNER_FEATURES
from scml_gym.standard.rewards import Reward, make_reward
from scml_gym.standard.view import MAX_PARTNERS, StandardView
from scml_gym.vector.env import SINGLE

N_PARTNER = len(PARTNER_FEATURES)


@named_arguments(StandardConfig, single=SINGLE)
class StandardNegotiationsVectorEnv(PartnersVectorEnv):
    """`scml_gym.standard.envs.standard_negotiations_v0.StandardNegotiationsEnv`, many at once, in compiled code.

    Each agent is a row: those of world ``i`` are the 16 rows from ``16 * i`` on, in the order of ``possible_agents``
    (8 suppliers, then 8 consumers), whether the world has such a partner or not; so every array has the same shape in
    every step. World ``i`` of a batch that was reset with ``seed`` is the PettingZoo environment reset with ``seed +
    i``, to the last bit of its observations, masks and rewards, and its later episodes are those of that environment's
    unseeded ``reset()``, whatever the number of worlds and of threads.

    Of ``n = 16 * num_worlds`` rows, ``reset`` and ``step`` give observations, float32 ``(n, 116)``; rewards, float64
    ``(n,)``, the same for the 16 rows of a world; terminations, bool ``(n,)``, likewise;
    ``infos["action_mask"]``, bool ``(n, 28)``, the valid numbers head after head; and ``infos["active"]``, bool
    ``(n,)``: whether the row has something to answer (the ``my_turn`` of the PettingZoo environment). Other rows have
    only the no-op, and what is chosen in them changes nothing: leave them out of a policy's loss. Whether a row's
    partner is there at all says the feature ``exists``, the first of the partner's. Actions are int64 ``(n, 4)``.

    A critic that sees all negotiations of a factory takes ``observations.reshape(num_worlds, 16, 116)``.

    Args:
        num_worlds: Worlds, of 16 rows each.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`; all rows of a world end together.
        threads: Threads that share the worlds.
        quantity_bins: As the PettingZoo environment's, like all that follow.

    Example:
        >>> from scml_gym.standard.envs import standard_negotiations_v0
        >>> envs = standard_negotiations_v0.vector_env(num_worlds=4, days=4)
        >>> observations, infos = envs.reset(seed=7)
        >>> observations.shape, infos["action_mask"].shape, infos["active"].shape
        ((64, 116), (64, 28), (64,))

    Raises:
        InputError: for a value that the PettingZoo environment refuses; for what cannot be compiled: an opponent that
            is no strategy, the backend ``"reference"``, ``strict``, or a reward of one's own.
    """

    track = TRACK

    def __init__(
        self,
        num_worlds: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        quantity_bins: int = 10,
        price_bins: int = 4,
        reward: str | Reward = "daily-profit",
        **arguments: Any,
    ):
        check_batched(num_worlds, arguments, "num_worlds", "parallel_env")
        config = StandardConfig(**arguments)
        choices, encoder = PartnerChoices(quantity_bins, price_bins), PartnerEncoder()
        super().__init__(
            num_worlds,
            autoreset_mode,
            threads,
            config,
            RowEncoder(dict.fromkeys(AGENTS, encoder.features), encode_rows),
            shielded(ChoiceActions(choices), config.shield, config.audit),
            make_reward(reward),
            Agents(AGENTS, encoder.space, choices.space),
        )


@jittable
def encode_rows(view: StandardView, out: np.ndarray) -> None:
    """What each of the 16 agents is shown, shape ``(16, 116)``: the same of the factory and of its days, and each its
    partner."""
    encode_one_partner(view, 0, out[0])
    shared = out.shape[1] - N_PARTNER
    for k in range(1, MAX_PARTNERS):
        out[k, :shared] = out[0, :shared]
        encode_partner(view, k, out[k, shared:])

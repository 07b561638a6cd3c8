"""oneshot_negotiations_v0, many at once: the PettingZoo environment of that name as a native vector environment."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments
from scml_gym.game.kernels import EncoderKernel
from scml_gym.game.rewards import KernelReward
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.actions.factory import ChoiceActions
from scml_gym.oneshot.envs.config import OneShotConfig, answered_together
from scml_gym.oneshot.envs.partner_codec import AGENTS, PartnerCodec, negotiation_reward
from scml_gym.oneshot.envs.vector.bilateral import compiled_reward
from scml_gym.oneshot.envs.vector.bilateral_step import partner_kernel
from scml_gym.oneshot.envs.vector.track import TRACK
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.rewards.partner_ends import partner_ends_kernel
from scml_gym.oneshot.view import FactoryView
from scml_gym.simulator.vector.concurrent import Agents
from scml_gym.simulator.vector.env import check_batched
from scml_gym.simulator.vector.partners import PartnersVectorEnv
from scml_gym.vector.env import SINGLE, Information


class NegotiationOutputs(NamedTuple):
    """`scml_gym.simulator.vector.rows.Outputs`, with rewards by row, and which negotiations ended."""

    observations: np.ndarray  # (n, size)
    masks: np.ndarray  # bool (n, choices)
    rewards: np.ndarray  # float64 (8 n,)
    done: np.ndarray  # bool (n,)
    measures: np.ndarray  # float64 (n,)
    errors: np.ndarray  # int64 (n,)
    ended: np.ndarray  # bool (n,)
    summaries: Any  # the track's summaries (n,)
    notes: np.ndarray  # bool (2,)
    negotiation_end: np.ndarray  # bool (8 n,)


@named_arguments(OneShotConfig, single=SINGLE)
class OneShotNegotiationsVectorEnv(PartnersVectorEnv):
    """`scml_gym.oneshot.envs.oneshot_negotiations_v0.OneShotNegotiationsEnv`, many at once, in compiled code.

    Each agent is a row: those of world ``i`` are the 8 rows from ``8 * i`` on, in the order of ``possible_agents``,
    whether the world has such a partner or not; so every array has the same shape in every step. World ``i`` of a batch
    that was reset with ``seed`` is the PettingZoo environment reset with ``seed + i``, to the last bit of its
    observations, masks and rewards, and its later episodes are those of that environment's unseeded ``reset()``,
    whatever the number of worlds and of threads.

    Of ``n = 8 * num_worlds`` rows, ``reset`` and ``step`` give observations, int64 ``(n,)``, or float32 ``(n, 25)``
    with ``observation="flat"``; rewards, float64 ``(n,)``; terminations, bool ``(n,)``; ``infos["action_mask"]``, bool
    ``(n, 22)``; ``infos["negotiation_end"]``, bool ``(n,)``, across which a learner must not bootstrap; and
    ``infos["active"]``, bool ``(n,)``: whether the row has something to answer. Other rows have only the no-op, and
    what is chosen in them changes nothing. Actions are int64 ``(n,)``.

    Args:
        num_worlds: Worlds, of 8 rows each.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`; all rows of a world end together.
        threads: Threads that share the worlds.
        observation: As the PettingZoo environment's, like all that follow.

    Example:
        >>> from scml_gym.oneshot.envs import oneshot_negotiations_v0
        >>> envs = oneshot_negotiations_v0.vector_env(num_worlds=4, days=3)
        >>> observations, infos = envs.reset(seed=7)
        >>> observations.shape, infos["action_mask"].shape, infos["active"].shape
        ((32,), (32, 22), (32,))

    Raises:
        InputError: for a value that the PettingZoo environment refuses; for what cannot be compiled: an opponent that
            is no strategy, the backend ``"reference"``, ``strict``, or a reward that computes its own numbers.
    """

    track = TRACK

    def __init__(
        self,
        num_worlds: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        observation: str = "full",
        quantity_bins: int = 10,
        price_bins: int = 2,
        reward: NegotiationReward | None = None,
        **arguments: Any,
    ):
        check_batched(num_worlds, arguments, "num_worlds", "parallel_env")
        codec = PartnerCodec(observation, quantity_bins, price_bins)
        rows: Any = PartnerRows(codec)
        super().__init__(
            num_worlds,
            autoreset_mode,
            threads,
            answered_together(**arguments),
            rows,
            ChoiceActions(codec.actions),
            KernelReward(partner_ends_kernel(compiled_reward(negotiation_reward(reward)))),
            Agents(AGENTS, codec.observation_space, codec.action_space),
        )

    def _new_outputs(self) -> NegotiationOutputs:
        parts = super()._new_outputs()._asdict() | {"rewards": np.zeros(self.num_envs)}
        return NegotiationOutputs(**parts, negotiation_end=np.zeros(self.num_envs, dtype=np.bool_))

    def _advance(self, actions: np.ndarray, outputs: Any, resting: np.ndarray) -> None:
        super()._advance(actions, outputs, resting)
        followed = self._plan.learner.rewards[: self.num_worlds]
        outputs.rewards[:] = followed["paid"].reshape(-1)
        outputs.negotiation_end[:] = followed["ended"].reshape(-1)

    def _kept(self, outputs: Any) -> Any:
        return super()._kept(outputs)._replace(negotiation_end=outputs.negotiation_end.copy())

    def _keep(self, outputs: Any, before: Any) -> None:
        super()._keep(outputs, before)
        outputs.negotiation_end[:] = before.negotiation_end

    def _reset_rows(self, indices: np.ndarray, outputs: Any, seeded: np.ndarray) -> None:
        super()._reset_rows(indices, outputs, seeded)
        outputs.negotiation_end.reshape(self.num_worlds, -1)[indices] = False

    def _information(self, outputs: Any, rows: np.ndarray) -> Information:
        """As all environments of partners, and which negotiations ended."""
        information = super()._information(outputs, rows)
        return information | {"negotiation_end": outputs.negotiation_end, "_negotiation_end": rows}


class PartnerRows:
    """What all agents are shown, agent after agent, as compiled code takes it.

    Args:
        codec: Of one of them.
    """

    full = False

    def __init__(self, codec: PartnerCodec):
        self._encode, parameters, self._size = partner_kernel(codec.encoder)
        self._parameters = parameters.tobytes(), parameters.dtype
        self.space = codec.observation_space
        self.features = [f"{agent}[{i}]" for agent in AGENTS for i in range(self._size)]

    @property
    def kernel(self) -> EncoderKernel:
        """As compiled code takes it."""
        return rows_kernel(self._encode, *self._parameters, self._size)


@functools.cache
def rows_kernel(encode_partner: Any, parameters: bytes, dtype: np.dtype, size: int) -> EncoderKernel:
    """The encoder of one negotiation, for all of a factory."""
    numbers, n = np.frombuffer(parameters, dtype=dtype), len(AGENTS)

    @jittable
    def encode(view: FactoryView, hidden_state: np.ndarray, offer_history: np.ndarray, out: np.ndarray) -> None:
        for k in range(n):
            encode_partner(view, k, numbers, out[k * size : (k + 1) * size])

    return EncoderKernel(encode, (0, 0, 0))

"""OneShotBilateral, many at once: the environment of that name as a native vector environment."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments, one_of, whole
from scml_gym.core.errors import InputError
from scml_gym.game.codecs import NotCompiledError
from scml_gym.oneshot.envs.config import OneShotConfig, answered_together
from scml_gym.oneshot.envs.partner_codec import PartnerCodec, negotiation_reward
from scml_gym.oneshot.envs.vector.bilateral_step import DRAWN, NEGOTIATION_DTYPE, Learner, compile_step, partner_kernel
from scml_gym.oneshot.envs.vector.track import TRACK
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.simulator.compiled.advance import OVER
from scml_gym.simulator.compiled.player_table import make_player_table
from scml_gym.simulator.vector.batch import allocate, make_source
from scml_gym.simulator.vector.env import BatchedEnv, BatchPlan, check_batched
from scml_gym.simulator.vector.rows import Outputs
from scml_gym.vector.env import SINGLE, Information
from scml_gym.vector.jobs import BatchStep


@named_arguments(OneShotConfig, without=["recording"], single=(*SINGLE, "recording"))
class OneShotBilateralVectorEnv(BatchedEnv):
    """`scml_gym.oneshot.envs.bilateral.OneShotBilateralEnv`, many at once, in compiled code.

    Row ``i`` of a batch that was reset with ``seed`` is the single environment reset with ``seed + i``, to the last bit
    of its observations, masks and rewards, and its later episodes are those of that environment's unseeded ``reset()``,
    whatever the number of rows and of threads. Observations are int64 of shape ``(num_envs,)``, or float32 of shape
    ``(num_envs, 25)`` with ``observation="flat"``; actions int64 of shape ``(num_envs,)``; masks one array,
    ``infos["action_mask"]``, bool, shape ``(num_envs, choices)``. ``infos["negotiation_end"]`` is a dict of arrays.

    Args:
        num_envs: Rows.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the rows.
        partner: As the single environment's, like all that follow.

    Example:
        >>> import gymnasium, scml_gym
        >>> envs = gymnasium.make_vec("scml_gym/OneShotBilateral-v0", num_envs=4, days=3)
        >>> observations, infos = envs.reset(seed=7)
        >>> observations.shape, infos["action_mask"].shape
        ((4,), (4, 22))

    Raises:
        InputError: for a value that the single environment refuses; for what cannot be compiled: an opponent that is
            no strategy, the backend ``"reference"`` or a reward that computes its own numbers.
    """

    track = TRACK

    def __init__(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        partner: int | None = None,
        others: str = "best-subset",
        observation: str = "full",
        quantity_bins: int = 10,
        price_bins: int = 2,
        reward: NegotiationReward | None = None,
        episode: str = "negotiation",
        **arguments: Any,
    ):
        one_of("episode", episode, ("negotiation", "world"))
        check_batched(num_envs, arguments)
        config, codec = answered_together(**arguments), PartnerCodec(observation, quantity_bins, price_bins)
        self.single_observation_space, self.single_action_space = codec.observation_space, codec.action_space
        self._encoder = codec.encoder
        kernel = partner_kernel(codec.encoder)
        makers = [*config.makers, partial(StrategyPolicy, STRATEGIES.get(others, "others"))]
        player_table = make_player_table(makers, TRACK.interface)
        source, days = make_source(TRACK, config, player_table._replace(players=player_table.players[:-1]), num_envs)
        self._learner = Learner(
            player_table.players[-1:].copy(),
            compiled_reward(negotiation_reward(reward)).params,
            kernel.parameters,
            np.zeros(num_envs, dtype=NEGOTIATION_DTYPE),
            DRAWN if partner is None else whole("partner", partner, least=0),
            int(episode == "world"),
            codec.actions.quantity_bins,
            codec.actions.price_bins,
        )
        plan = BatchPlan(
            config,
            source,
            allocate(TRACK.layout, num_envs, days, TRACK.settings(config), player_table),
            player_table,
            self._learner,
            n_choices=codec.actions.n,
            size=kernel.size,
            action_dtype=np.int64,
            action_shape=(),
            goes_on=episode == "negotiation",
            always_asked=True,
        )
        super().__init__(num_envs, autoreset_mode, threads, plan)

    def _make_step(self) -> BatchStep:
        """See `BatchedEnv`."""
        return compile_step(partner_kernel(self._encoder).encode)

    def _with_addresses(self) -> list[np.ndarray]:
        return [*super()._with_addresses(), self._learner.others]

    def _settle_resets(self, indices: np.ndarray, outputs: Outputs) -> None:
        super()._settle_resets(indices, outputs)
        rows = self._batch.rows
        wrong = indices[outputs.errors[indices] > 0]
        if len(wrong):
            rows["status"][wrong] = OVER
            view = self._batch.worlds["views"][wrong[0], rows["factory"][wrong[0]]]
            partner, n = self._learner.negotiations["partner"][wrong[0]], view["n_partners"]
            raise InputError(f"row {wrong[0]}: partner={partner}: this world's factory has partners 0 to {n - 1}")

    def _information(self, outputs: Outputs, rows: np.ndarray) -> Information:
        """Masks and partners of some rows, how negotiations ended, and a summary where episodes did."""
        negotiations = self._learner.negotiations
        information = {"action_mask": outputs.masks, "_action_mask": rows}
        information |= self._columns(rows, {"partner": negotiations["partner"][rows]})
        ended = rows & (negotiations["ended"] > 0)
        if ended.any():
            end = self._columns(ended, {n: negotiations[n][ended] for n in ("quantity", "price", "needs", "reward")})
            information |= {"negotiation_end": end, "_negotiation_end": ended}
        self._summarise(outputs, information)
        return information


def compiled_reward(reward: NegotiationReward) -> NegotiationReward:
    """The reward, which compiled code takes as its numbers.

    Raises:
        NotCompiledError: if it does more than to hold them.
    """
    kind = type(reward)
    if (kind.accepted, kind.ended) != (NegotiationReward.accepted, NegotiationReward.ended):
        raise NotCompiledError(
            f"reward: {kind.__name__} is for single environments (vectorization_mode='sync', parallel_env)", "reward"
        )
    return reward

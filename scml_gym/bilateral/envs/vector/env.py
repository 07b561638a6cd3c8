"""BilateralAcceptance and Bilateral, many at once: the environments of these names as native vector environments."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.bilateral.envs.codecs import ACCEPTANCE, BilateralCodec, offers_codec
from scml_gym.bilateral.envs.config import AnyScenario, BilateralConfig, Opponent, acceptance_config
from scml_gym.bilateral.envs.vector.batch import NegotiationBatch, Row
from scml_gym.bilateral.envs.vector.step import Results
from scml_gym.bilateral.negotiators.base import NO_OFFER
from scml_gym.bilateral.render import render_negotiation
from scml_gym.bilateral.rewards import BilateralReward, RewardPart, make_reward
from scml_gym.bilateral.view import ACCEPTED_BY
from scml_gym.core.arguments import MOST_ENVS, named_arguments, whole
from scml_gym.core.errors import InputError
from scml_gym.vector.env import SINGLE, Information, RowVectorEnv


class NegotiationVectorEnv(RowVectorEnv):
    """Equal rows of negotiations as a Gymnasium vector environment; see `scml_gym.vector.env.RowVectorEnv`.

    Args:
        num_envs: Rows.
        autoreset_mode: As `RowVectorEnv`.
        threads: Likewise.
        config: Which negotiations are played.
        codec: What the learner sees and answers.
        reward: What is paid.
        backend: ``"compiled"``; no other can be batched.

    Raises:
        InputError: for another backend, or what `NegotiationBatch` refuses.
    """

    def __init__(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode | str,
        threads: int,
        config: BilateralConfig,
        codec: BilateralCodec,
        reward: BilateralReward,
        backend: str,
    ):
        whole("num_envs", num_envs, 1, MOST_ENVS)
        if backend != "compiled":
            raise InputError(f"backend={backend!r} cannot be batched: use vectorization_mode='sync'", "backend")
        self.config, self.reward = config, reward
        self.single_observation_space, self.single_action_space = codec.observation_space, codec.action_space
        super().__init__(num_envs, autoreset_mode, threads, np.int64)
        self._batch = NegotiationBatch(codec, [Row(config.negotiation, reward)] * self.num_envs, self._in_threads)

    def _prepare(self) -> None:
        self._batch.run_by(self._in_threads)

    def _draw(self, row: int, mode: str) -> Any:
        """See `RowVectorEnv.draw`: the round and both sides' last offers."""
        return render_negotiation(self._batch.views[row], self._batch.scenario(row), mode)

    def _new_outputs(self) -> Results:
        return self._batch.new_results()

    def _advance(self, actions: np.ndarray, outputs: Results, resting: np.ndarray) -> None:
        self._batch.step(actions, np.flatnonzero(~resting), outputs)
        self._reset_rows(np.flatnonzero(resting), outputs, np.zeros(self.num_envs, dtype=np.bool_))

    def _reset_rows(self, indices: np.ndarray, outputs: Results, seeded: np.ndarray) -> None:
        self._batch.reset(indices, self._seeds.draw(indices), outputs)

    def _information(self, outputs: Results, rows: np.ndarray) -> Information:
        """Masks of some rows, and how the negotiations of those that are done ended."""
        information = {"action_mask": outputs.masks, "_action_mask": rows}
        done = rows & outputs.done
        if done.any():
            information |= self._columns(done, endings(self._batch.views[done], self._batch.invalid[done]))
        return information


def endings(views: np.ndarray, invalid: np.ndarray) -> dict[str, np.ndarray]:
    """`scml_gym.bilateral.envs.base.ending` of many views, as columns."""
    return {
        "utility": views["utility"],
        "opponent_utility": views["opponent_utility"],
        "agreement": views["agreement"] != NO_OFFER,
        "outcome": views["agreement"],
        "round": views["step"] + 1,
        "accepted_by": ACCEPTED_BY[views["accepted_by"]],
        "invalid_actions": invalid.astype(np.int64),
    }


@named_arguments(single=(*SINGLE, "recording"))
class BilateralAcceptanceVectorEnv(NegotiationVectorEnv):
    """`scml_gym.bilateral.envs.acceptance.BilateralAcceptanceEnv`, many at once, in compiled code.

    Row ``i`` of a batch that was reset with ``seed`` is the single environment reset with ``seed + i``, to the last bit
    of its observations, masks and rewards, whatever the number of rows and of threads. Observations are float32 of
    shape ``(num_envs, 2)``, actions int64 of shape ``(num_envs,)``, masks one array, ``infos["action_mask"]``, bool,
    shape ``(num_envs, 2)``.

    Args:
        num_envs: Rows.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the rows.
        scenario: As the single environment's, like all that follow.

    Example:
        >>> import gymnasium, scml_gym
        >>> envs = gymnasium.make_vec("scml_gym/BilateralAcceptance-v0", num_envs=4, opponent="boulware")
        >>> observations, infos = envs.reset(seed=7)
        >>> observations.shape, infos["action_mask"].shape
        ((4, 2), (4, 2))

    Raises:
        InputError: for a value that the single environment refuses; for what cannot be compiled.
    """

    def __init__(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        scenario: AnyScenario = "Party",
        profile: int = 0,
        opponent: Opponent = "AgentK",
        rounds: int = 100,
        opponent_first: bool = True,
        accept_reward: str | RewardPart = "a",
        offer_reward: str | RewardPart = "b",
        failure_penalty: float = 0.0,
        bids: Opponent = "AgentK",
        backend: str = "compiled",
    ):
        config = acceptance_config(scenario, profile, opponent, rounds, opponent_first, bids)
        reward = make_reward(accept_reward, offer_reward, failure_penalty)
        super().__init__(num_envs, autoreset_mode, threads, config, ACCEPTANCE, reward, backend)


@named_arguments(single=(*SINGLE, "recording"))
class BilateralVectorEnv(NegotiationVectorEnv):
    """`scml_gym.bilateral.envs.offers.BilateralEnv`, many at once, in compiled code.

    Row ``i`` of a batch that was reset with ``seed`` is the single environment reset with ``seed + i``, as in
    `BilateralAcceptanceVectorEnv`, which the shapes follow too.

    Args:
        num_envs: Rows.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the rows.
        scenario: As the single environment's, like all that follow.

    Example:
        >>> import gymnasium, scml_gym
        >>> envs = gymnasium.make_vec("scml_gym/Bilateral-v0", num_envs=4, action="target", opponent="boulware")
        >>> observations, infos = envs.reset(seed=7)
        >>> observations.shape, infos["action_mask"].shape
        ((4, 5), (4, 23))

    Raises:
        InputError: for a value that the single environment refuses; for what cannot be compiled.
    """

    def __init__(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        scenario: AnyScenario = "Party",
        profile: int = 0,
        opponent: Opponent = "AgentK",
        rounds: int = 100,
        opponent_first: bool = True,
        action: str = "outcome",
        targets: int = 21,
        history: int = 0,
        accept_reward: str | RewardPart = "a",
        offer_reward: str | RewardPart = "a",
        failure_penalty: float = 0.0,
        backend: str = "compiled",
    ):
        config = BilateralConfig(scenario, profile, opponent, rounds, opponent_first)
        codec = offers_codec(action, config.most_outcomes, targets, history)
        reward = make_reward(accept_reward, offer_reward, failure_penalty)
        super().__init__(num_envs, autoreset_mode, threads, config, codec, reward, backend)

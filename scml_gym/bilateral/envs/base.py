"""What the single environments of bilateral negotiations share: an episode is one negotiation in one of two worlds."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import gymnasium
import numpy as np

from scml_gym.bilateral.envs.codecs import BilateralCodec
from scml_gym.bilateral.envs.config import BILATERAL_BACKENDS, BilateralConfig
from scml_gym.bilateral.negotiators.base import NO_OFFER
from scml_gym.bilateral.recording import record_world
from scml_gym.bilateral.render import render_negotiation
from scml_gym.bilateral.rewards import BilateralReward
from scml_gym.bilateral.view import ACCEPTED_BY, LEARNER, BilateralView, mean_received
from scml_gym.bilateral.worlds.protocol import BilateralWorld, Negotiation
from scml_gym.bilateral.worlds.recorded import RecordedWorld
from scml_gym.core.arguments import check_render_mode
from scml_gym.core.errors import InputError, require_reset
from scml_gym.core.masks import sampling_mask
from scml_gym.core.threads import one_thread
from scml_gym.game.codecs import read_choice
from scml_gym.game.env import MOST_WORLDS
from scml_gym.game.rendering import RENDER_MODES
from scml_gym.simulator.recording.folder import Recording, new_log


class NegotiationEnv(gymnasium.Env[np.ndarray, np.int64]):
    """An episode is a negotiation; its draws come from the number that ``reset`` takes from the seeded generator.

    Args:
        config: Which negotiations are played.
        codec: What the learner sees and answers.
        reward: What is paid.
        backend: ``"compiled"`` or ``"reference"``.
        render_mode: ``"ansi"``, ``"rgb_array"`` or None.
        recording: A folder that every negotiation is recorded to which is played to its end, or None.

    Raises:
        InputError: for an unknown backend or render mode, an opponent that the backend cannot play, or a folder that
            is no recording.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}

    def __init__(
        self,
        config: BilateralConfig,
        codec: BilateralCodec,
        reward: BilateralReward,
        backend: str,
        render_mode: str | None,
        recording: str | os.PathLike[str] | None = None,
    ):
        check_render_mode(render_mode, RENDER_MODES)
        self.config, self.codec, self.reward, self.render_mode = config, codec, reward, render_mode
        self.observation_space, self.action_space = codec.observation_space, codec.action_space
        self._make_world = BILATERAL_BACKENDS.get(backend, "backend")
        self._offer_history = np.zeros((codec.history, 2), dtype=np.float32)
        self._negotiation: Negotiation | None = None
        self._world: BilateralWorld | None = None
        self._begun = False
        self._recording = None if recording is None else Recording(recording)
        self._start(0)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin the next negotiation and run to the learner's first turn.

        Raises:
            InputError: if an opponent of negmas ends a hundred negotiations in a row before that.
        """
        super().reset(seed=seed)
        self._begun = False
        for _ in range(MOST_WORLDS):
            episode = int(self.np_random.integers(2**62))
            world = self._start(episode)
            world.start(episode)
            if world.view["running"]:
                self._offer_history[:] = 0.0
                self._begun = True
                return self.codec.observe(world.view, self._offer_history), {"action_mask": self._mask()}
        raise InputError(f"{MOST_WORLDS} negotiations in a row ended before the learner was asked")

    @one_thread
    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Answer the opponent and run to the learner's next turn, or to the end of the negotiation."""
        world, view = self._world, self.view
        if not self._begun or not view["running"]:
            raise gymnasium.error.ResetNeeded("call reset before step")
        action = read_choice(action, self.codec.n_choices)
        response = self.codec.decode(action, view, self.table)
        valid = bool(self.codec.mask(view)[action])
        refused = bool(response >= 0 and view["offer"] != NO_OFFER)
        utility, mean = float(view["offer_utility"]), float(mean_received(view))
        assert world is not None
        world.answer(response)
        reward, done = self.reward.step_reward(refused, utility, mean, view), not view["running"]
        info: dict[str, Any] = {"action_mask": self._mask()}
        if done:
            info |= ending(view) | {"invalid_actions": int(not valid)}
        return self.codec.observe(view, self._offer_history), reward, done, False, info

    @property
    def view(self) -> BilateralView:
        """What the learner sees now: a live record."""
        assert self._world is not None
        return self._world.view

    @property
    def table(self) -> Any:
        """The learner's preferences, a `scml_gym.bilateral.negotiators.base.Table`."""
        assert self._negotiation is not None
        return self._negotiation.tables[LEARNER]

    def action_masks(self) -> np.ndarray:
        """The valid actions, bool, as sb3-contrib takes them.

        Raises:
            InputError: before ``reset``.
        """
        require_reset(self._begun, "action_masks")
        return self.codec.mask(self.view)

    def render(self) -> Any:
        """The round and both sides' last offers, as text, or as a picture: uint8, shape ``(height, width, 3)``."""
        if self.render_mode is None or self._negotiation is None:
            return None
        require_reset(self._begun, "render")
        return render_negotiation(self.view, self._negotiation.scenario, self.render_mode)

    def close(self) -> None:
        """Give up a running negotiation; ``reset`` begins the next one."""
        self._begun = False
        if self._world is not None:
            self._world.close()

    def _mask(self) -> np.ndarray:
        return sampling_mask(self.action_masks(), self.action_space)

    def _start(self, seed: int) -> BilateralWorld:
        """The world of an episode's negotiation; a new one where that is another than before."""
        negotiation = self.config.negotiation(seed)
        world = self._world
        if world is None or negotiation is not self._negotiation:
            if world is not None:
                world.close()
            world = self._world = self._new_world(negotiation)
            self._negotiation = negotiation
        return world

    def _new_world(self, negotiation: Negotiation) -> BilateralWorld:
        world = self._make_world(negotiation)
        if self._recording is None:
            return world
        players = [negotiation.opponent, negotiation.opponent]
        players[negotiation.profile] = None
        return RecordedWorld(world, negotiation, partial(new_log, self._recording, record_world, players))


def ending(view: BilateralView) -> dict[str, Any]:
    """How a negotiation ended, as the last step's ``info`` tells it."""
    return {
        "utility": float(view["utility"]),
        "opponent_utility": float(view["opponent_utility"]),
        "agreement": bool(view["agreement"] != NO_OFFER),
        "outcome": int(view["agreement"]),
        "round": int(view["step"]) + 1,
        "accepted_by": str(ACCEPTED_BY[view["accepted_by"]]),
    }

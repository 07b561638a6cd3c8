"""A Gymnasium environment over any world: one player of a world is the learner's, a step is a decision of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from scml_gym.core.errors import InputError, require_reset
from scml_gym.core.masks import sampling_mask
from scml_gym.core.threads import WrongThreadError, one_thread
from scml_gym.game.codecs import ActionCodec, Encoder, Reward, Transition, end_day, read_action, told_by
from scml_gym.game.rewards import pay
from scml_gym.game.world import Actions, Drawn, View

MOST_WORLDS = 100
"""Where an episode needs a decision of the learner: worlds that are drawn before it is given up."""


def no_more(closed: Sequence[View]) -> dict[str, Any]:
    """Nothing beside the mask and the summary."""
    return {}


@dataclass(frozen=True)
class EnvParts:
    """What an environment over worlds is made of.

    Attributes:
        draw: ``(seed) -> Drawn``: the world of an episode, with the learner's player in it.
        encoder: What it is shown.
        codec: What it may answer.
        reward: What it is paid.
        no_ops: ``() -> actions`` that answer nothing; where an answer is due, they end it.
        validate: ``(view, actions) -> None``: refuses answers that are not playable, with an `InputError`.
        more_info: ``(closed) -> infos`` of a step in which those days ended, see `Transition`.
        render: ``(view, mode) -> picture or text``; None for a game that is not drawn.
    """

    draw: Callable[[int], Drawn]
    encoder: Encoder
    codec: ActionCodec
    reward: Reward
    no_ops: Callable[[], Actions]
    validate: Callable[[View, Actions], None]
    more_info: Callable[[Sequence[View]], dict[str, Any]] = no_more
    render: Callable[[View, str], Any] | None = None


class WorldEnv(gymnasium.Env):
    """An environment over worlds; an unseeded ``reset`` goes on with the next world of the stream, or its next day.

    At every step infos have ``action_mask``, and with the last step of a world its summary.

    Args:
        parts: What it is made of.
        per_day: Whether each day of a world on which the learner is asked is an episode; else the world is.
        strict: Whether an invalid answer raises.
        render_mode: As the parts' ``render`` takes it, or None.

    Raises:
        InputError: in strict mode for an invalid action; with ``per_day`` where nobody asks the learner in any of many
            worlds; for what is used before ``reset`` or after ``close``; if a strategy raises in the compiled world, or
            a reward gives no finite number.

    Attributes:
        world: The one that is played.
        player: The learner's index in it.
    """

    world: Any
    player: int

    def __init__(self, parts: EnvParts, per_day: bool = False, strict: bool = False, render_mode: str | None = None):
        self.encoder, self.codec, self.reward = parts.encoder, parts.codec, parts.reward
        self.observation_space, self.action_space = parts.encoder.space, parts.codec.space
        self.strict = strict
        self.render_mode = render_mode
        self._parts = parts
        self._per_day = per_day
        self._drawn: Drawn | None = None
        self._begun = self._over = False

    @one_thread
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Draw the next world and run it to the learner's first decision, or go on to the next day."""
        super().reset(seed=seed)
        begun, self._begun = self._begun, False
        if seed is not None or not self._per_day or not begun or not self._next_day():
            self._draw()
        self._seen = self.view
        self._day = int(self.view["day"])
        self.reward.reset(self.view)
        self._begun, self._over = True, False
        return self.encoder.encode(self._seen, self._hidden_state()), self._info([])

    @one_thread
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Give the learner's answer and run on to its next decision."""
        if not self._begun or self._over:
            raise gymnasium.error.ResetNeeded("call reset before step")
        before = self.view.copy()
        if self.world.pending:  # else nobody ever asked the learner, and the only step settles the whole world
            actions = self.codec.decode(read_action(action), self.view)
            if self.strict:
                self._parts.validate(self.view, actions)
            self._answer(actions)
        closed, self._closed = self._closed, []
        if self._per_day:
            closed = [last for last in closed if last["day"] == self._day]
        first = int(closed[0]["day"]) if closed else 0
        profits = self.world.profits[self.player, first : first + len(closed)]
        done = self._over = bool(closed) if self._per_day else bool(self.world.done)
        self._seen = closed[-1] if self._per_day and done else self.view
        reward = pay(self.reward, Transition(before, self._seen, closed, profits, done))
        encode = self.encoder.encode_last if done else self.encoder.encode
        return encode(self._seen, self._hidden_state()), reward, done, False, self._info(closed)

    @property
    def goes_on(self) -> bool:
        """Whether an unseeded reset goes on in the running world."""
        return self._per_day

    @property
    def view(self) -> View:
        """What the learner's player sees now: a live record."""
        require_reset(self._drawn is not None, "view")
        return self.world.view(self.player)

    def action_masks(self) -> np.ndarray:
        """The valid choices, bool, shape ``(sum of the dimensions,)``, as sb3-contrib takes them."""
        require_reset(self._begun, "action_masks")
        return self._mask()

    def sample_mask(self) -> Any:
        """The same mask as ``action_space.sample(mask=...)`` takes it: an int8 array for each dimension."""
        return sampling_mask(self.action_masks(), self.action_space)

    def close(self) -> None:
        """End the running world; ``reset`` draws another one."""
        self._begun = False
        if self._drawn is not None:
            self._drawn.world.close()
            self._drawn = None

    def render(self) -> Any:
        """The day in the ``render_mode``."""
        if self.render_mode is None or self._parts.render is None:
            return None
        require_reset(self._begun, "render")
        return self._parts.render(self._seen, self.render_mode)

    def _draw(self) -> None:
        """The next world, run to the learner's first decision."""
        for _ in range(MOST_WORLDS):
            self._drawn = self._parts.draw(int(self.np_random.integers(2**62)))
            self.world, (self.player,) = self._drawn.world, self._drawn.players
            self._closed: list[View] = []
            self.encoder.reset()
            self.codec.reset()
            self.world.start()
            self._collect()
            if self.world.pending or not self._per_day:
                return
        raise InputError(f'episode="day": in {MOST_WORLDS} worlds in a row nobody asked the learner for an answer')

    def _next_day(self) -> bool:
        """Run on to the first decision of the next day; False where there is none in the running world."""
        while self.world.pending and self.view["day"] == self._day:
            self._answer(self._parts.no_ops())
        self._closed = []
        return bool(self.world.pending)

    def _answer(self, actions: Actions) -> None:
        begun, self._begun = self._begun, False  # where a player fails, the episode is over
        try:
            self.world.step({self.player: actions})
        except WrongThreadError:
            self._begun = begun
            raise
        self._collect()
        self._begun = begun

    def _collect(self) -> None:
        """Take the last views of the days that ended."""
        for last in self.world.closed_days(self.player):
            self.codec.end_day(last)
            end_day(self.encoder, last)
            self._closed.append(last)

    def _mask(self) -> np.ndarray:
        return self.codec.mask(self._seen)

    def _hidden_state(self) -> np.ndarray | None:
        return self.world.hidden_state() if self.encoder.full else None

    def _info(self, closed: list[View]) -> dict[str, Any]:
        info: dict[str, Any] = {"action_mask": sampling_mask(self._mask(), self.action_space)}
        info |= self._parts.more_info(closed) | told_by(self.codec)
        if self.world.done:
            info |= self.world.summary(self.player)
        return info

"""A league: past policies of the learner join the opponents that it learns against.

Every so many steps the policy becomes a snapshot in the run folder (``league/<step>.npz``); the last ones play beside
the scripted opponents in the worlds drawn from then on. They draw their actions, as the learner did at that time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, PositiveInt
from stable_baselines3.common.callbacks import BaseCallback

from agents.sb3.batch import can_batch
from agents.sb3.policy_files import snapshot_form
from scml_gym.core.config import Config, ConfigError
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.oneshot.envs.vector.base import BatchedEnv
from scml_gym.oneshot.policy_files import PolicyFile
from scml_gym.policies.players import PlayerMaker

if TYPE_CHECKING:
    from agents.sb3.learner import SB3Agent


class SelfPlayHyperparameters(Config):
    """Of a league.

    Attributes:
        every: Environment steps from one snapshot to the next; taken where a rollout begins.
        size: How many of the latest snapshots play.
        share: Of the other factories that a snapshot plays, as soon as there is one; taken to the hundredth.
    """

    every: PositiveInt
    size: PositiveInt
    share: float = Field(ge=0.01, le=0.99)


def mix(scripted: Sequence[PlayerMaker], snapshots: Sequence[PlayerMaker], share: float) -> list[PlayerMaker]:
    """A list to draw from evenly in which the snapshots have that share; all of one kind equally often.

    Args:
        scripted: At least one.
        snapshots: Possibly none.
        share: From .01 to .99, in hundredths.
    """
    if not snapshots:
        return list(scripted)
    part = Fraction(round(share * 100), 100)
    ours, theirs = part.numerator * len(scripted), (part.denominator - part.numerator) * len(snapshots)
    common = gcd(ours, theirs)
    return [*scripted] * (theirs // common) + [*snapshots] * (ours // common)


class League(BaseCallback):
    """Takes the snapshots while SB3 learns, and lets them play.

    Args:
        settings: Of the league.
        folder: Of the snapshots.
        envs: Where they play; its opponents at this time are the scripted ones.
        take: Makes a snapshot of the learner.
    """

    def __init__(
        self, settings: SelfPlayHyperparameters, folder: Path, envs: BatchedEnv, take: Callable[[], PolicyFile]
    ):
        super().__init__()
        self._settings = settings
        self._folder = folder
        self._envs = envs
        self._scripted = list(envs.setting.makers)
        self._take = take

    def prepare(self, step: int) -> None:
        """Where a training starts or resumes at a step: the snapshots until then play, later ones are taken anew."""
        self._folder.mkdir(exist_ok=True)
        for path in self._folder.glob("*.npz"):
            if int(path.stem) > step:
                path.unlink()
        self._play()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        steps = [int(path.stem) for path in self._folder.glob("*.npz")]
        if self.num_timesteps // self._settings.every > max(steps, default=0) // self._settings.every:
            self._take().save(self._folder / f"{self.num_timesteps:012d}.npz")
            self._play()

    def _play(self) -> None:
        latest = sorted(self._folder.glob("*.npz"))[-self._settings.size :]
        snapshots = [PolicyFile.load(path).player for path in latest]
        self._envs.set_opponents(mix(self._scripted, snapshots, self._settings.share))


def check_league(agent: SB3Agent) -> None:
    """Refuse a league that the learner cannot have.

    Raises:
        ConfigError: if no snapshots can be taken of it, or its environment does not play in compiled worlds.
    """
    if agent.settings.league is None:
        return
    try:
        snapshot_form(agent)
    except InputError as error:
        raise ConfigError(("agent", "league"), str(error)) from error
    if not can_batch(agent.env):
        raise ConfigError(("agent", "league"), "snapshots play in the compiled world; valid with env.backend: compiled")


def make_league(
    settings: SelfPlayHyperparameters | None, run: Run, vec: Any, step: int, take: Callable[[], PolicyFile]
) -> list[BaseCallback]:
    """The callbacks of a league, whose earlier snapshots already play; none without settings.

    Args:
        settings: Of the league.
        run: In whose folder the snapshots are kept.
        vec: A `agents.sb3.batch.BatchVecEnv`.
        step: Environment steps so far.
        take: Makes a snapshot of the learner.
    """
    if settings is None:
        return []
    league = League(settings, run.path / "league", vec.envs, take)
    league.prepare(step)
    return [league]

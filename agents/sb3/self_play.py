"""Self-play: past policies of the learner join the opponents that it learns against.

Every so many steps the policy becomes a policy file in the run folder (``self_play/<step>.npz``); the last ones play
beside the scripted opponents in the worlds drawn from then on. They draw their actions, as the learner did at that
time.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback

from scml_gym.agents.sb3.batch import BatchVecEnv
from scml_gym.agents.sb3.hyperparameters import SelfPlayHyperparameters
from scml_gym.agents.sb3.policy_files import Learner, export_policy, policy_strategy
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import can_batch
from scml_gym.experiments.run_folder import Run
from scml_gym.game.policy_files import PolicyFile
from scml_gym.game.world import PlayerMaker
from scml_gym.simulator.vector.env import BatchedEnv

DAY_REWARDS = ("daily-profit", "regret")
"""Rewards that are those of days, and so may be a team's."""

FOLDER = "self_play"
"""Of the policy files, in the run folder."""


def mix(
    scripted: Sequence[PlayerMaker], past: Sequence[PlayerMaker], share: float
) -> tuple[list[PlayerMaker], list[PlayerMaker]]:
    """Lists to draw from evenly in which past policies have that share; all of one kind equally often.

    Args:
        scripted: At least one.
        past: Possibly none.
        share: From .01 to .99, in hundredths.

    Returns:
        The scripted ones, and the past policies.
    """
    if not past:
        return list(scripted), []
    part = Fraction(round(share * 100), 100)
    ours, theirs = part.numerator * len(scripted), (part.denominator - part.numerator) * len(past)
    common = gcd(ours, theirs)
    return [*scripted] * (theirs // common), [*past] * (ours // common)


class SelfPlay(BaseCallback):
    """Writes the policy files while SB3 learns, and lets them play.

    Args:
        settings: Of self-play.
        folder: Of the policy files.
        envs: Where they play; its opponents at this time are the scripted ones.
        learner: Whose policies they are.
    """

    def __init__(self, settings: SelfPlayHyperparameters, folder: Path, envs: BatchedEnv, learner: Learner):
        super().__init__()
        self._settings = settings
        self._folder = folder
        self._envs = envs
        self._scripted = list(envs.config.makers)
        self._learner = learner
        self._forms = policy_strategy(learner).forms

    def prepare(self, step: int) -> None:
        """Where a training starts or resumes at a step: the policies until then play, later ones are written anew."""
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
            policy = export_policy(self._learner, temperature=1.0)
            policy.save(self._folder / f"{self.num_timesteps:012d}.npz")
            self._play()

    def _play(self) -> None:
        latest = sorted(self._folder.glob("*.npz"))[-self._settings.size :]
        past = [PolicyFile.load(path, self._forms).player for path in latest]
        scripted, past = mix(self._scripted, past, self._settings.share)
        if self._settings.team > 0.0:
            self._envs.set_opponents(scripted, past, self._settings.team)
        else:
            self._envs.set_opponents([*scripted, *past])


def check_self_play(agent: Learner) -> None:
    """Refuse self-play that the learner cannot have.

    Raises:
        ConfigError: if no policy files can be made of it, its environment does not play in compiled worlds, or it is to
            play for a team whose rewards are not those of days.
    """
    settings = agent.hyperparameters.self_play
    if settings is None:
        return
    reward = agent.env.get("reward", DAY_REWARDS[0])
    if settings.team > 0.0 and reward not in DAY_REWARDS:
        told = f"{settings.team}, with env.reward={reward!r}; valid with {' or '.join(DAY_REWARDS)}"
        raise ConfigError(("agent", "self_play", "team"), told)
    try:
        policy_strategy(agent)
    except InputError as error:
        raise ConfigError(("agent", "self_play"), str(error)) from error
    if not can_batch(agent.env):
        told = "policy files play in the compiled world; valid with env.backend: compiled"
        raise ConfigError(("agent", "self_play"), told)


def native(vec: Any, setting: str) -> BatchedEnv:
    """The native vector environment of a learner's, in which opponents change.

    Raises:
        ConfigError: if there is none, about that setting of the learner.
    """
    envs = vec.envs if isinstance(vec, BatchVecEnv) else None
    if not isinstance(envs, BatchedEnv):
        told = "opponents change in a native vector environment only, which this environment's parts do not have"
        raise ConfigError(("agent", setting), told)
    return envs


def make_self_play(learner: Learner, run: Run, vec: Any, step: int) -> list[BaseCallback]:
    """The callbacks of self-play, whose earlier policies already play; none of a learner without.

    Args:
        learner: Whose policies play.
        run: In whose folder the policy files are kept.
        vec: The learner's environments.
        step: Environment steps so far.

    Raises:
        ConfigError: as `native`.
    """
    settings = learner.hyperparameters.self_play
    if settings is None:
        return []
    envs = native(vec, "self_play")
    self_play = SelfPlay(settings, run.path / FOLDER, envs, learner)
    self_play.prepare(step)
    return [self_play]

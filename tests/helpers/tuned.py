"""A learner whose learning curve is known: it is best where ``x`` is 3 and ``deep.kind`` is ``good``."""

from typing import Literal

from pydantic import PositiveInt

from scml_gym.core.config import Config, validate


class Deep(Config):
    kind: Literal["good", "bad"]


class Settings(Config):
    steps: PositiveInt
    x: float
    deep: Deep


class Parabola:
    """Tells ``steps`` rows."""

    def __init__(self, settings):
        self.settings = settings

    @classmethod
    def build(cls, config, env):
        return cls(validate(Settings, config, "agent"))

    def train(self, run):
        for step in range(1, self.settings.steps + 1):
            lost = (self.settings.x - 3) * (self.settings.x - 3) + (0 if self.settings.deep.kind == "good" else 1)
            run.log(step, value=-lost - 1 / step)
        run.checkpoint(self.settings.steps, lambda folder: None)

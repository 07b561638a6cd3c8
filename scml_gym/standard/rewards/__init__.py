"""What a decision of a factory is paid; by name in `REWARDS`."""

from scml_gym.game.codecs import Reward, Transition
from scml_gym.game.rewards import PotentialShaping
from scml_gym.simulator.rewards import DailyProfit
from scml_gym.standard.rewards.factory import REWARDS, ShapedProfit, make_reward
from scml_gym.standard.rewards.potential import position_value

__all__ = [
    "REWARDS",
    "DailyProfit",
    "PotentialShaping",
    "Reward",
    "ShapedProfit",
    "Transition",
    "make_reward",
    "position_value",
]

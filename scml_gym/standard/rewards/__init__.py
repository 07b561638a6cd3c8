"""What a decision of a factory is paid; by name in `REWARDS`."""

from scml_gym.game.codecs import Reward, Transition
from scml_gym.game.rewards import PotentialShaping
from scml_gym.simulator.rewards import DailyProfit
from scml_gym.standard.rewards.factory import REWARDS, MarginShapedProfit, ShapedProfit, make_reward
from scml_gym.standard.rewards.margins import margin_value
from scml_gym.standard.rewards.potential import position_value

__all__ = [
    "REWARDS",
    "DailyProfit",
    "MarginShapedProfit",
    "PotentialShaping",
    "Reward",
    "ShapedProfit",
    "Transition",
    "make_reward",
    "margin_value",
    "position_value",
]

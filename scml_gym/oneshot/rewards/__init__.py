"""What a decision of a factory, or a negotiation, is paid; by name in `REWARDS`."""

from scml_gym.game.codecs import Reward, Transition
from scml_gym.game.rewards import PotentialShaping
from scml_gym.oneshot.rewards.factory import REWARDS, NegotiationProfit, Regret, ShapedProfit, make_reward
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.simulator.rewards import DailyProfit

__all__ = [
    "REWARDS",
    "DailyProfit",
    "NegotiationProfit",
    "NegotiationReward",
    "PotentialShaping",
    "Regret",
    "Reward",
    "ShapedProfit",
    "Transition",
    "make_reward",
]

"""Safety: what a factory of the Standard track can promise without falling short, by the world's own settlement."""

from scml_gym.standard.safety.answers import judge_answers, restrict_answers
from scml_gym.standard.safety.bounds import BOUNDS, COVERED, POSSIBLE, named_bound
from scml_gym.standard.safety.limits import balances, largest_quantities

__all__ = [
    "BOUNDS",
    "COVERED",
    "POSSIBLE",
    "balances",
    "judge_answers",
    "largest_quantities",
    "named_bound",
    "restrict_answers",
]

"""Safety in OneShot: whether a factory promises more than it can deliver or pay, by the world's own settlement."""

from scml_gym.oneshot.safety.audit import BOUNDS, Harm, Tally, find_unsafe, judge_answers

__all__ = ["BOUNDS", "Harm", "Tally", "find_unsafe", "judge_answers"]

"""Action codecs: what the actions of an environment mean to the negotiations; by name in `ACTIONS`."""

from functools import partial

from scml_gym.core.registry import Registry
from scml_gym.game.codecs import ActionCodec
from scml_gym.standard.actions.choice import ChoiceActions, PartnerChoices
from scml_gym.standard.actions.continuous import ContinuousActions
from scml_gym.standard.actions.goals import CHOICES, NUMBERS, GoalActions, Goals
from scml_gym.standard.actions.goals_by_day import BUCKET_CHOICES, DAY_CHOICES, DAY_NUMBERS
from scml_gym.standard.actions.traits import TRAIT_CHOICES

__all__ = [
    "ACTIONS",
    "DAILY_ACTIONS",
    "ActionCodec",
    "ChoiceActions",
    "ContinuousActions",
    "GoalActions",
    "Goals",
    "PartnerChoices",
    "make_codec",
    "make_daily_codec",
]

ACTIONS = Registry("action codec")
"""Codecs whose answers are action arrays, for a decision on all partners."""
ACTIONS.register("choice", ChoiceActions)
ACTIONS.register("continuous", ContinuousActions)
ACTIONS.register("goals", GoalActions)
ACTIONS.register("goals-continuous", partial(GoalActions, NUMBERS))
ACTIONS.register("goals-by-day", partial(GoalActions, DAY_CHOICES))

DAILY_ACTIONS = Registry("daily action codec")
"""Codecs whose answers are the goals of a day, for environments with an executor."""
DAILY_ACTIONS.register("goals", partial(Goals, CHOICES))
DAILY_ACTIONS.register("goals-continuous", partial(Goals, NUMBERS))
DAILY_ACTIONS.register("goals-by-day", partial(Goals, DAY_CHOICES))
DAILY_ACTIONS.register("goals-by-day-continuous", partial(Goals, DAY_NUMBERS))
DAILY_ACTIONS.register("goals-by-bucket", partial(Goals, BUCKET_CHOICES))
DAILY_ACTIONS.register("traits", partial(Goals, TRAIT_CHOICES))


def make_codec(action: str = "choice") -> ActionCodec:
    """The codec of that registered action.

    Raises:
        InputError: if there is none.
    """
    return ACTIONS.get(action, "action")()


def make_daily_codec(action: str = "goals") -> ActionCodec:
    """The codec of the goals of a day of that registered action.

    Raises:
        InputError: if there is none.
    """
    return DAILY_ACTIONS.get(action, "action")()

"""What a world takes from outside: the answers of the factories whose decision is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError

Look = Callable[[Any, np.ndarray], object]
"""``(view, actions)``: sees what a player answers to a view, and may change it in place."""


def refuse_external(external: Sequence[int]) -> None:
    """Refuse to play a world to its end without being asked.

    Raises:
        InputError: if there are factories that are decided from outside.
    """
    if external:
        raise InputError(f"factories {', '.join(map(str, external))} are external: play with start and step")


def due_answers(actions: Mapping[int, np.ndarray], pending: Sequence[int], no_ops: np.ndarray) -> dict[int, np.ndarray]:
    """The answers of the pending factories.

    Args:
        actions: By factory; others than the pending ones may be among them.
        pending: Whose decision is due.
        no_ops: An array of answers, whose dtype and shape all have.

    Raises:
        InputError: if the world has ended, an answer is missing or of another form.
    """
    if not pending:
        raise InputError("the world has ended: start a new one")
    if not isinstance(actions, Mapping):
        raise InputError(f"actions: {brief(actions)}; valid: the answers of each factory by its index")
    for factory in pending:
        if factory not in actions:
            raise InputError(f"no action for factory {factory}, whose decision is due")
        check_answers(actions[factory], no_ops, f"the action of factory {factory}")
    return {factory: actions[factory] for factory in pending}


def check_view(given: Any, dtype: np.dtype) -> None:
    """Refuse what is no view of a game.

    Args:
        given: Instead of one.
        dtype: Of its views.

    Raises:
        InputError: if it is anything else than one record of it.
    """
    if getattr(given, "dtype", None) != dtype or given.shape:
        found = "a record of other fields" if isinstance(given, np.void) else brief(given)
        raise InputError(f"the view is {found}; valid: one record of VIEW_DTYPE, as new_view makes it")


def check_answers(given: Any, no_ops: np.ndarray, what: str = "the array of answers") -> None:
    """Refuse what is no array of answers.

    Args:
        given: Instead of one.
        no_ops: An array of answers, whose dtype and shape all have.
        what: It is, for the message.

    Raises:
        InputError: if it is of another form.
    """
    if getattr(given, "dtype", None) != no_ops.dtype or given.shape != no_ops.shape:
        found = f"{given.dtype} of shape {given.shape}" if isinstance(given, np.ndarray) else brief(given)
        valid = f"ACTION_DTYPE of shape {no_ops.shape}, as new_actions makes it"
        raise InputError(f"{what} is {found}; valid: {valid}")

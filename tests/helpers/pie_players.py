"""Players of `tests.helpers.toy_game` that draw from the global generator, fail, or cheat."""

import gc
import json
import os
import random
import time

import numpy as np

from tests.helpers.channels import write_everywhere
from tests.helpers.toy_game import PIE


class Plain:
    """Keeps to the rules, and draws from the global generator: while it is made, and in every answer."""

    synchronous = True

    def __init__(self, seed):
        self._most = random.randrange(3, PIE)

    def begin(self, view):
        self._days = 0

    def act(self, view):
        return np.array([random.randrange(1, self._most)])

    def end_day(self, view):
        self._days += 1


class Raises(Plain):
    def end_day(self, view):
        raise RuntimeError("on the first day")


class Exits(Plain):
    def act(self, view):
        os._exit(7)


class Hangs(Plain):
    def act(self, view):
        time.sleep(1000)


class WrongShape(Plain):
    def act(self, view):
        return np.zeros(3)


class WrongType(Plain):
    def act(self, view):
        return ["a slice"]


class Forges(Plain):
    """Writes a whole result into every channel, and ends."""

    def act(self, view):
        rows = [{"level": name, "score": 2.0, "agreements": 1} for name in ("first", "second")]
        write_everywhere((json.dumps({"value": {"answers": [[], []], "rows": rows, "changed": None}}) + "\n").encode())
        os._exit(0)


class Mutes(Plain):
    """Lets all others demand nothing."""

    def begin(self, view):
        for other in gc.get_objects():
            if other is not self and type(other).__name__ == "StrategyPolicy":
                other.act = lambda view: np.array([0])


FAILING = {
    "Raises": "exception",
    "Exits": "crash",
    "Hangs": "hang",
    "WrongShape": "exception",
    "WrongType": "exception",
}
"""Name -> how it fails."""

CHEATING = ("Forges", "Mutes")

"""Contracts for later days: a pool with a list for each delivery day, in order of conclusion."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.standard.view import BOOK_DAYS
from scml_gym.standard.worlds.compiled.layout import MAX_FUTURES, NO_FUTURE, World


@jittable
def clear_futures(world: World) -> None:
    """Before the first day: there are none."""
    for day in range(BOOK_DAYS):
        world["first_future"][day] = world["last_future"][day] = NO_FUTURE
    for i in range(MAX_FUTURES):
        world["futures"][i]["next"] = i + 1 if i + 1 < MAX_FUTURES else NO_FUTURE
        world["futures"][i]["nullified"] = 0
    world["free_future"] = 0


@jittable
def add_future(world: World, contract: np.void) -> None:
    """Keep a contract for its delivery day; it has the number of those that were concluded before."""
    i, day = world["free_future"], contract["delivery"] % BOOK_DAYS
    future = world["futures"][i]
    world["free_future"] = future["next"]
    future["price"], future["quantity"] = contract["price"], contract["quantity"]
    future["seller"], future["buyer"] = contract["seller"], contract["buyer"]
    future["number"] = world["n_concluded"]
    future["nullified"] = 0
    future["next"] = NO_FUTURE
    if world["first_future"][day] == NO_FUTURE:
        world["first_future"][day] = i
    else:
        world["futures"][world["last_future"][day]]["next"] = i
    world["last_future"][day] = i


@jittable
def drop_futures(world: World, day: int) -> None:
    """A delivery day is over: its contracts leave the pool."""
    day %= BOOK_DAYS
    i = world["first_future"][day]
    while i != NO_FUTURE:
        future = world["futures"][i]
        following = future["next"]
        future["nullified"] = 0
        future["next"] = world["free_future"]
        world["free_future"] = i
        i = following
    world["first_future"][day] = world["last_future"][day] = NO_FUTURE


@jittable
def nullify_futures(world: World, factory: int, today: int) -> None:
    """A factory went bankrupt today: what it bought or sold for later days will not be delivered.

    Nobody is compensated, and the books of both parties go on showing it.

    Source: scml/oneshot/world.py, ``simulation_step`` (scml 0.8.4).
    """
    for ahead in range(1, BOOK_DAYS):
        i = world["first_future"][(today + ahead) % BOOK_DAYS]
        while i != NO_FUTURE:
            future = world["futures"][i]
            if future["seller"] == factory or future["buyer"] == factory:
                future["nullified"] = 1
            i = future["next"]

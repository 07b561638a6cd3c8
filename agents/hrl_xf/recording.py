"""How experts negotiate: each of their decisions in each negotiation, with what they saw, in real and compiled worlds.

Whoever plays, what it answers is looked at before the world has it (`scml_gym.simulator.looking`). Its answer is played
as it is; what is written down is the nearest of the executor's choices. A day's goals are its plan: what it asked for
first in each of the day's negotiations, not what came of it. They are known when the day is over only, so they tell
something of the day's first decisions: `scml_gym.agents.hrl_xf.learner` hides them in a part of the days.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.agents.hrl_xf.negotiations import Negotiations, join
from scml_gym.agents.hrl_xf.observing import SIDES, SIZE, observe, tell_goals
from scml_gym.core.arguments import Range
from scml_gym.core.errors import InputError
from scml_gym.standard.actions import PartnerChoices
from scml_gym.standard.line_up import LINE_UP
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety.bounds import COVERED
from scml_gym.standard.strategies.base import StrategyPolicy
from scml_gym.standard.strategies.market import gain_of
from scml_gym.standard.view import ACCEPT, BOOK_DAYS, END, MAX_PER_LEVEL, OFFER, ActionArray, StandardView
from scml_gym.standard.worlds.generation import league_spec


class Decision(NamedTuple):
    """One decision in one negotiation, as `Notes` keeps it."""

    day: int
    partner: int
    row: np.ndarray
    choice: np.ndarray
    mask: np.ndarray
    agreed: np.ndarray  # of the partner's side, items by days from today
    quantity: int  # that it asked for or accepted
    ahead: int
    prices: tuple[int, int]  # today's range
    lines: int


class Notes:
    """What one factory decides; a `scml_gym.simulator.pending.Look`.

    Args:
        choices: As which its answers are written down.
        bound: Of the shield, whose limits are seen.
    """

    def __init__(self, choices: PartnerChoices, bound: int = COVERED):
        self._choices, self._bound = choices, bound
        self.decisions: list[Decision] = []

    def __call__(self, view: StandardView, actions: ActionArray) -> None:
        """Note a decision; who waits has not decided, and who does not open is not seen to decide in real worlds."""
        shown = observe(view, self._bound)
        for k, row in zip(shown.due.tolist(), shown.rows, strict=True):
            response, side, partner = actions[k]["response"], int(k >= MAX_PER_LEVEL), view["partners"][k]
            silent = response == END and partner["offer_quantity"] == 0
            if response not in (END, ACCEPT, OFFER) or silent:
                continue
            choice = self._choices.encode(actions, view, k)
            quantity, day = 0, int(view["day"])
            if response == OFFER:
                quantity, day = int(actions[k]["quantity"]), int(actions[k]["day"])
            elif response == ACCEPT:
                quantity, day = int(partner["offer_quantity"]), int(partner["offer_day"])
            ahead = min(max(day - int(view["day"]), 0), BOOK_DAYS - 1)
            names = ("min_output_price", "max_output_price") if side else ("min_input_price", "max_input_price")
            prices = int(view[names[0]]), int(view[names[1]])
            told = int(view["day"]), k, row, choice, self._choices.mask(view, k), shown.agreed[side]
            self.decisions.append(Decision(*told, quantity, ahead, prices, int(view["lines"])))

    def negotiations(self, identity: tuple[int, int, int], prices: dict[tuple[int, int], int]) -> list[dict[str, Any]]:
        """What was noted, negotiation after negotiation.

        Args:
            identity: World, player and factory.
            prices: Of what was agreed on, by day and partner.
        """
        days: dict[int, dict[int, list[Decision]]] = {}
        for decision in self.decisions:
            days.setdefault(decision.day, {}).setdefault(decision.partner, []).append(decision)
        return [
            _negotiation(made, plan_of(partners.values())[int(k >= MAX_PER_LEVEL)], (*identity, day, k), prices)
            for day, partners in days.items()
            for k, made in sorted(partners.items())
        ]


def plan_of(negotiations: Any) -> np.ndarray:
    """What is asked for first in each of a day's negotiations: items by side and days from today, ``(2, 11)``."""
    plan = np.zeros((SIDES, BOOK_DAYS), np.int64)
    for made in negotiations:
        plan[int(made[0].partner >= MAX_PER_LEVEL), made[0].ahead] += made[0].quantity
    return plan


def _negotiation(
    made: Sequence[Decision], goals: np.ndarray, identity: tuple[int, ...], prices: dict[tuple[int, int], int]
) -> dict[str, Any]:
    rows, agreed = np.stack([decision.row for decision in made]), np.stack([decision.agreed for decision in made])
    tell_goals(rows, goals, agreed, made[0].lines)
    rewards, (*_, day, k) = np.zeros(len(made), np.float32), identity
    if (day, k) in prices:
        low, high = made[-1].prices
        rewards[-1] = 1.0 + min(max(gain_of(k >= MAX_PER_LEVEL, low, high, prices[day, k]), 0.0), 1.0)
    choices = np.stack([decision.choice for decision in made])
    masks = np.stack([decision.mask for decision in made])
    return {"rows": rows, "choices": choices, "masks": masks, "rewards": rewards, "identity": identity}


def noted(
    world: Any, notes: Sequence[Notes | None], seed: int, players: Sequence[int], names: tuple[str, ...]
) -> Negotiations:
    """What was noted in a world that is over.

    Args:
        world: Of either backend.
        notes: Of each factory; None for one that was not looked at.
        seed: That names the world.
        players: Of each factory, the index of its player.
        names: Of all players.

    Raises:
        InputError: if nothing was.
    """
    level = world.spec.level
    first = [int(np.searchsorted(level, number)) for number in range(int(level.max()) + 2)]
    prices: list[dict[tuple[int, int], int]] = [{} for _ in level]
    for contract in world.contracts:
        seller, buyer, day = (int(contract[name]) for name in ("seller", "buyer", "day"))
        prices[seller][day, MAX_PER_LEVEL + buyer - first[level[buyer]]] = int(contract["price"])
        prices[buyer][day, seller - first[level[seller]]] = int(contract["price"])
    made: list[dict[str, Any]] = []
    for factory, note in enumerate(notes):
        if note is not None:
            made += note.negotiations((seed, players[factory], factory), prices[factory])
    if not made:
        raise InputError(f"world {seed}: nobody decided anything")
    sizes = next(note for note in notes if note is not None)._choices.sizes
    rows, actions, masks, rewards = (
        np.concatenate([part[name] for part in made]) for name in ("rows", "choices", "masks", "rewards")
    )
    lengths = np.cumsum([0, *(len(part["rewards"]) for part in made)])
    identity = np.array([part["identity"] for part in made], np.int64)
    assert rows.shape[1] == SIZE, "rows are whole observations"
    return Negotiations(rows, actions, masks, rewards, lengths[:-1], identity, names, sizes)


class Line(NamedTuple):
    """Worlds of one kind.

    Attributes:
        players: Names of those who play, each in turn in each place.
        worlds: How many.
        compiled: Whether they are compiled worlds; else real ones.
    """

    players: Sequence[str]
    worlds: int
    compiled: bool


def record(
    lines: Sequence[Line],
    days: int,
    levels: Range,
    factories: Range,
    stock: str,
    seed: int,
    choices: PartnerChoices,
    told: Callable[[int], None],
) -> Negotiations:
    """Play worlds, and note what each of their factories decides.

    Args:
        lines: Who plays where. The worlds of real and compiled ones take turns.
        days: Simulated days of a world.
        levels: Of a world, a number or a range to be drawn from.
        factories: On each level, likewise.
        stock: The stock rule.
        seed: Of the first world.
        choices: As which answers are written down.
        told: Is told how many worlds are done.

    Raises:
        InputError: if there is no player of a name, or one cannot play there.
    """
    names = tuple(dict.fromkeys(name for line in lines for name in line.players))
    makers = {name: player_maker(name) for name in names}
    due = [(seed + i, line) for i in range(max(line.worlds for line in lines)) for line in lines if i < line.worlds]
    parts = []
    for done, (number, line) in enumerate(due, 1):
        draws, spec = np.random.default_rng(number), league_spec(number, days, factories, levels)
        taken = [line.players[i % len(line.players)] for i in range(spec.n_factories)]
        taken = [taken[i] for i in draws.permutation(len(taken)).tolist()]
        notes = [Notes(choices) for _ in taken]
        world = _make(line.compiled, spec, taken, [makers[name](number) for name in taken], number, stock)
        world.look(notes)
        world.run()
        shown = -1 - number if line.compiled else number
        parts.append(noted(world, notes, shown, [names.index(name) for name in taken], names))
        told(done)
    return join(parts)


def _make(compiled: bool, spec: Any, names: Sequence[str], players: Sequence[Any], seed: int, stock: Any) -> Any:
    if compiled:
        from scml_gym.standard.worlds.compiled.world import CompiledWorld

        for name, player in zip(names, players, strict=True):
            if not isinstance(player, StrategyPolicy):
                raise InputError(f"{name!r} is no strategy, which alone play in compiled worlds")
        return CompiledWorld(spec, players, seed, stock)
    from scml_gym.standard.worlds.reference import ReferenceWorld

    world = ReferenceWorld(spec, players, seed, stock)
    LINE_UP.begin(world, "play_on")  # where an agent of the league fails, its negotiation ends
    return world

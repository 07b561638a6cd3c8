"""The tables of a recording: their columns, types and units, the same for every game and both kinds of world.

Quantities are items, prices money per item, amounts money, days count from 0. Factories are indices in their world,
level by level, so of two that trade the smaller index sells. A bilateral negotiation is a world of its own: its two
sides stand for factories, in the order of the scenario's profiles. What a game does not have is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow

VERSION = 3
FORMER = (2,)
"""Versions that can be read and not added to: they lack columns and tables, see `Column`."""


def schema_name(version: int) -> str:
    """What stands in ``recording.json`` of a recording."""
    return f"scml-gym-recording-{version}"


SCHEMA = schema_name(VERSION)
"""Of the recordings that are written."""


class Column(NamedTuple):
    """A column: its type, as Arrow names it, what it says, and the version of the schema that has it first."""

    type: str
    meaning: str
    since: int = 2


WORLD = {"world": Column("string", "name of the world, unique in its recording")}

TABLES: dict[str, dict[str, Column]] = {
    "worlds": WORLD
    | {
        "game": Column("string", "oneshot, standard or bilateral"),
        "backend": Column(
            "string", "reference or compiled: which of the two worlds was played; scml for an imported one"
        ),
        "seed": Column("int64", "of the simulation, and of the strategies' draws"),
        "configuration": Column("int32", "of a tournament: worlds of the same one have the same parameters"),
        "block": Column("int16", "of a tournament: from 0; more than one where competitors do not fit into one world"),
        "play": Column("int8", "of a tournament: 0, or 1 with the levels swapped"),
        "days": Column("int16", "simulated"),
        "levels": Column("int8", "of factories"),
        "rounds": Column("int16", "of a negotiation"),
        "timing": Column("string", "rounds, or moves: what a step of a negotiation is"),
        "stock": Column("string", "the stock rule, league or physical; null where goods perish"),
        "horizon": Column("int8", "days ahead that goods may be traded for"),
        "catalog_prices": Column("list<int32>", "of the products, at which trading prices start"),
        "scenario": Column("string", "of a bilateral negotiation, by name; null elsewhere"),
    },
    "factories": WORLD
    | {
        "factory": Column("int8", "index"),
        "competitor": Column("string", "label of who plays it"),
        "role": Column("string", "competitor, background, substitute; learner in an environment"),
        "profile": Column("string", "of the scenario, whose preferences it has, by name; null elsewhere"),
        "level": Column("int8", "from 0, which has exogenous supplies; the last one has exogenous sales"),
        "lines": Column("int32", "items that can be produced a day"),
        "production_cost": Column("int32", "money per item produced"),
        "initial_balance": Column("int64", "money"),
        "shortfall_mean": Column("double", "of which the daily shortfall penalties were drawn"),
        "shortfall_deviation": Column("double", "likewise"),
        "unused_mean": Column("double", "of which the daily disposal or storage costs were drawn"),
        "unused_deviation": Column("double", "likewise"),
        "profit": Column("double", "money over the whole world"),
        "score": Column(
            "double", "(initial balance + profit) / initial balance; utility of a bilateral agreement, 0 for none"
        ),
        "bankrupt": Column("bool", "whether the balance fell below 0"),
        "decisions": Column("int32", "that a policy took; null for scml's own agents"),
        "invalid": Column("int32", "answers of a policy that were not playable; null for scml's own agents"),
        "acts": Column("int32", "acceptances and offers that the safety audit saw; null where there was none", 3),
        "unsafe_covered": Column("int32", "acts among them that are unsafe by the bound covered; likewise", 3),
        "unsafe_possible": Column("int32", "acts among them that are unsafe by the bound possible; likewise", 3),
    },
    "days": WORLD
    | {
        "day": Column("int16", "from 0"),
        "factory": Column("int8", "index"),
        "exogenous_supply": Column("int32", "items that come without negotiation, of the first level only"),
        "exogenous_sales": Column("int32", "items that are sold without negotiation, of the last level only"),
        "exogenous_price": Column("int32", "of one such item; 0 where there are none"),
        "shortfall_penalty": Column("double", "for a missing item, as a fraction of the output's trading price"),
        "disposal_cost": Column("double", "for an item left over, as a fraction of the input's trading price"),
        "storage_cost": Column("double", "for an item in stock, as a fraction of the input's trading price"),
        "input_price": Column("double", "trading price of what it buys, in the morning"),
        "output_price": Column("double", "trading price of what it sells, in the morning"),
        "balance": Column("double", "in the morning"),
        "stock": Column("int32", "inputs in stock in the morning; null where goods perish"),
        "needed_supplies": Column("int32", "items to buy today, in the morning; scml's, negative where too many are"),
        "needed_sales": Column("int32", "items to sell today, in the morning; likewise"),
        "left_supplies": Column("int32", "needed_supplies when the day's negotiations are over"),
        "left_sales": Column("int32", "needed_sales then"),
        "bought": Column("int32", "items negotiated and delivered today"),
        "sold": Column("int32", "items negotiated and due today"),
        "produced": Column("int32", "items"),
        "missing": Column("int32", "items sold and not produced"),
        "unused": Column("int32", "inputs not used: disposed of, or stored"),
        "revenue": Column("double", "paid for what was produced and sold"),
        "supplies": Column("double", "paid for inputs"),
        "production": Column("double", "paid for producing"),
        "disposal": Column("double", "paid for inputs not used, where goods perish"),
        "storage": Column("double", "paid for inputs not used, where they are kept"),
        "shortfall": Column("double", "penalty for missing items"),
        "profit": Column("double", "revenue - supplies - production - disposal or storage - shortfall"),
        "bankrupt": Column("bool", "in the evening"),
    },
    "offers": WORLD
    | {
        "day": Column("int16", "from 0; always 0 in a bilateral negotiation"),
        "round": Column("int16", "of the negotiation, from 0 (moves in that timing)"),
        "sender": Column("int8", "factory that offers"),
        "receiver": Column("int8", "factory that answers"),
        "quantity": Column("int32", "items"),
        "price": Column("int32", "of one item"),
        "delivery": Column("int16", "day of delivery"),
        "outcome": Column("string", "what is offered in a bilateral negotiation, in words; null elsewhere"),
        "sender_utility": Column("double", "of that outcome, 0 to 1; likewise"),
        "receiver_utility": Column("double", "of that outcome, 0 to 1; likewise"),
        "answer": Column("string", "accepted, countered, ended, or none: the time ran out, or the player failed"),
    },
    "contracts": WORLD
    | {
        "number": Column("int32", "in order of conclusion"),
        "day": Column("int16", "of its conclusion"),
        "delivery": Column("int16", "day of delivery"),
        "seller": Column("int8", "factory"),
        "buyer": Column("int8", "factory"),
        "quantity": Column("int32", "items"),
        "price": Column("int32", "of one item"),
        "round": Column("int16", "of the negotiation, in which it was concluded"),
        "executed": Column("bool", "whether it was delivered"),
        "nullified": Column("bool", "whether it was not, because a party went bankrupt first"),
    },
    "errors": WORLD
    | {
        "day": Column("int16", "from 0"),
        "factory": Column("int8", "whose player failed"),
        "partner": Column("int8", "in the negotiation with that factory; null elsewhere"),
        "message": Column("string", "exception and text"),
    },
    "decisions": WORLD
    | {
        "day": Column("int16", "from 0"),
        "factory": Column("int8", "whose player tells it"),
        "decision": Column("int16", "of the day, from 0; null for scml's own agents"),
        "partner": Column("int8", "factory that it is about; null where it is about none"),
        "name": Column("string", "of a number, as the player calls it"),
        "value": Column("double", "the number"),
    },
    "unsafe": WORLD
    | {
        "day": Column("int16", "from 0"),
        "factory": Column("int8", "whose act is unsafe"),
        "decision": Column("int16", "of the day, from 0, as the safety audit counts them"),
        "partner": Column("int8", "factory to which it is"),
        "bound": Column("string", "covered or possible: by which of the audit's bounds; an act has a row for each"),
        "act": Column("string", "accepts or offers"),
        "quantity": Column("int32", "items"),
        "price": Column("int32", "of one item"),
        "delivery": Column("int16", "day of delivery"),
        "short_day": Column("int16", "the first day that falls short by all acts of the decision together"),
        "missing": Column("int32", "items that are then sold for that day, and cannot be delivered"),
        "unpaid": Column("double", "money that is then to be paid on that day, and is not there"),
        "idle": Column("int32", "inputs that the lines can never use then; null where goods perish"),
    },
}
"""The tables by name. A recording of a world has the files of those that have rows."""

ANSWERS = ("none", "accepted", "countered", "ended")
"""What may stand in ``answer`` of an offer."""


def arrow_schema(table: str) -> pyarrow.Schema:
    """A table's columns as Arrow takes them."""
    import pyarrow as pa

    return pa.schema([(name, arrow_type(column.type)) for name, column in TABLES[table].items()])


def arrow_type(name: str) -> pyarrow.DataType:
    """A column's type as Arrow takes it."""
    import pyarrow as pa

    kinds = {"list<int32>": pa.list_(pa.int32()), "bool": pa.bool_(), "string": pa.string(), "double": pa.float64()}
    return kinds.get(name) or pa.type_for_alias(name)

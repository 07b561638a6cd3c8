"""Recordings for tests: of played worlds, and written by hand."""

import numpy as np

from scml_gym.games import GAMES
from scml_gym.oneshot.players import player_maker as oneshot_maker
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.recording.folder import Recording, WriteWorld
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.simulator.recording.schema import TABLES
from scml_gym.simulator.recording.tables import About

NAMES = ("best-subset", "scml:GreedyOneShotAgent", "greedy", "scml:SyncRandomOneShotAgent")


def about(names, seed=5, **where):
    return About(seed, list(names), ["competitor"] * len(names), **where)


def play_recorded(folder, name="w", names=NAMES, seed=5, days=4, kind=ReferenceWorld, make=None, **where):
    """Play a small world of OneShot and record it; gives the world."""
    log = WorldLog(
        WriteWorld(Recording(folder), GAMES.get("oneshot").load("record"), about(names, seed, **where), name)
    )
    spec = league_spec(seed, days=days, factories_per_level=len(names) // 2)
    players = [(make or oneshot_maker)(player)(seed) for player in names]
    world = kind(spec, players, seed, log=log)
    if kind is ReferenceWorld:  # as in tournaments of scml, a negotiation ends where a player fails
        for parameters in world.world.mechanisms.values():
            parameters["ignore_negotiator_exceptions"] = True
    world.run()
    return world


def write_by_hand(folder, name="hand", **tables):
    """Write a world of two sellers and two buyers, all zeros but for what is given.

    Args:
        folder: Of the recording.
        name: Of the world.
        tables: Rows by table, dicts of the columns that matter.
    """
    defaults = {
        "worlds": [{"game": "oneshot", "backend": "reference", "days": 4, "levels": 2, "catalog_prices": [10, 20, 30]}],
        "factories": [
            {"factory": i, "competitor": f"player {i}", "role": "competitor", "level": i // 2, "lines": 10}
            for i in range(4)
        ],
        "days": [
            {
                "day": i // 4,
                "factory": i % 4,
                "input_price": 10.0 * (1 + i % 4 // 2),
                "output_price": 20.0 + 10.0 * (i % 4 // 2),
            }
            for i in range(16)
        ],
    }
    given = {table: _with_defaults(defaults.get(table, []), rows) for table, rows in tables.items()}
    content = {}
    for table, rows in (defaults | given).items():
        names = [column for column in TABLES[table] if column != "world"]
        content[table] = {n: [row.get(n, _nothing(TABLES[table][n].type)) for row in rows] for n in names}
    Recording(folder).write(name, content)


def _with_defaults(defaults, rows):
    """The default rows with those given merged in, where they are of the same day and factory; others are added."""
    keys = ("day", "factory")
    merged = [dict(row) for row in defaults]
    for row in rows:
        same = [old for old in merged[: len(defaults)] if all(old.get(key) == row.get(key) for key in keys)]
        if same:
            same[0].update(row)
        else:
            merged.append(row)
    return merged


def _nothing(kind):
    return {"string": "", "bool": False, "double": 0.0, "list<int32>": []}.get(kind, 0)


def same_columns(ours, theirs):
    """The columns in which two tables of a world differ."""
    return [name for name in theirs if not np.array_equal(np.asarray(ours[name]), np.asarray(theirs[name]))]

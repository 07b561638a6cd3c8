"""A world of a tournament in its worker."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scml_gym.games import GAMES

RANKED = [name for name in GAMES if GAMES.get(name).competition is not None]

CODE = """if True:
    import sys
    from tests.helpers import toy_game  # registers itself, as where games are listed
    from scml_gym.evaluation import play
    from scml_gym.evaluation.exceptions import NOBODY
    from scml_gym.games import GAMES
    name = {name!r}

    def compiled_for_audits():
        functions = [f for m in list(sys.modules.values()) if ".safety.audit" in m.__name__ for f in vars(m).values()]
        return sum(len(f.overloads) for f in functions if hasattr(f, "overloads"))

    competition = GAMES.get(name).competition
    players = [competition.substitute] * 2 * competition.positions
    play.prepare(name)
    play.load_players(name, players)
    before, ready = set(sys.modules), compiled_for_audits()
    play.play(name, players, 1, [competition.least_days, 2, *competition.stock_rules[:1]], [NOBODY])
    print(*sorted(m for m in set(sys.modules) - before if m.startswith("scml.")))
    print(ready, compiled_for_audits())
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", RANKED)
def test_nothing_of_the_simulation_is_loaded_once_worlds_are_forked(name):
    done = subprocess.run([sys.executable, "-c", CODE.format(name=name)], capture_output=True, text=True, check=True)
    loaded, kernels = done.stdout.splitlines()
    assert loaded == ""
    ready, used = map(int, kernels.split())
    assert ready >= used and (used > 0) == (GAMES.get(name).competition.line_up is not None)

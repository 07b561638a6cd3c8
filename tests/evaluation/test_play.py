"""A world of a tournament in its worker."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scml_gym.games import GAMES

RANKED = [name for name in GAMES if GAMES.get(name).competition is not None]

CODE = """if True:
    import sys
    from scml_gym.evaluation import play
    from scml_gym.evaluation.exceptions import NOBODY
    from scml_gym.games import GAMES
    name = {name!r}
    competition = GAMES.get(name).competition
    players = [competition.substitute] * 2 * competition.positions
    play.prepare(name)
    play.load_players(name, players)
    before = set(sys.modules)
    play.play(name, players, 1, [competition.least_days, 2, *competition.stock_rules[:1]], [NOBODY])
    print(*sorted(m for m in set(sys.modules) - before if m.startswith("scml.")))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", RANKED)
def test_nothing_of_the_simulation_is_loaded_once_worlds_are_forked(name):
    done = subprocess.run([sys.executable, "-c", CODE.format(name=name)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

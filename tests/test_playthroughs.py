"""The first day of each golden episode is as it was, in words; tests/test_environments.py has their digests."""

import pytest

from tests.helpers.playthroughs import FOLDER, PLAYTHROUGHS


@pytest.mark.parametrize("name", PLAYTHROUGHS)
def test_the_first_day_is_played_as_it_was(name):
    """What differs is in the failure; see tests/helpers/playthroughs.py to write them anew."""
    assert PLAYTHROUGHS[name]().splitlines() == (FOLDER / name).read_text(encoding="utf-8").splitlines()


def test_every_playthrough_has_its_episode_and_can_be_read():
    kept = {path.name: path.read_text(encoding="utf-8").splitlines() for path in FOLDER.glob("*.txt")}
    assert kept.keys() == PLAYTHROUGHS.keys()
    assert max(map(len, kept.values())) <= 64
    assert max(len(line) for lines in kept.values() for line in lines) <= 120

"""Every environment of every game that is recorded: it plays as if nobody looked, and its worlds can be asked."""

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.games import GAMES
from tests.helpers.episodes import PARALLEL, digest, make, play, play_parallel

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.queries import competitors, negotiations, worlds

RECORDED = [name for game in GAMES if GAMES.get(game).record for name in sorted(GAMES.get(game).environments)]
WHOLE_WORLDS = {"scml_gym/OneShotBilateral-v0": {"episode": "world", "observation": "flat"}}
"""What makes an episode a world where it is not one by default."""


def check(folder, least):
    """What stands in a recording adds up."""
    with open_recordings(folder) as recordings:
        assert not recordings.problems
        found = worlds.worlds(recordings)
        assert len(found) >= least
        assert set(found["game"]) <= set(GAMES)
        for world in found["world"]:
            scores = worlds.scores(recordings)
            assert np.array_equal(
                worlds.recompute(recordings, 0, world).scores, scores[scores["world"] == world]["score"]
            )
        assert set(worlds.scores(recordings)["role"]) <= {"learner", "background"}
        bilateral = found["game"][0] == "bilateral"
        assert len(negotiations.endings(recordings)) == (len(found) if bilateral else 0)
        assert len(negotiations.utilities(recordings)) == (2 if bilateral else 0)
        assert (len(competitors.profits(recordings)) == 0) == bilateral


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["compiled", "reference"])
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_episodes_are_the_same_and_add_up(tmp_path, name, backend):
    options = {"backend": backend} | WHOLE_WORLDS.get(name, {})
    env = make(name, options | {"recording": tmp_path / "r"})
    assert digest(play(env, 5, episodes=2)) == digest(play(make(name, options), 5, episodes=2))
    env.close()
    check(tmp_path / "r", 2)


@pytest.mark.parametrize("module", PARALLEL, ids=lambda module: module.__name__.rpartition(".")[2])
def test_recorded_factories_and_negotiations_of_many_agents_are_the_same_and_add_up(tmp_path, module):
    env = module.parallel_env(days=3, recording=tmp_path / "r")
    assert digest(play_parallel(env, 5)) == digest(play_parallel(module.parallel_env(days=3), 5))
    env.close()
    check(tmp_path / "r", 1)


@pytest.mark.parametrize("name", RECORDED)
def test_batches_are_not_recorded(tmp_path, name):
    with pytest.raises(InputError, match="recording: only single environments have it"):
        gymnasium.make_vec(name, num_envs=2, recording=tmp_path / "r")
    assert not (tmp_path / "r").exists()

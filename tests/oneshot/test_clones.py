"""Clones that come with the package: they play alike in both worlds, by name; files that are none are refused."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.policy_files import PolicyFile
from scml_gym.oneshot.clones.files import CLONES, CloneFile, clone_names, named_clone
from scml_gym.oneshot.clones.layout import CHOICES, LEVEL_SIZE, N_CONTEXTS
from scml_gym.oneshot.parity import Case, compare_episode, compare_worlds
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.policy_files import NETWORKS
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.generation import league_spec

NAMES = clone_names()


def line_up(n, first):
    return tuple(NAMES[(first + i) % len(NAMES)] for i in range(n))


def test_at_least_twelve_agents_of_five_years_are_cloned_and_none_of_2026():
    years = {name.partition(":")[2].partition("/")[0] for name in NAMES}
    assert len([name for name in NAMES if "/20" not in name and ":20" in name]) >= 12
    assert years <= {"2021", "2022", "2023", "2024", "2025", "scml"}
    assert not [name for name in NAMES if "Lita" in name]
    assert sum(path.stat().st_size for path in CLONES.rglob("*.npz")) < 2**20


def test_the_weights_of_the_choices_stand_side_by_side():
    ends = [choice.first + choice.size for choice in CHOICES.values()]
    assert [choice.first for choice in CHOICES.values()] == [0, *ends[:-1]] and ends[-1] == LEVEL_SIZE
    assert all(choice.n_contextual * N_CONTEXTS <= choice.size for choice in CHOICES.values())


@pytest.mark.parametrize(("first", "timing", "poor"), [(0, "rounds", False), (6, "rounds", True), (11, "moves", False)])
def test_a_world_of_clones_is_equal_in_both_worlds(first, timing, poor):
    spec = league_spec(40 + first, days=4, factories_per_level=(4, 6))
    if poor:
        spec = dataclasses.replace(spec, initial_balance=1 + spec.initial_balance // 10)
    counts = Counter()
    case = Case(spec, line_up(spec.n_factories, first), 5, timing, poor)
    assert compare_worlds(case, counts) is None
    assert counts["contracts"] > 0 and (not poor or counts["bankruptcies"] > 0)


def test_clones_and_factories_that_wait_are_equal_in_both_worlds():
    spec = league_spec(8, days=3, factories_per_level=4)
    names = [name if i % 2 else "sequential" for i, name in enumerate(line_up(spec.n_factories, 3))]
    assert compare_worlds(Case(spec, tuple(names), 9, "rounds", False), Counter()) is None


def test_an_episode_among_clones_is_equal_in_both_worlds():
    arguments = {"days": 3, "factories_per_level": 4, "opponents": NAMES}
    assert compare_episode(12, "rounds", Counter(), **arguments) is None


def test_clones_answer_validly_and_as_their_seed_says():
    spec = league_spec(3, days=6, factories_per_level=6)
    scores = []
    for seed in (1, 1, 2):
        world = CompiledWorld(spec, [player_maker(name)(seed) for name in line_up(spec.n_factories, 0)])
        world.run()
        assert all(decisions > 0 and invalid == 0 for decisions, invalid in world.decision_counts)
        scores.append(world.scores.tolist())
    assert scores[0] == scores[1] != scores[2]


def test_a_clone_has_the_name_of_its_agent_or_the_path_of_its_file(tmp_path):
    clone = named_clone("clone:2025/CostAverseAgent")
    assert clone.agent == "scml-agents:2025/CostAverseAgent"
    clone.save(tmp_path / "mine.npz")
    mine = player_maker(str(tmp_path / "mine.npz"))(3)
    assert np.array_equal(mine.parameters, player_maker("clone:2025/CostAverseAgent")(3).parameters)
    with pytest.raises(InputError, match=r"^unknown clone 'clone:2025/CostAverse'; did you mean 'clone:2025/CostA"):
        player_maker("clone:2025/CostAverse")


def changed(tmp_path, **changes):
    clone = named_clone(NAMES[0])
    arrays = {"schema": np.array("scml-gym-clone-1"), "agent": np.array(clone.agent), "weights": clone.weights}
    np.savez(tmp_path / "odd.npz", **(arrays | changes))
    return str(tmp_path / "odd.npz")


REFUSED = {
    "another schema": (
        {"schema": np.array("scml-gym-clone-7")},
        "has the schema 'scml-gym-clone-7'; 'scml-gym-clone-1' is needed: fit the clone again",
    ),
    "fewer weights": (
        {"weights": np.zeros((2, 3), np.float32)},
        f"weights of float32 2x3; valid: float32 2x{LEVEL_SIZE}",
    ),
    "no number": ({"weights": np.full((2, LEVEL_SIZE), np.nan, np.float32)}, "a weight is no finite number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_no_clone_of_this_version_is_refused_in_a_line(case, tmp_path):
    changes, told = REFUSED[case]
    with pytest.raises(InputError) as refused:
        player_maker(changed(tmp_path, **changes))
    assert told in str(refused.value) and "\n" not in str(refused.value)


def test_a_clone_is_no_network_and_a_network_no_clone(tmp_path):
    with pytest.raises(InputError, match="has the schema 'scml-gym-clone-1'"):
        PolicyFile.load(changed(tmp_path), NETWORKS)
    np.savez(tmp_path / "neither.npz", weights=np.zeros(3))
    with pytest.raises(InputError, match="cannot be read as a clone"):
        CloneFile.load(tmp_path / "neither.npz")
    with pytest.raises(InputError, match="cannot be read as a policy file"):
        player_maker(str(tmp_path / "neither.npz"))

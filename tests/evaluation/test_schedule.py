"""The schedule: balanced positions, swapped levels, blocks, one on one; and the configuration of tournaments."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from pydantic import ValidationError

from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import TournamentConfig, load_config
from scml_gym.evaluation.schedule import occupants, schedule

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs" / "tournament").glob("*.yaml"))


def positions(match, play):
    return [(o.label, int(f >= len(match.positions) // 2)) for f, o in enumerate(match.line_up(play))]


@pytest.mark.parametrize("n", [1, 2, 7, 11, 16])
def test_everyone_plays_each_level_once(n):
    config = TournamentConfig(competitors=tuple(f"p{i}" for i in range(n)), worlds=6)
    matches = list(schedule(config))
    assert [m.configuration for m in matches] == list(range(6))
    for match in matches:
        assert len(match.positions) == 2 * max(5, -(-n // 2))
        played = Counter(position for play in match.plays for position in positions(match, play))
        labels = [o.label for o in occupants(config.competitors, "competitor")]
        assert all(played[label, level] == 1 for label in labels for level in range(2))


def test_the_field_takes_turns():
    config = TournamentConfig(competitors=("a",), background=("x", "y", "z", "w"), worlds=8)
    count = Counter(o.label for match in schedule(config) for o in match.positions if o.role == "background")
    assert set(count.values()) == {8 * 9 // 4}


def test_large_sets_play_in_balanced_blocks():
    config = TournamentConfig(competitors=tuple(f"p{i}" for i in range(21)), worlds=40)
    matches = list(schedule(config))
    assert len(matches) == 80
    appearances = Counter(o.label for m in matches for o in m.positions if o.role == "competitor")
    assert set(appearances.values()) == {40}
    met = Counter()
    for match in matches:
        present = sorted(o.label for o in match.positions if o.role == "competitor")
        assert len(present) in (10, 11)
        met.update(combinations(present, 2))
    assert len(met) == 21 * 20 // 2
    assert min(met.values()) >= 12
    assert max(met.values()) <= 26
    assert len({m.seed for m in matches}) == 40


def test_one_on_one_seats_are_equal_and_exchanged():
    config = TournamentConfig(competitors=("a", "b"), one_on_one=True, worlds=5, factories=4)
    for match in schedule(config):
        first, second = (positions(match, play) for play in match.plays)
        for play in (first, second):
            assert Counter(play) == {(label, level): 2 for label in "ab" for level in range(2)}
        assert all(x[0] != y[0] for x, y in zip(first, second, strict=True))


def test_earlier_worlds_stay_when_more_are_played():
    few, many = (list(schedule(TournamentConfig(competitors=tuple("ab"), worlds=worlds, seed=5))) for worlds in (3, 9))
    assert few == many[:3]


def test_sizes_are_drawn_for_each_configuration_and_the_same_for_all_blocks():
    sizes = {"days": "50-200", "factories": [4, 8]}
    config = TournamentConfig(competitors=("a", "b"), same_seat=True, worlds=40, **sizes)
    matches = list(schedule(config))
    assert {len(match.positions) // 2 for match in matches} == set(range(4, 9))
    days = [match.setting.days for match in matches]
    assert min(days) >= 50
    assert max(days) <= 200
    assert len(set(days)) > 20
    assert days[::2] == days[1::2]
    assert matches[:20] == list(schedule(config.model_copy(update={"worlds": 10})))
    assert TournamentConfig(**config.model_dump(mode="json")) == config


def test_chains_have_as_many_factories_as_were_drawn_or_a_few_more():
    settings = {"game": "standard", "competitors": ("a",), "factories": "4-8", "levels": "2,3,4"}
    config = TournamentConfig(**settings, worlds=120)
    sizes = {(m.setting.levels, len(m.positions)) for m in schedule(config)}
    assert {size for levels, size in sizes if levels == 2} == {8, 10, 12, 14, 16}
    assert {size for levels, size in sizes if levels == 3} == {9, 12, 15, 18}
    assert {size for levels, size in sizes if levels == 4} == {8, 12, 16}


def test_levels_are_even_one_on_one_whatever_is_drawn():
    config = TournamentConfig(competitors=("a", "b"), one_on_one=True, worlds=20, factories=(2, 5))
    assert {len(match.positions) for match in schedule(config)} == {4, 8, 12}


def test_the_seed_changes_worlds_and_positions():
    one, other = (list(schedule(TournamentConfig(competitors=tuple("ab"), seed=seed))) for seed in (0, 1))
    assert not {m.seed for m in one} & {m.seed for m in other}
    assert [m.positions for m in one] != [m.positions for m in other]


def test_labels_are_short_and_unique(tmp_path):
    (tmp_path / "run").mkdir()
    names = ("greedy", "greedy", "scml:X", str(tmp_path / "run"), "scml-agents:2025/Y", "greedy")
    labels = [o.label for o in occupants(names, "competitor")]
    assert labels == ["greedy", "greedy#2", "scml:X", "run", "scml-agents:2025/Y", "greedy#3"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configurations_load(path):
    config = load_config(path, {"competitors": ["greedy"], "seed": 9})
    assert config.competitors == ("greedy",)
    assert config.seed == 9


@pytest.mark.parametrize(
    "content", ["worldz: 3", "[1, 2]", "worlds: [", "competitors: []", "days: 5"], ids=lambda text: text
)
def test_bad_files_are_refused(tmp_path, content):
    path = tmp_path / "x.yaml"
    path.write_text(content)
    with pytest.raises(InputError):
        load_config(path)


def test_a_former_key_is_answered_by_its_name_now(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("field: [greedy]")
    with pytest.raises(InputError, match="did you mean 'background'"):
        load_config(path)


@pytest.mark.parametrize(
    "settings",
    [
        {"worlds": 0},
        {"days": 2},
        {"days": "2-9"},
        {"days": "9-3"},
        {"days": "3-"},
        {"days": 3.5},
        {"days": True},
        {"days": [3, 4, 5]},
        {"factories": "4-9"},
        {"seed": -1},
        {"factories": 9},
        {"time_limit": 0},
        {"workers": 0},
        {"background": ()},
        {"competitors": ("a", " ")},
        {"one_on_one": True, "competitors": ("a",)},
        {"one_on_one": True, "competitors": ("a", "b"), "factories": 3},
    ],
    ids=str,
)
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValidationError):
        TournamentConfig(**{"competitors": ("a", "b"), **settings})


def test_labels_tell_run_folders_of_one_name_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("a/ppo", "b/ppo", "c/a/ppo", "dqn", "greedy"):
        (tmp_path / folder).mkdir(parents=True)
    names = ["a/ppo", "b/ppo", "c/a/ppo", "dqn", "dqn", "greedy", "runs/greedy", "greedy", "x:Y", "x:Y", "x:Y"]
    labels = [o.label for o in occupants(names, "competitor")]
    own = tmp_path.name
    assert labels[:3] == [f"{own}/a/ppo", "b/ppo", "c/a/ppo"]
    assert labels[3:5] == ["dqn", "dqn#2"]
    assert labels[5:8] == [f"{own}/greedy", "runs/greedy", f"{own}/greedy#2"]
    assert labels[8:] == ["x:Y", "x:Y#2", "x:Y#3"]
    assert len(set(labels)) == len(labels)
    same = occupants(["a/ppo", "./a/ppo", "best-subset"], "background")
    assert [o.label for o in same] == ["ppo", "ppo#2", "best-subset"]

"""Which folders may run code, and what in data would."""

import os

import pytest

from scml_gym.core.errors import InputError
from scml_gym.core.trust import VARIABLE, is_trusted, named_modules, require_trust, require_trust_of_names, trust


@pytest.fixture(autouse=True)
def nothing_trusted(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")


def test_a_folder_is_trusted_with_all_that_is_in_it_and_nothing_else(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "ours-too"
    for folder in (ours / "run", theirs):
        folder.mkdir(parents=True)
    assert not is_trusted(ours)
    trust(ours)
    assert is_trusted(ours) and is_trusted(ours / "run") and is_trusted(ours / "not there yet")
    assert not is_trusted(theirs) and not is_trusted(tmp_path) and not is_trusted(ours / ".." / "ours-too")
    (ours / "link").symlink_to(theirs)
    assert not is_trusted(ours / "link")
    trust(ours, theirs)
    assert os.environ[VARIABLE].split(os.pathsep) == [str(ours), str(theirs)]


@pytest.mark.parametrize("name", ["nowhere", "a:b"])
def test_what_cannot_be_trusted_is_told(name, tmp_path):
    if name != "nowhere":
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"--trust .*{name}: "):
        trust(tmp_path / name)


def test_the_refusal_says_how_to_trust(tmp_path):
    with pytest.raises(InputError, match=rf"{tmp_path}: it names 'own:Reward'.*add --trust {tmp_path}$"):
        require_trust_of_names(tmp_path, {"env": {"reward": "own:Reward"}})
    with pytest.raises(InputError, match="it holds pickles; if you trust who made it"):
        require_trust(tmp_path, "it holds pickles")
    trust(tmp_path)
    require_trust_of_names(tmp_path, {"env": {"reward": "own:Reward"}})


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"a": ["b", {"c": ("os:system",)}]}, ["os:system"]),
        ({"own:Key": 1}, ["own:Key"]),
        (
            [
                "zoo:planner",
                "scml:GreedyOneShotAgent",
                "scml-agents:2024/X",
                "/a/b:c",
                "greedy?own_needs=1",
                "x:",
                ":x",
            ],
            [],
        ),
        (["run.evil:X?a=1", "my-module:x", "module:scml_gym/OneShotConcurrent-v0"], 3),
        (None, []),
    ],
)
def test_texts_that_would_be_imported(data, found):
    names = list(named_modules(data))
    assert names == found if isinstance(found, list) else len(names) == found

"""The examples of other libraries run, each where its library is installed (pip install 'scml-gym[peers]')."""

import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "peers"

NEEDS = {
    "stable_baselines.py": ("sb3_contrib", ["64"], "invalid answers 0"),
    "torchrl_envs.py": ("torchrl", [], "with infos: 176 choices"),
    "supersuit_vector.py": ("supersuit", [], "(2, 95) (2,)"),
    "rllib_check.py": ("ray.rllib", [], "steps "),
    "minari_reading.py": ("minari", [], "decisions, mean score"),
}
"""Example -> the package that it is about, its arguments, and a part of what it says. The example in the form of
CleanRL is examples/masked_ppo.py."""


def test_every_example_of_a_peer_is_tested():
    assert {path.name for path in FOLDER.glob("*.py")} == set(NEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS)
def test_a_peer_works_with_the_environments(name, monkeypatch, capsys):
    package, arguments, said = NEEDS[name]
    pytest.importorskip(package, reason="pip install 'scml-gym[peers]'", exc_type=ImportError)
    monkeypatch.setenv("MINARI_DATASETS_PATH", "unset")  # which the example sets
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(FOLDER / name), run_name="__main__")
    assert said in capsys.readouterr().out

"""The package as people install it: a wheel, away from the repository, beside files of their own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.scripts import in_forked_process, in_new_interpreter

ROOT = Path(__file__).resolve().parents[1]
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
FOLDERS = ("scml_gym", "agents", "configs")

SMALL = (
    "--set agent.total_steps=64 --set agent.n_envs=2 --set agent.n_steps=16 --set agent.batch_size=16 --set env.days=3"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that a wheel of this repository was installed into."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    for name in FILES:
        shutil.copy(ROOT / name, source)
    for name in FOLDERS:  # without links, as from an archive that has none
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for link in ("agents", "configs"):
        (source / "scml_gym" / link).unlink()
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-compile", "--target", target]
    command = [sys.executable, "-m", "pip", "install", *options, source]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def program(installed, tmp_path):
    """``program("train", ...)``: the installed command, beside modules named as parts of the package."""
    for name in ("agents", "configs", "train", "evaluate"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('a module of the user was imported')\n")
    (tmp_path / "mine.py").write_text("import scml_gym.agents, sys\nprint(scml_gym.agents.__file__)\n")

    def run(*arguments, command=(installed / "bin" / "scml-gym",), run=in_forked_process):
        done = run(tmp_path, [sys.executable, *command, *arguments], {"PYTHONPATH": str(installed)})
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.slow
def test_a_wheel_trains_and_judges_away_from_the_repository(program, installed, tmp_path):
    assert program(command=("mine.py",), run=in_new_interpreter).startswith(str(installed))
    trained = program("train", "planner", *SMALL.split(), "--out", "run")
    assert trained.endswith("trained 64 steps: run\n")
    assert (tmp_path / "run" / "command.txt").read_text().startswith("scml-gym train planner --set")
    options = ["--worlds", 1, "--days", 3, "--workers", 1, "--out", "judged"]
    program("evaluate", "run", "zoo:planner", *options)
    assert (tmp_path / "judged" / "ranking.md").is_file()


@pytest.mark.slow
def test_a_wheel_has_its_data_and_its_environments(program, installed):
    lines = [
        "import gymnasium, scml_gym",
        "env = gymnasium.make('scml_gym/BilateralAcceptance-v0')",
        "env.reset(seed=1)",
    ]
    program("-c", "; ".join([*lines, "print(env.step(0)[0])"]), command=())
    for kind in ("agent", "env", "experiment", "study", "tournament"):
        here = {path.name for path in (ROOT / "configs" / kind).glob("*.yaml")}
        assert {path.name for path in (installed / "scml_gym" / "configs" / kind).glob("*.yaml")} == here
    folder = Path("scml_gym") / "oneshot" / "clones" / "data"
    clones = {str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*.npz")}
    assert (
        clones and {str(path.relative_to(installed / folder)) for path in (installed / folder).rglob("*.npz")} == clones
    )
    told = program("doctor")
    assert f"{installed / 'scml_gym'}\n" in told

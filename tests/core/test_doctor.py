"""What `doctor` says of an installation."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from scml_gym.core import doctor

REQUIRED = [
    "numpy<3,>=2",
    "torch>=2",
    'backport; python_version < "3"',
    'rliable>=1.2; extra == "plot"',
    'optuna; extra == "search"',
    'optuna; extra == "dev"',
    'scml-gym[plot]; extra == "dev"',
]
INSTALLED = {"scml-gym": "0.1.0", "numpy": "2.4.6", "torch": "2.13.0+cpu", "optuna": "5.0"}


@pytest.fixture
def installed(monkeypatch):
    """``installed(name=version)``: what is there beside `INSTALLED`; None for what is not."""

    def arrange(**changes):
        there = {name: v for name, v in (INSTALLED | changes).items() if v is not None}

        def version(name):
            if name not in there:
                raise metadata.PackageNotFoundError(name)
            return there[name]

        class Facts:
            @staticmethod
            def get_all(key):
                return ["dev", "plot", "search"] if key == "Provides-Extra" else None

        monkeypatch.setattr(metadata, "version", version)
        monkeypatch.setattr(metadata, "requires", lambda name: REQUIRED)
        monkeypatch.setattr(metadata, "metadata", lambda name: Facts)

    return arrange


def test_what_is_needed_is_told_by_what_it_is_for(installed, tmp_path):
    installed()
    assert [(n.requirement.name, n.extra, n.fits) for n in doctor.needed()] == [
        ("numpy", "", True),
        ("torch", "", True),
        ("rliable", "plot", False),
        ("optuna", "search", True),
        ("optuna", "dev", True),
    ]
    lines = list(doctor.report(tmp_path, 2**30))
    assert "needed: all there" in lines
    assert "  numpy 2.4.6, torch 2.13.0+cpu" in lines
    assert "[plot] comparing trainings (scml-gym plot): 1 of 1 packages are missing" in lines
    assert "  MISSING rliable >=1.2 (not installed)" in lines
    assert "  pip install 'scml-gym[plot]'" in lines
    assert any(line.startswith(f"compiled code: {tmp_path} (0 of at most 1024 MiB)") for line in lines)


def test_only_what_everything_needs_makes_it_fail(installed, tmp_path, capsys):
    installed()
    assert doctor.doctor(tmp_path, 1) == 0
    installed(numpy="1.26.0")
    assert doctor.doctor(None, 1) == doctor.MISSING
    told = capsys.readouterr().out
    assert "MISSING numpy <3,>=2 (1.26.0 is installed)" in told
    assert "compiled code: cannot be kept" in told


def test_every_extra_says_what_it_is_for():
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]
    assert set(doctor.PURPOSES) == {"", *project["optional-dependencies"]}


@pytest.mark.slow
def test_the_command_says_what_is_here(command_line, tmp_path):
    done = command_line("evaluate.py", "doctor", SCML_GYM_CACHE_DIR=str(tmp_path / "code"))
    assert done.returncode == 0, done.stderr
    assert "scml 0.8.4" in done.stdout
    assert f"compiled code: {tmp_path / 'code' / 'scml_gym'} (0 of" in done.stdout

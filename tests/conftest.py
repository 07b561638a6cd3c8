"""Shared by all tests: one thread for every numerical library, and command lines in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

from scml_gym.core.process import limit_threads

limit_threads(1)
hypothesis.settings.register_profile("loaded-machine", deadline=None)  # a slow example is no failure
hypothesis.settings.load_profile("loaded-machine")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def command_line(tmp_path):
    """``command_line("train.py", *arguments)``: run a script of the repository, in an empty folder."""

    def run(script, *arguments, **variables):
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
        command = [sys.executable, str(ROOT / script), *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)

    return run

"""A training that runs is not resumed by another process, and goes on."""

import os
from types import SimpleNamespace

from scml_gym.agents.training import train
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run

CONFIG = {
    "seed": 1,
    "agent": {"name": "q-learning"},
    "env": {"id": "scml_gym/OneShotConcurrent-v0"},
    "checkpoint_minutes": 5,
    "threads": 1,
    "loggers": [],
}


def resumed_elsewhere(folder):
    """Whether another process, which is forked, may resume the training in a folder."""
    pid = os.fork()
    if pid == 0:
        try:
            Run.open(folder).resumed("again")
        except InputError:
            os._exit(2)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_second_process_is_refused_before_the_first_row_and_does_not_end_the_training(tmp_path):
    run = Run.create(tmp_path / "run", CONFIG, "first")
    seen = []

    def learn(run):
        seen.append(resumed_elsewhere(run.path))
        run.log(1, score=1.0)
        seen.append(resumed_elsewhere(run.path))

    train(SimpleNamespace(train=learn), run)
    assert seen == [False, False]
    assert run.finished and len(run.curve()) == 1
    assert "again" not in (run.path / "command.txt").read_text()

"""Everything that reads files of others, by name, and a process in which each is given damaged files.

    python -m tests.helpers.readers COUNT SEED NAME...

prints a line of JSON for each file that was not answered by a result or by one line, and then how many were tried. The
process may take `SECONDS` for a file, and `BYTES` of memory more than it had before it read the first one of a reader.
"""

import json
import resource
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from scml_gym.core.cli import validation_line
from scml_gym.core.errors import InputError
from tests.helpers.damage import damaged
from tests.helpers.reader_files import (
    EXPERIMENT,
    SCENARIO,
    analyze,
    compare,
    dataset_file,
    discounted,
    geniusweb,
    import_scml,
    judge,
    learnt,
    loaded_by,
    log_file,
    negmas,
    of_scml,
    open_run,
    play,
    pool_file,
    read_dataset,
    read_experiment,
    read_logs,
    read_scenario,
    read_seeds,
    read_study,
    read_tournament,
    recording_file,
    results_file,
    spec_file,
    study_folder,
    text_file,
    zoo_file,
)
from tests.helpers.reader_learners import (
    clone_file,
    clones_run,
    decisions_file,
    dnb,
    hierarchy,
    loaded_run,
    negotiations_file,
    policy_file,
    policy_of,
    read_model,
    read_negotiations,
    sequence_learner,
)

SECONDS = 5.0
BYTES = 2**30


class Reader(NamedTuple):
    """Something that reads a kind of files.

    Attributes:
        modules: Whose reading it is, of those that read files.
        make: ``make(folder) -> path`` of the file that is damaged, in a folder with all that belongs to it.
        read: ``read(path)`` of that file.
    """

    modules: tuple[str, ...]
    make: Callable[[Path], Path]
    read: Callable[[Path], object]


READERS = {
    "scenario": Reader(
        ("scml_gym.bilateral.scenarios.files", "scml_gym.core.data_files"),
        text_file("s.yaml", SCENARIO),
        read_scenario,
    ),
    "negmas domain": Reader(
        ("scml_gym.bilateral.scenarios.negmas_files",),
        negmas("s.yml", discounted),
        lambda file: read_scenario(file.parent),
    ),
    "negmas profile": Reader((), negmas("one.yml", discounted), lambda file: read_scenario(file.parent)),
    "negmas discount": Reader((), negmas("two.yml", discounted), lambda file: read_scenario(file.parent)),
    "Genius domain": Reader(
        ("scml_gym.bilateral.scenarios.genius",),
        negmas("s.xml", lambda scenario, folder: scenario.to_genius_folder(folder)),
        lambda file: read_scenario(file.parent),
    ),
    "Genius profile": Reader(
        (),
        negmas("one.xml", lambda scenario, folder: scenario.to_genius_folder(folder)),
        lambda file: read_scenario(file.parent),
    ),
    "GeniusWeb": Reader((), geniusweb, lambda file: read_scenario(file.parent)),
    "world of OneShot": Reader(
        ("scml_gym.simulator.world_spec",), spec_file("oneshot"), loaded_by("scml_gym.oneshot.worlds.spec:WorldSpec")
    ),
    "world of standard": Reader((), spec_file("standard"), loaded_by("scml_gym.standard.worlds.spec:WorldSpec")),
    "pool of OneShot": Reader(
        ("scml_gym.simulator.spec_pool",), pool_file("oneshot"), loaded_by("scml_gym.oneshot.worlds.pool:SpecPool")
    ),
    "pool of standard": Reader((), pool_file("standard"), loaded_by("scml_gym.standard.worlds.pool:SpecPool")),
    "policy file": Reader(
        ("scml_gym.game.policy_files",),
        zoo_file("planner", "policy.npz"),
        policy_of("oneshot"),
    ),
    "policy file of standard": Reader((), policy_file("standard"), policy_of("standard")),
    "clone": Reader(
        ("scml_gym.oneshot.clones.files",), clone_file, loaded_by("scml_gym.oneshot.clones.files:CloneFile")
    ),
    "clones.json": Reader(
        ("scml_gym.agents.clones.learner",), clones_run, loaded_run("scml_gym.agents.clones.learner:CloneLearner")
    ),
    "recorded decisions": Reader(
        ("scml_gym.agents.clones.recording",),
        decisions_file,
        loaded_by("scml_gym.agents.clones.recording:Recording"),
    ),
    "run.json": Reader(("scml_gym.experiments.run_info",), zoo_file("flat", "run.json"), open_run),
    "config.yaml": Reader((), zoo_file("flat", "config.yaml"), open_run),
    "learning curve": Reader(
        ("scml_gym.core.curve_file", "scml_gym.evaluation.plot_command"),
        zoo_file("flat", "learning_curve.csv"),
        compare,
    ),
    "agent.json": Reader(
        ("scml_gym.experiments.checkpoints", "scml_gym.agents.sb3.learner"), zoo_file("planner", "agent.json"), play
    ),
    "weights": Reader(("scml_gym.agents.sb3.weights",), zoo_file("planner", "weights.npz"), play),
    "game.json": Reader(("scml_gym.agents.commitment.learner",), zoo_file("dcl", "game.json"), play),
    "networks": Reader((), zoo_file("dcl", "networks.npz"), play),
    "mappo.json": Reader(("scml_gym.agents.mappo.learner",), zoo_file("mappo", "mappo.json"), play),
    "weights of many agents": Reader((), zoo_file("mappo", "weights.safetensors"), play),
    "decision_transformer.json": Reader(
        ("scml_gym.agents.decision_transformer.learner",), sequence_learner("decision_transformer.json"), play
    ),
    "weights of a sequence model": Reader((), sequence_learner("weights.npz"), play),
    "negotiations": Reader(("scml_gym.agents.hrl_xf.negotiations",), negotiations_file, read_negotiations),
    "hrl_xf.json": Reader(("scml_gym.agents.hrl_xf.agent",), hierarchy("hrl_xf.json"), play),
    "critic of a hierarchy": Reader((), hierarchy("critic.npz"), play),
    "coordinator": Reader((), hierarchy("coordinator.npz"), play),
    "q_learning.json": Reader(("scml_gym.agents.q_learning.tables",), learnt("q_learning", "q_learning.json"), play),
    "Q-tables": Reader((), learnt("q_learning", "tables.npz"), play),
    "acceptance.json": Reader(("scml_gym.agents.dnb.models",), dnb("acceptance.json"), read_model),
    "acceptance weights": Reader((), dnb("acceptance.safetensors"), read_model),
    "seeds.json": Reader(
        ("scml_gym.agents.seeds",),
        text_file("seeds.json", '{"schema": "scml-gym-seeds-1", "seeds": [0, 1, 2], "commands": ["train"]}'),
        read_seeds,
    ),
    "study.yaml": Reader(("scml_gym.evaluation.studies.folder",), study_folder("study.yaml"), read_study),
    "run of a study": Reader((), study_folder("runs/a.json"), read_study),
    "starts of a study": Reader((), study_folder("starts.json"), read_study),
    "scores.csv": Reader(("scml_gym.evaluation.table",), results_file("scores.csv"), judge),
    "failures.csv": Reader((), results_file("failures.csv"), judge),
    "results' config": Reader(("scml_gym.evaluation.config",), results_file("config.yaml"), judge),
    "tournament": Reader(
        (), text_file("t.yaml", "competitors: [greedy, random]\nworlds: 3\ndays: 10\n"), read_tournament
    ),
    "experiment": Reader(("scml_gym.core.config",), text_file("e.yaml", EXPERIMENT), read_experiment),
    "dataset": Reader(("scml_gym.agents.dnb.dataset",), dataset_file, read_dataset),
    "log of actions": Reader(("scml_gym.agents.dnb.logs",), log_file("actions"), read_logs),
    "log of days": Reader((), log_file("days"), read_logs),
    "log of negotiations": Reader((), log_file("negs"), read_logs),
    "recorded factories": Reader(
        ("scml_gym.analyzer.sources", "scml_gym.analyzer.folders"), recording_file("factories"), analyze
    ),
    "recorded days": Reader((), recording_file("days"), analyze),
    "recorded worlds": Reader((), recording_file("worlds"), analyze),
    "recorded contracts": Reader((), recording_file("contracts"), analyze),
    "recording.json": Reader(("scml_gym.simulator.recording.folder",), recording_file("recording"), analyze),
    "scores of scml": Reader(("scml_gym.analyzer.importing",), of_scml("scores.csv"), import_scml),
}
"""By name."""


class _SlowError(BaseException):
    """A file takes too long."""


def check(name: str, count: int, seed: int) -> list[dict[str, str]]:
    """Give a reader damaged files; for each that was not answered as it should be, what was done and what happened."""
    reader, wrong = READERS[name], []
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as kept:
        file = reader.make(Path(kept))
        reader.read(file)  # whole, it is read
        content = file.read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_AS)
        _limit_memory()
        signal.signal(signal.SIGALRM, _too_slow)
        for number in range(count):
            what, changed = damaged(content, number, seed)
            file.write_bytes(changed)
            try:
                signal.setitimer(signal.ITIMER_REAL, 4 * SECONDS)
                used = _cpu()
                reader.read(file)
                told = ""
            except InputError as error:
                told = str(error)
            except ValidationError as error:
                told = validation_line(error)
            except _SlowError:
                told = "\nit takes too long"
            except BaseException as error:
                told = f"\n{type(error).__name__}: {error}"
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if _cpu() - used > SECONDS:
                told = f"\nit took {_cpu() - used:.1f} s"
            if "\n" in told or len(told) > 20_000:
                wrong.append({"what": f"{name} {number}: {what}", "message": " ".join(told.split())[:300]})
        resource.setrlimit(resource.RLIMIT_AS, limits)
    return wrong


def _cpu() -> float:
    """Seconds of this process: others may use the machine too."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _too_slow(*_: object) -> None:
    raise _SlowError


def _limit_memory() -> None:
    """What this process has, and `BYTES` more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    for reader_name in sys.argv[3:]:
        for line in check(reader_name, int(sys.argv[1]), int(sys.argv[2])):
            print(json.dumps(line), flush=True)
    print(json.dumps({"tried": len(sys.argv[3:]) * int(sys.argv[1])}))

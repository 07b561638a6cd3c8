"""Everything that reads files of others, by name, and a process in which each is given damaged files.

    python -m tests.helpers.readers COUNT SEED NAME...

prints a line of JSON for each file that was not answered by a result or by one line, and then how many were tried. The
process may take `SECONDS` for a file, and `BYTES` of memory more than it had before it read the first one of a reader.
"""

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from scml_gym.core.cli import validation_line
from scml_gym.core.errors import InputError
from tests.helpers.damage import damaged

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


def _text(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return make


SCENARIO = """name: s
issues:
  colour: [a, b]
  size: [1, 2, 4]
profiles:
  one:
    colour: {weight: 0.4, evaluations: [1, 2]}
    size: {weight: 0.6, evaluations: [1, 2, 3]}
  two:
    colour: {weight: 0.4, evaluations: [1, 2]}
    size: {weight: 0.6, evaluations: [3, 2, 0]}
"""


def _scenario(folder: Path) -> object:
    from scml_gym.bilateral.scenarios import load_scenario

    return load_scenario(folder)


def _negmas(damaged_file: str, written: Callable[[Any, Path], object]) -> Callable[[Path], Path]:
    """A scenario's folder as negmas writes it."""

    def make(folder: Path) -> Path:
        from scml_gym.bilateral.scenarios import load_scenario

        scenario = load_scenario(_text("s.yaml", SCENARIO)(folder)).to_negmas()
        (folder / "s.yaml").unlink()
        written(scenario, folder)
        return folder / damaged_file

    return make


def _discounted(scenario: Any, folder: Path) -> None:
    from negmas.inout import Scenario
    from negmas.preferences import ExpDiscountedUFun, WeightedUtilityFunction

    first, second = scenario.ufuns
    space = scenario.outcome_space
    mixed = WeightedUtilityFunction([first, first], weights=[0.2, 0.3], outcome_space=space, name="one")
    ufuns = (mixed, ExpDiscountedUFun(second, discount=0.9, name="two"))
    Scenario(space, ufuns).dumpas(folder, type="yml")


def _geniusweb(folder: Path) -> Path:
    domain = {"name": "d", "issuesValues": {"a": {"values": ["x", "y"]}, "b": {"values": ["p", "q"]}}}
    utilities = {
        issue: {"discreteutils": {"valueUtilities": {value: 0.2 + i for i, value in enumerate(values["values"])}}}
        for issue, values in domain["issuesValues"].items()
    }
    space = {"name": "one", "domain": domain, "issueWeights": {"a": 0.4, "b": 0.6}, "issueUtilities": utilities}
    (folder / "d.json").write_text(json.dumps(domain))
    (folder / "one.json").write_text(json.dumps({"LinearAdditiveUtilitySpace": space}))
    return folder / "one.json"


def _spec(track: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.core.registry import load_object

        load_object(f"scml_gym.{track}.worlds.generation:league_spec")(1, 6, 3).save(folder / "spec.npz")
        return folder / "spec.npz"

    return make


def _pool(track: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.core.registry import load_object

        pool = load_object(f"scml_gym.{track}.worlds.pool:SpecPool")
        ranges = [valid.low + 3 if name == "days" else valid.low + 1 for name, valid in pool.tables.ranges.items()]
        pool.from_seeds([1, 2], *ranges).save(folder / "pool.npz")
        return folder / "pool.npz"

    return make


def _load(path: str) -> Callable[[Path], object]:
    def read(file: Path) -> object:
        from scml_gym.core.registry import load_object

        return load_object(path).load(file)

    return read


def _zoo(name: str, file: str) -> Callable[[Path], Path]:
    """A run folder that comes with the package; of a checkpoint's file the name alone."""

    def make(folder: Path) -> Path:
        from scml_gym.core.trained import ZOO

        run = folder / "run"
        shutil.copytree(ZOO / name, run)
        return next(iter(sorted(run.rglob(file))))

    return make


def _play(file: Path) -> object:
    from scml_gym.policies.run_folders import load_agent

    return load_agent(next(folder for folder in file.parents if folder.name == "run"))


def _run(file: Path) -> object:
    from scml_gym.experiments.run_folder import Run

    return Run.open(file.parent)


def _compare(file: Path) -> object:
    """What trainings are compared by, without the drawings."""
    from scml_gym.core.curves import columns_of, points
    from scml_gym.evaluation.comparison import read_trainings

    trainings = read_trainings([file.parent], "agent")
    return [points(trainings[0].rows, name) for name in columns_of({"": [trainings[0].rows]})]


def _learnt(name: str, file: str) -> Callable[[Path], Path]:
    """A run folder of an untrained learner."""

    def make(folder: Path) -> Path:
        from scml_gym.agents import AGENTS
        from scml_gym.core.config import load_experiment
        from scml_gym.experiments.run_folder import Run

        config = load_experiment(name, ["agent.name=q-learning"] if name == "q_learning" else []).config
        env = {key: value for key, value in config["env"].items() if key != "name"}
        agent = AGENTS.get(config["agent"]["name"]).build(config["agent"], env)
        run = Run.create(folder / "run", config, "test")
        run.checkpoint(1, agent.save)
        os.environ["SCML_GYM_TRUST"] = ""
        return run.path / "checkpoints" / "000000000001" / file

    return make


def _dnb(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.agents.dnb.models import AcceptanceModel, model_kind

        kind = model_kind("base-rate")
        hyperparameters = kind.hyperparameters(mean=0.25)
        weights = {name: np.full(shape, 0.3, kind.dtype) for name, shape in kind.shapes(hyperparameters).items()}
        AcceptanceModel.pack("base-rate", hyperparameters, weights, 3.0).save(folder)
        return folder / file

    return make


def _model(file: Path) -> object:
    from scml_gym.agents.dnb.models import AcceptanceModel

    return AcceptanceModel.load(file.parent)


def _seeds(file: Path) -> object:
    from scml_gym.agents.seeds import runs_of

    return runs_of(file.parent)


def _study(file: Path) -> object:
    from scml_gym.evaluation.studies.folder import StudyFolder

    folder = StudyFolder(next(above for above in file.parents if above.name == "study"))
    with folder.opened({"seed": 1, "games": 2}):
        folder.merge(["a"])
        return folder.origin()


def _study_folder(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.evaluation.studies.folder import StudyFolder

        study = StudyFolder(folder / "study")
        with study.opened({"seed": 1, "games": 2}):
            study.note_start("study", 1)
            study.save("a", {"games": [{"x": 1, "y": 2.5}]}, 1.0)
        return folder / "study" / file

    return make


def _results(file: str) -> Callable[[Path], Path]:
    """The results folder of a tournament, written by hand."""

    def make(folder: Path) -> Path:
        from scml_gym.evaluation.table import FAILURE_COLUMNS, columns_of

        columns = list(columns_of("oneshot"))
        rows = []
        for configuration in range(2):
            for factory in range(4):
                known = {"configuration": configuration, "factory": factory, "competitor": "ab"[factory % 2]}
                known |= {"role": "competitor", "level": ("seller", "buyer")[factory // 2], "score": 1.0 + factory / 10}
                rows.append(",".join(str(known.get(name, 100 if name == "initial_balance" else 0)) for name in columns))
        (folder / "scores.csv").write_text("\n".join([",".join(columns), *rows]) + "\n")
        (folder / "failures.csv").write_text(",".join(FAILURE_COLUMNS) + "\n0,0,0,a,competitor,raised,x,none\n")
        (folder / "config.yaml").write_text("game: oneshot\ncompetitors: [a, b]\nworlds: 2\ndays: 5\nseed: 1\n")
        return folder / file

    return make


def _judge(file: Path) -> object:
    """What a report is made of, without its drawings."""
    from scml_gym.core.data_files import content_of
    from scml_gym.evaluation.config import saved_config
    from scml_gym.evaluation.statistics import paired, ranking
    from scml_gym.evaluation.table import read_failures, read_scores

    table = read_scores(file.parent / "scores.csv", saved_config(file.parent).game)
    with content_of(file, "the results of a tournament"):
        return ranking(table), paired(table), read_failures(file.parent / "failures.csv")


def _tournament(file: Path) -> object:
    from scml_gym.evaluation.config import load_config

    return load_config(file)


def _experiment(file: Path) -> object:
    from scml_gym.core.config import load_experiment

    return load_experiment(file)


def _dataset(folder: Path) -> Path:
    import pandas as pd

    from scml_gym.agents.dnb.dataset import TABLE, Dataset, write_shard
    from scml_gym.agents.dnb.records import SAMPLE_DTYPE

    samples = np.zeros(4, SAMPLE_DTYPE)
    samples["lines"], samples["max_price"] = 10, 20
    kinds = {name: ["x"] * 4 if str(kind) == "string" else np.arange(4) for name, kind in TABLE.items()}
    table = pd.DataFrame(kinds | {"role": ["seller"] * 4} if "role" in TABLE else kinds)
    return write_shard(folder, 0, Dataset(samples, np.zeros(4, bool), table), {"seed": 1})


def _read_dataset(file: Path) -> object:
    from scml_gym.agents.dnb.dataset import read_dataset

    return read_dataset(file.parent)


def _logs(name: str, storage: str = "csv") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.oneshot.players import player_maker
        from scml_gym.oneshot.worlds.generation import league_spec
        from scml_gym.oneshot.worlds.log import record_world

        names = ["greedy", "random", "greedy", "random"]
        players = [player_maker(player)(1) for player in names]
        record_world(league_spec(1, 3, 2), players, names, folder / "logs", 1)
        return next(path for path in (folder / "logs").iterdir() if path.name.startswith(f"{name}."))

    return make


def _read_logs(file: Path) -> object:
    from scml_gym.agents.dnb.logs import read_log, read_records

    return read_records(read_log(file.parent))


def _recording(table: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from tests.helpers.recordings import write_by_hand

        contract = {"day": 1, "seller": 0, "buyer": 2, "quantity": 3, "price": 20, "executed": True}
        offer = {"day": 1, "sender": 2, "receiver": 0, "quantity": 3, "price": 20, "answer": "accepted"}
        factories = [{"factory": i, "initial_balance": 1000} for i in range(4)]
        worlds = [{"rounds": 20}]
        write_by_hand(
            folder / "recording", "w", factories=factories, worlds=worlds, contracts=[contract], offers=[offer]
        )
        name = "recording.json" if table == "recording" else f"worlds/w/{table}.parquet"
        return folder / "recording" / name

    return make


def _analyze(file: Path) -> object:
    from scml_gym.analyzer.queries.competitors import competitors
    from scml_gym.analyzer.queries.worlds import recompute, runs, worlds
    from scml_gym.analyzer.sources import open_recordings

    with open_recordings(next(folder for folder in file.parents if folder.name == "recording")) as recordings:
        for ask in (runs, worlds, competitors):
            ask(recordings)
        return recompute(recordings, 0, "w")


def _of_scml(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from tests.helpers.analyzer_runs import scores_alone

        scores_alone(folder / "t")
        return folder / "t" / file

    return make


def _import(file: Path) -> object:
    from scml_gym.analyzer.sources import open_recordings

    with open_recordings(file.parent) as recordings:
        return recordings.problems


EXPERIMENT = (
    "seed: 1\nagent: {name: q-learning}\nenv: {name: concurrent, days: 5}\ncheckpoint_minutes: 1.0\nthreads: 1\n"
)

READERS = {
    "scenario": Reader(
        ("scml_gym.bilateral.scenarios.files", "scml_gym.core.data_files"),
        _text("s.yaml", SCENARIO),
        _scenario,
    ),
    "negmas domain": Reader(
        ("scml_gym.bilateral.scenarios.negmas_files",),
        _negmas("s.yml", _discounted),
        lambda file: _scenario(file.parent),
    ),
    "negmas profile": Reader((), _negmas("one.yml", _discounted), lambda file: _scenario(file.parent)),
    "negmas discount": Reader((), _negmas("two.yml", _discounted), lambda file: _scenario(file.parent)),
    "Genius domain": Reader(
        ("scml_gym.bilateral.scenarios.genius",),
        _negmas("s.xml", lambda scenario, folder: scenario.to_genius_folder(folder)),
        lambda file: _scenario(file.parent),
    ),
    "Genius profile": Reader(
        (),
        _negmas("one.xml", lambda scenario, folder: scenario.to_genius_folder(folder)),
        lambda file: _scenario(file.parent),
    ),
    "GeniusWeb": Reader((), _geniusweb, lambda file: _scenario(file.parent)),
    "world of OneShot": Reader(
        ("scml_gym.simulator.world_spec",), _spec("oneshot"), _load("scml_gym.oneshot.worlds.spec:WorldSpec")
    ),
    "world of standard": Reader((), _spec("standard"), _load("scml_gym.standard.worlds.spec:WorldSpec")),
    "pool of OneShot": Reader(
        ("scml_gym.simulator.spec_pool",), _pool("oneshot"), _load("scml_gym.oneshot.worlds.pool:SpecPool")
    ),
    "pool of standard": Reader((), _pool("standard"), _load("scml_gym.standard.worlds.pool:SpecPool")),
    "policy file": Reader(
        ("scml_gym.oneshot.policy_files",),
        _zoo("planner", "policy.npz"),
        _load("scml_gym.oneshot.policy_files:PolicyFile"),
    ),
    "run.json": Reader(("scml_gym.experiments.run_info",), _zoo("flat", "run.json"), _run),
    "config.yaml": Reader((), _zoo("flat", "config.yaml"), _run),
    "learning curve": Reader(
        ("scml_gym.core.curve_file", "scml_gym.evaluation.plot_command"), _zoo("flat", "learning_curve.csv"), _compare
    ),
    "agent.json": Reader(
        ("scml_gym.experiments.checkpoints", "scml_gym.agents.sb3.learner"), _zoo("planner", "agent.json"), _play
    ),
    "weights": Reader(("scml_gym.agents.sb3.weights",), _zoo("planner", "weights.npz"), _play),
    "game.json": Reader(("scml_gym.agents.commitment.learner",), _zoo("dcl", "game.json"), _play),
    "networks": Reader((), _zoo("dcl", "networks.npz"), _play),
    "q_learning.json": Reader(("scml_gym.agents.q_learning.tables",), _learnt("q_learning", "q_learning.json"), _play),
    "Q-tables": Reader((), _learnt("q_learning", "tables.npz"), _play),
    "acceptance.json": Reader(("scml_gym.agents.dnb.models",), _dnb("acceptance.json"), _model),
    "acceptance weights": Reader((), _dnb("acceptance.safetensors"), _model),
    "seeds.json": Reader(
        ("scml_gym.agents.seeds",),
        _text("seeds.json", '{"schema": "scml-gym-seeds-1", "seeds": [0, 1, 2], "commands": ["train"]}'),
        _seeds,
    ),
    "study.yaml": Reader(("scml_gym.evaluation.studies.folder",), _study_folder("study.yaml"), _study),
    "run of a study": Reader((), _study_folder("runs/a.json"), _study),
    "starts of a study": Reader((), _study_folder("starts.json"), _study),
    "scores.csv": Reader(("scml_gym.evaluation.table",), _results("scores.csv"), _judge),
    "failures.csv": Reader((), _results("failures.csv"), _judge),
    "results' config": Reader(("scml_gym.evaluation.config",), _results("config.yaml"), _judge),
    "tournament": Reader((), _text("t.yaml", "competitors: [greedy, random]\nworlds: 3\ndays: 10\n"), _tournament),
    "experiment": Reader(("scml_gym.core.config",), _text("e.yaml", EXPERIMENT), _experiment),
    "dataset": Reader(("scml_gym.agents.dnb.dataset",), _dataset, _read_dataset),
    "log of actions": Reader(("scml_gym.agents.dnb.logs",), _logs("actions"), _read_logs),
    "log of days": Reader((), _logs("days"), _read_logs),
    "log of negotiations": Reader((), _logs("negs"), _read_logs),
    "recorded factories": Reader(
        ("scml_gym.analyzer.sources", "scml_gym.analyzer.folders"), _recording("factories"), _analyze
    ),
    "recorded days": Reader((), _recording("days"), _analyze),
    "recorded worlds": Reader((), _recording("worlds"), _analyze),
    "recorded contracts": Reader((), _recording("contracts"), _analyze),
    "recording.json": Reader(("scml_gym.simulator.recording.folder",), _recording("recording"), _analyze),
    "scores of scml": Reader(("scml_gym.analyzer.importing",), _of_scml("scores.csv"), _import),
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

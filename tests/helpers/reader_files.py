"""The files that readers are tried with, whole ones, and how each is read."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def text_file(name: str, text: str) -> Callable[[Path], Path]:
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


def read_scenario(folder: Path) -> object:
    from scml_gym.bilateral.scenarios import load_scenario

    return load_scenario(folder)


def negmas(damaged_file: str, written: Callable[[Any, Path], object]) -> Callable[[Path], Path]:
    """A scenario's folder as negmas writes it."""

    def make(folder: Path) -> Path:
        from scml_gym.bilateral.scenarios import load_scenario

        scenario = load_scenario(text_file("s.yaml", SCENARIO)(folder)).to_negmas()
        (folder / "s.yaml").unlink()
        written(scenario, folder)
        return folder / damaged_file

    return make


def discounted(scenario: Any, folder: Path) -> None:
    from negmas.inout import Scenario
    from negmas.preferences import ExpDiscountedUFun, WeightedUtilityFunction

    first, second = scenario.ufuns
    space = scenario.outcome_space
    mixed = WeightedUtilityFunction([first, first], weights=[0.2, 0.3], outcome_space=space, name="one")
    ufuns = (mixed, ExpDiscountedUFun(second, discount=0.9, name="two"))
    Scenario(space, ufuns).dumpas(folder, type="yml")


def geniusweb(folder: Path) -> Path:
    domain = {"name": "d", "issuesValues": {"a": {"values": ["x", "y"]}, "b": {"values": ["p", "q"]}}}
    utilities = {
        issue: {"discreteutils": {"valueUtilities": {value: 0.2 + i for i, value in enumerate(values["values"])}}}
        for issue, values in domain["issuesValues"].items()
    }
    space = {"name": "one", "domain": domain, "issueWeights": {"a": 0.4, "b": 0.6}, "issueUtilities": utilities}
    (folder / "d.json").write_text(json.dumps(domain))
    (folder / "one.json").write_text(json.dumps({"LinearAdditiveUtilitySpace": space}))
    return folder / "one.json"


def spec_file(track: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.core.registry import load_object

        load_object(f"scml_gym.{track}.worlds.generation:league_spec")(1, 6, 3).save(folder / "spec.npz")
        return folder / "spec.npz"

    return make


def pool_file(track: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.core.registry import load_object

        pool = load_object(f"scml_gym.{track}.worlds.pool:SpecPool")
        ranges = [valid.low + 3 if name == "days" else valid.low + 1 for name, valid in pool.tables.ranges.items()]
        pool.from_seeds([1, 2], *ranges).save(folder / "pool.npz")
        return folder / "pool.npz"

    return make


def loaded_by(path: str) -> Callable[[Path], object]:
    def read(file: Path) -> object:
        from scml_gym.core.registry import load_object

        return load_object(path).load(file)

    return read


def zoo_file(name: str, file: str) -> Callable[[Path], Path]:
    """A run folder that comes with the package; of a checkpoint's file the name alone."""

    def make(folder: Path) -> Path:
        from scml_gym.core.trained import ZOO

        run = folder / "run"
        shutil.copytree(ZOO / name, run)
        return next(iter(sorted(run.rglob(file))))

    return make


def play(file: Path) -> object:
    from scml_gym.policies.run_folders import load_agent

    return load_agent(next(folder for folder in file.parents if folder.name == "run"))


def open_run(file: Path) -> object:
    from scml_gym.experiments.run_folder import Run

    return Run.open(file.parent)


def compare(file: Path) -> object:
    """What trainings are compared by, without the drawings."""
    from scml_gym.core.curves import columns_of, points
    from scml_gym.evaluation.comparison import read_trainings

    trainings = read_trainings([file.parent], "agent")
    return [points(trainings[0].rows, name) for name in columns_of({"": [trainings[0].rows]})]


def learnt(name: str, file: str) -> Callable[[Path], Path]:
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


def read_seeds(file: Path) -> object:
    from scml_gym.agents.seeds import runs_of

    return runs_of(file.parent)


def read_study(file: Path) -> object:
    from scml_gym.evaluation.studies.folder import StudyFolder

    folder = StudyFolder(next(above for above in file.parents if above.name == "study"))
    with folder.opened({"seed": 1, "games": 2}):
        folder.merge(["a"])
        return folder.origin()


def study_folder(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.evaluation.studies.folder import StudyFolder

        study = StudyFolder(folder / "study")
        with study.opened({"seed": 1, "games": 2}):
            study.note_start("study", 1)
            study.save("a", {"games": [{"x": 1, "y": 2.5}]}, 1.0)
        return folder / "study" / file

    return make


def results_file(file: str) -> Callable[[Path], Path]:
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


def judge(file: Path) -> object:
    """What a report is made of, without its drawings."""
    from scml_gym.core.data_files import content_of
    from scml_gym.evaluation.config import saved_config
    from scml_gym.evaluation.statistics import paired, ranking
    from scml_gym.evaluation.table import read_failures, read_scores

    table = read_scores(file.parent / "scores.csv", saved_config(file.parent).game)
    with content_of(file, "the results of a tournament"):
        return ranking(table), paired(table), read_failures(file.parent / "failures.csv")


def read_tournament(file: Path) -> object:
    from scml_gym.evaluation.config import load_config

    return load_config(file)


def read_experiment(file: Path) -> object:
    from scml_gym.core.config import load_experiment

    return load_experiment(file)


def dataset_file(folder: Path) -> Path:
    import pandas as pd

    from scml_gym.agents.dnb.dataset import TABLE, Dataset, write_shard
    from scml_gym.agents.dnb.records import SAMPLE_DTYPE

    samples = np.zeros(4, SAMPLE_DTYPE)
    samples["lines"], samples["max_price"] = 10, 20
    kinds = {name: ["x"] * 4 if str(kind) == "string" else np.arange(4) for name, kind in TABLE.items()}
    table = pd.DataFrame(kinds | {"role": ["seller"] * 4} if "role" in TABLE else kinds)
    return write_shard(folder, 0, Dataset(samples, np.zeros(4, bool), table), {"seed": 1})


def read_dataset(file: Path) -> object:
    from scml_gym.agents.dnb.dataset import read_dataset

    return read_dataset(file.parent)


def log_file(name: str, storage: str = "csv") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.oneshot.players import player_maker
        from scml_gym.oneshot.worlds.generation import league_spec
        from scml_gym.oneshot.worlds.log import record_world

        names = ["greedy", "random", "greedy", "random"]
        players = [player_maker(player)(1) for player in names]
        record_world(league_spec(1, 3, 2), players, names, folder / "logs", 1)
        return next(path for path in (folder / "logs").iterdir() if path.name.startswith(f"{name}."))

    return make


def read_logs(file: Path) -> object:
    from scml_gym.agents.dnb.logs import read_log, read_records

    return read_records(read_log(file.parent))


def recording_file(table: str) -> Callable[[Path], Path]:
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


def analyze(file: Path) -> object:
    from scml_gym.analyzer.queries.competitors import competitors
    from scml_gym.analyzer.queries.worlds import recompute, runs, worlds
    from scml_gym.analyzer.sources import open_recordings

    with open_recordings(next(folder for folder in file.parents if folder.name == "recording")) as recordings:
        for ask in (runs, worlds, competitors):
            ask(recordings)
        return recompute(recordings, 0, "w")


def of_scml(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from tests.helpers.analyzer_runs import scores_alone

        scores_alone(folder / "t")
        return folder / "t" / file

    return make


def import_scml(file: Path) -> object:
    from scml_gym.analyzer.sources import open_recordings

    with open_recordings(file.parent) as recordings:
        return recordings.problems


EXPERIMENT = (
    "seed: 1\nagent: {name: q-learning}\nenv: {name: concurrent, days: 5}\ncheckpoint_minutes: 1.0\nthreads: 1\n"
)

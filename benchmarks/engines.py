"""What jobs take by local processes and by Ray, on one core and on two, and what follows from that for more cores.

Two kinds of jobs are measured: worlds of a tournament (many, of about a second) and runs of a study (fewer, of many
seconds). Of each kind, the time on the clock for a job and the CPU time that the leading process needs for it. What
more cores take is reckoned: a job takes what it takes on those that are measured, the leading process looks after one
job at a time, and the last jobs end when all others have.

    python benchmarks/engines.py --json engines.json

It takes about 10 minutes on two cores that nobody else uses; ``--worlds 10 --trainings 4`` a third of that.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from scml_gym.agents import STUDIES
from scml_gym.core.engines import ENGINES, find_engine
from scml_gym.core.process import limit_threads
from scml_gym.core.provenance import versions
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.studies.study import load_study, run_study
from scml_gym.evaluation.tournament import run_tournament

CORES = (2, 16, 256)
RANKING = 1_000
"""Configurations; each is played twice."""
STUDY = 540
"""Runs."""

PLAYERS = ("best-subset", "greedy")
BACKGROUND = ("greedy", "boulware", "scml:SyncRandomOneShotAgent")


class Measured(NamedTuple):
    """Of one kind of job, by one engine on so many cores.

    Attributes:
        kind: Of job.
        engine: Name.
        cores: Workers.
        jobs: How many.
        start: Seconds from the command to the first job; of studies with the end of the engine.
        job: Seconds of one core for a job: those on the clock, times the cores, over the jobs.
        computing: CPU seconds for a job without the start of its process, None where they are not known; `job` is near
            them where nobody else uses the cores.
        leading: CPU seconds of the leading process for a job.
    """

    kind: str
    engine: str
    cores: int
    jobs: int
    start: float
    job: float
    computing: float | None
    leading: float


def used() -> float:
    """CPU seconds of the processes that this one has started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def worlds(engine: str, cores: int, configurations: int, alone: float = 0.0) -> Measured:
    """Play a tournament; ``alone`` is what `used` counts for one of a single configuration."""
    config = TournamentConfig(competitors=PLAYERS, background=BACKGROUND, worlds=configurations, workers=cores)
    marks: dict[str, float] = {}

    def begin() -> None:
        marks.update(clock=time.perf_counter(), cpu=time.process_time())

    before, others = time.perf_counter(), used()
    run_tournament(config, begin, engine=find_engine(engine))
    passed, cpu = time.perf_counter() - marks["clock"], time.process_time() - marks["cpu"]
    n = config.n_plays
    known = engine == "local" and cores == 1 and configurations > 1  # less a tournament of one, for the start
    computing = (used() - others - alone) / (n - n // configurations) if known else None
    return Measured("world", engine, cores, n, marks["clock"] - before, passed * cores / n, computing, cpu / n)


def runs(engine: str, cores: int, trainings: int) -> Measured:
    """Compute a study of four runs; what is not theirs is the start."""
    rewards = "rewards={accept: [a], offer: [a], failure_penalty: [0.0]}"
    study, config = load_study(STUDIES, "dqn_acceptance", [f"trainings={trainings}", rewards])
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        before, cpu = time.perf_counter(), time.process_time()
        run_study(study, config, out, cores, engine=find_engine(engine))
        passed, cpu = time.perf_counter() - before, time.process_time() - cpu
        cost = json.loads((out / "cost.json").read_text())
    n = cost["runs"]
    here = engine == "local" and cores == 1  # where the leading process computes them
    job = cost["cpu_seconds"] / n
    start = max(0.0, passed - math.ceil(n / cores) * job)
    return Measured("run", engine, cores, n, start, job, job, max(0.0, cpu / n - (job if here else 0.0)))


def reckoned(measured: Measured, job: float, jobs: int, cores: int) -> float:
    """Seconds for so many jobs of so many seconds on so many cores."""
    return measured.start + max(jobs * job / cores, jobs * measured.leading) + job


def main() -> None:
    """Measure, reckon and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=40, help="configurations of a tournament, of two worlds each")
    parser.add_argument("--trainings", type=int, default=10, help="of a run of the study, at least 4")
    parser.add_argument("--engines", nargs="+", choices=[*ENGINES], default=[*ENGINES])
    parser.add_argument("--kinds", nargs="+", choices=["world", "run"], default=["world", "run"])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    limit_threads(1)
    worlds("local", 1, 1)  # whose code is compiled then
    before = used()
    worlds("local", 1, 1)
    alone = used() - before
    found: list[Measured] = []
    for engine, cores in product(arguments.engines, (1, 2)):
        if "world" in arguments.kinds:
            found.append(worlds(engine, cores, arguments.worlds, alone))
        if "run" in arguments.kinds:
            found.append(runs(engine, cores, arguments.trainings))
    print("| job | engine | cores | jobs | start, s | a job, s of a core | of them CPU s | leading, ms of CPU a job |")
    print("|---|---|---|---|---|---|---|---|")
    for m in found:
        row = (m.kind, m.engine, m.cores, m.jobs, f"{m.start:.1f}", f"{m.job:.3f}")
        computing = "" if m.computing is None else f"{m.computing:.3f}"
        print("| " + " | ".join(map(str, (*row, computing, f"{1000 * m.leading:.1f}"))) + " |")
    engine = found[-1].engine
    print(f"\n| {engine}, reckoned | " + " | ".join(f"{cores} cores" for cores in CORES) + " |")
    print("|---" * (1 + len(CORES)) + "|")
    last: dict[str, Any] = {m.kind: m for m in found if m.engine == engine and m.cores == 2}
    jobs_take: dict[str, float] = {kind: m.job for kind, m in last.items()}
    for m in reversed(found):
        if m.computing is not None:
            jobs_take[m.kind] = m.computing
    told = {
        "world": (f"a ranking of {RANKING:,} configurations", 2 * RANKING),
        "run": (f"a study of {STUDY} runs", STUDY),
    }
    for kind, m in last.items():
        name, jobs = told[kind]
        minutes = [reckoned(m, jobs_take[kind], jobs, cores) / 60 for cores in CORES]
        print(f"| {name} | " + " | ".join(f"{number:.1f} min" for number in minutes) + " |")
    if arguments.json:
        content = {"versions": versions(), "measured": [m._asdict() for m in found]}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Evaluation while training, the best checkpoint, and parts of a user's own, on the stopping problem."""

import gymnasium
import numpy as np
import pytest

from scml_gym.agents.sb3.evaluation import play_worlds
from scml_gym.agents.sb3.training import make_vec_env
from scml_gym.agents.training import resume, start
from scml_gym.core.data_files import dump_yaml
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.policies.run_folders import latest_checkpoint, load_agent
from tests.helpers.training_parts import Counts, Kept

STOPPING = "scml_gym/tests-Stopping-v0"
PARTS = "tests.helpers.training_parts"
AGENT = {"name": "ppo", "total_steps": 192, "n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2}


@pytest.fixture(autouse=True, scope="module")
def stopping():
    gymnasium.register(STOPPING, entry_point="tests.helpers.stopping:StoppingEnv", disable_env_checker=True)
    yield
    del gymnasium.registry[STOPPING]


def experiment(folder, agent=(), env=(), **others):
    config = {"seed": 1, "threads": 1, "checkpoint_minutes": 0} | others
    config["agent"] = AGENT | {"net_arch": [8]} | dict(agent)
    config["env"] = {"id": STOPPING} | dict(env)
    file = folder / "experiment.yaml"
    file.write_text(dump_yaml(config))
    return file


@pytest.mark.slow
def test_an_evaluation_plays_the_same_worlds_each_time_and_the_best_checkpoint_is_kept(tmp_path):
    file = experiment(tmp_path, {"evaluation": {"every": 40, "worlds": 8, "seed": 100}})
    run = start(file, out=tmp_path / "run")
    values = {int(row["step"]): float(row["eval_return"]) for row in run.curve() if row.get("eval_return")}
    assert list(values) == [64, 96, 128, 160]  # where a rollout of 32 ends beyond the next 40
    best = run.best
    assert best["value"] == max(values.values())
    assert values[best["step"]] == best["value"]
    assert [path.name for path in (run.path / "best").iterdir()] == [f"{best['step']:012d}"]
    agent = load_agent(run.path / "best")
    assert agent.model.num_timesteps == best["step"]
    envs = make_vec_env(agent.env, 8, 1, 1.0)
    assert play_worlds(agent, envs, 100, False)["return"] == pytest.approx(best["value"])
    assert latest_checkpoint(run.path) != latest_checkpoint(run.path / "best")
    longer = start(file, ["agent.total_steps=32"], out=tmp_path / "longer", begin_from=run.path / "best")
    assert longer.info["from"] == str(run.path / best["checkpoint"])


@pytest.mark.slow
def test_an_evaluation_changes_nothing_of_the_training(tmp_path):
    plain = start(experiment(tmp_path), out=tmp_path / "plain")
    often = {"every": 1, "worlds": 2, "seed": 0}
    evaluated = start(experiment(tmp_path, {"evaluation": often}), out=tmp_path / "evaluated")
    without = [{k: v for k, v in row.items() if not k.startswith("eval_")} for row in evaluated.curve()]
    assert without == plain.curve()


@pytest.mark.slow
def test_a_resumed_training_keeps_the_best_checkpoint_of_before(tmp_path):
    evaluation = {"every": 20, "worlds": 4, "seed": 1}
    file = experiment(tmp_path, {"evaluation": evaluation, "callbacks": [f"{PARTS}:StopsAt64"]})
    run = start(file, out=tmp_path / "run")
    assert run.step == 64
    before = run.best
    assert before is not None
    again = resume(run.path)
    assert again.best["value"] >= before["value"]
    assert Run.open(run.path).best == again.best


def test_there_is_no_best_checkpoint_without_evaluation(tmp_path):
    run = start(experiment(tmp_path, {"total_steps": 32}), out=tmp_path / "run")
    for path in (run.path / "best", tmp_path / "nowhere" / "best"):
        with pytest.raises(InputError, match=r"no best checkpoint|not a run folder"):
            load_agent(path)


@pytest.mark.slow
def test_callbacks_wrappers_and_loggers_of_ones_own_take_part(tmp_path):
    Counts.steps, Kept.told = 0, []
    parts = {"agent": {"callbacks": [f"{PARTS}:Counts"]}, "env": {"wrappers": [f"{PARTS}:Doubled"]}}
    run = start(experiment(tmp_path, **parts, loggers=[f"{PARTS}:Kept", "csv"]), out=tmp_path / "run")
    plain = start(experiment(tmp_path), out=tmp_path / "plain")
    assert Counts.steps == AGENT["total_steps"] / AGENT["n_envs"]
    first, second = (float(r.curve()[0]["return"]) for r in (run, plain))
    assert first == pytest.approx(2 * second)
    assert [step for _, step, _ in Kept.told] == [int(row["step"]) for row in run.curve()]
    assert Kept.told[0][0] == run.path and "steps_per_second" in Kept.told[0][2]
    assert (run.path / "scalars.csv").read_text().startswith("step,episodes")
    assert not (run.path / "tb").exists()


@pytest.mark.slow
def test_a_csv_goes_on_where_a_resumed_training_does(tmp_path):
    file = experiment(tmp_path, {"callbacks": [f"{PARTS}:StopsAt64"]}, loggers=["csv"])
    run = start(file, out=tmp_path / "run")
    (run.path / "scalars.csv").write_text((run.path / "scalars.csv").read_text() + "96,1\n")
    resume(run.path)
    steps = [line.partition(",")[0] for line in (run.path / "scalars.csv").read_text().splitlines()[1:]]
    assert steps == [row["step"] for row in Run.open(run.path).curve()]


@pytest.mark.slow
def test_what_was_trained_in_changed_observations_plays_nowhere_else(tmp_path):
    run = start(experiment(tmp_path, env={"wrappers": [f"{PARTS}:Halved"]}), out=tmp_path / "run")
    agent = load_agent(run.path)
    assert np.isfinite(agent.predict(np.zeros(2, np.float32))[0])
    with pytest.raises(InputError, match=r"trained with env\.wrappers=.*it plays in these only"):
        agent.policy(0)


OFTEN = {"every": 1, "worlds": 1, "seed": 0}
WRONG = {
    "no such callback": ({"agent": {"callbacks": [f"{PARTS}:Count"]}}, "agent.callbacks: .*did you mean 'Counts'"),
    "no callback": ({"agent": {"callbacks": ["builtins:dict"]}}, "agent.callbacks: 'builtins:dict' makes no callback"),
    "no such wrapper": ({"env": {"wrappers": ["nowhere:X"]}}, "env.wrappers: 'nowhere:X': there is no module"),
    "no list": ({"env": {"wrappers": "a:b"}}, "env.wrappers: 'a:b' is not a list"),
    "no environment": ({"env": {"wrappers": [f"{PARTS}:no_environment"]}}, "env.wrappers: .* makes a int"),
    "no such logger": ({"loggers": ["tensorbord"]}, "loggers: unknown logger 'tensorbord'; did you mean 'tensorboard'"),
    "no worlds": ({"agent": {"evaluation": {"every": 1, "worlds": 0, "seed": 0}}}, r"agent\.evaluation\.worlds: 0"),
    "another space": (
        {"agent": {"evaluation": OFTEN | {"env": {"id": "CartPole-v1"}}}},
        r"agent\.evaluation\.env: other observations or actions",
    ),
    "no such environment": (
        {"agent": {"evaluation": OFTEN | {"env": {"id": "Nowhere-v0"}}}},
        r"agent\.evaluation\.env: .*Nowhere",
    ),
    "no copies": (
        {"agent": {"evaluation": OFTEN | {"copies": 0.5}}},
        r"agent\.evaluation\.copies: no policy files of scml_gym/tests-Stopping-v0",
    ),
    "only copies": ({"agent": {"evaluation": OFTEN | {"copies": 1.0}}}, r"agent\.evaluation\.copies: 1\.0"),
    "half an evaluation": ({"agent": {"evaluation": {"every": 1}}}, r"agent\.evaluation\.worlds: missing"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_parts_are_refused_before_anything_is_written(case, tmp_path):
    changes, told = WRONG[case]
    with pytest.raises(InputError, match=told) as refused:
        start(experiment(tmp_path, **changes), out=tmp_path / "run")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()

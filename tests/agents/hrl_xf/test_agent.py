"""The learner ``hrl-xf``: its stages are trained, shared, skipped and taken from runs; it plays, and refuses what does
not fit."""

import shutil

import numpy as np
import pytest

from scml_gym.agents.training import start
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.export.players import exported_player
from scml_gym.games import GAMES
from scml_gym.policies.run_folders import deploy, load_agent
from scml_gym.standard.players import player_maker
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.negotiations import SMALL_AGENT

SKIPPED = [f"agent.{stage}.take=skip" for stage in ("dagger", "ippo", "mappo", "self_play")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run with all stages, and the folder that it shares."""
    pytest.importorskip("minari", reason="pip install 'scml-gym[offline]'")
    folder = tmp_path_factory.mktemp("runs")
    options = [*SMALL_AGENT, f"agent.shared={folder / 'shared'}", "loggers=[]"]
    return start("hrl_xf", options, out=folder / "whole"), options


def test_all_stages_are_trained_and_told(whole):
    run, _ = whole
    rows = run.curve()
    assert run.finished and run.step == 10
    assert [(int(row["step"]), int(float(row["stage"]))) for row in rows] == [
        *((1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2)),
        *((7, 3), (8, 3), (9, 3), (10, 3)),
    ]
    assert all(float(row["follow_loss"]) > 0 for row in rows[:2])
    assert all(float(row["alpha_deviation"]) == 0 for row in rows[:4])
    assert all(float(row["alpha_deviation"]) > 0 for row in rows[4:])
    assert sorted(path.name for path in (run.path / "past").iterdir()) == ["000000000006", "000000000008"]
    shared = run.path.parent / "shared"
    assert {path.name for path in shared.iterdir()} >= {"executor", "imitation", "datasets"}
    learner = load_agent(run.path)
    assert learner.worlds == 10 and learner.manager[0] == "fast-maskable-ppo"


def test_a_run_plays_by_its_name_and_as_it_was_when_it_was_saved(whole, tmp_path):
    run, _ = whole
    make, again = GAMES.get("standard").player_maker(str(run.path)), load_agent(run.path)
    again.save(tmp_path)
    made = []
    for policy in (make(0), type(again).load(tmp_path).policy(0)):
        players = [policy if i == 3 else player_maker("stock-planner")(2) for i in range(6)]
        world = ReferenceWorld(league_spec(2, 3, 3, 2), players, 2, "league")
        world.run()
        made.append(world.contracts)
    assert np.array_equal(*made)
    kind, parameters = deploy(run.path)
    assert parameters["controller_params"]["game"] == "standard" and kind.__name__ == "DeployedStdAgent"
    with pytest.raises(InputError, match="cannot be exported") as refused:
        exported_player(str(run.path))
    assert "\n" not in str(refused.value)


def test_what_is_shared_is_trained_once_and_refused_where_it_was_configured_otherwise(whole, tmp_path):
    run, options = whole
    shared = run.path.parent / "shared"
    before = {path: path.stat().st_mtime_ns for path in shared.rglob("*") if path.is_file()}
    other = start(
        "hrl_xf", [*options, *SKIPPED, f"agent.manager.take={run.path / 'manager'}"], seed=1, out=tmp_path / "b"
    )
    assert {path: path.stat().st_mtime_ns for path in shared.rglob("*") if path.is_file()} == before
    assert other.finished and other.step == 0 and not other.curve()
    one, two = (load_agent(shared / "executor").network, load_agent(other.path).executor.network)
    assert all(np.array_equal(a.detach(), b.detach()) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    wider = "agent.executor.settings.width=16"
    with pytest.raises(InputError, match=r"executor was trained with agent.width=8, not 16; valid: another folder"):
        start("hrl_xf", [*options, *SKIPPED, wider], out=tmp_path / "c")
    (broken := tmp_path / "shared").mkdir()
    shutil.copytree(shared / "executor", broken / "executor")
    (broken / "executor" / "run.json").write_text('{"schema": "another"}')
    with pytest.raises(InputError, match="schema"):
        start("hrl_xf", [*options, *SKIPPED, f"agent.shared={broken}"], out=tmp_path / "d")


def test_stages_are_skipped_and_taken_from_runs(whole, tmp_path):
    run, options = whole
    skip = ["agent.executor.take=skip", "agent.manager.take=skip", "agent.coordinator.take=skip"]
    plain = start("hrl_xf", [*options, *skip, *SKIPPED, "agent.alpha=zero", "env.shield=null"], out=tmp_path / "plain")
    learner = load_agent(plain.path)
    assert learner.manager is None and learner.coordinator is None and learner.hierarchy().executor.shield is None
    taken = [f"agent.{name}.take={run.path}" for name in ("coordinator", "ippo")]
    goes_on = start("hrl_xf", [*options, *skip[:2], *taken, SKIPPED[0], *SKIPPED[2:]], out=tmp_path / "on")
    one, two = (load_agent(path) for path in (run.path, goes_on.path))
    for name in ("coordinator", "judge"):
        parts = (getattr(learner, name).state_dict() for learner in (one, two))
        assert all(np.array_equal(a, b) for a, b in zip(*(part.values() for part in parts), strict=True))
    parts = (learner.executor.network.state_dict() for learner in (one, two))
    assert all(np.array_equal(a, b) for a, b in zip(*(part.values() for part in parts), strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("agent.executor.take={run}", "agent.executor.take: {run} was trained by 'hrl-xf'; valid: executor"),
        ("agent.ippo.take={run}/manager", "agent.ippo.take: {run}/manager was trained by 'fast-maskable-ppo'"),
        ("agent.manager.take={run}", "agent.manager.take: a manager with action='goals' of 'standard_negotiations_v0'"),
        ("agent.manager.take=skip", "dagger.take: 'train', without a manager whose plan it follows; valid: skip"),
        ("agent.executor.take=nowhere", "agent.executor.take: nowhere is not a run folder"),
        ("agent.coordinator.take={run} agent.coordinator.width=16", "a coordinator of another width"),
        ("agent.mappo.take={run} agent.learning.hidden=16", "a critic of another width"),
        ("agent.executor.take={shared}/executor env.quantity_bins=5", "an executor of actions of (3, 10, 11, 4)"),
        ("agent.mappo.alpha=some", "unknown way to alpha 'some'"),
        ("agent.coordinator.heads=3", "heads: 3; valid: what divides width + 32 = 40"),
        ("agent.executor.settings.target_return=1.0", "target_return: 1.0, of an executor that learns on; valid: null"),
        ("env.id=oneshot_negotiations_v0", "valid: standard_negotiations_v0"),
        ("agent.mappo.critic=some", "agent.mappo.critic: 'some' is not valid"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_before_anything_is_recorded(whole, change, message, tmp_path):
    run, options = whole
    names = {"run": run.path, "shared": run.path.parent / "shared"}
    with pytest.raises(InputError) as refused:
        start("hrl_xf", [*options, *change.format(**names).split()], out=tmp_path / "run")
    assert message.format(**names) in str(refused.value) and "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_it_decides_for_factories_and_not_before_it_is_trained(whole):
    run, _ = whole
    learner = load_agent(run.path)
    with pytest.raises(InputError, match="decides for a whole factory"):
        learner.predict(np.zeros(3))
    untrained = type(learner)(learner.hyperparameters, learner.env)
    with pytest.raises(InputError, match="not trained yet"):
        untrained.policy(0)
    with pytest.raises(ConfigError):
        type(learner).build({}, learner.env)


def test_a_checkpoint_of_another_form_is_refused_in_one_line(whole, tmp_path):
    run, _ = whole
    copy = tmp_path / "copy"
    for change, message in (
        (lambda folder: (folder / "hrl_xf.json").write_text('{"schema": "other"}'), "has the schema 'other'"),
        (lambda folder: (folder / "critic.npz").write_bytes(b"no"), "critic.npz"),
        (lambda folder: shutil.rmtree(folder / "executor"), "decision_transformer.json"),
        (
            lambda folder: (folder / "manager" / "agent.json").write_text('{"schema": "a:b", "env": "my_module:Env"}'),
            "names 'my_module:Env'",
        ),
    ):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(run.path, copy)
        change(Run.open(copy).latest_checkpoint())
        with pytest.raises(InputError) as refused:
            load_agent(copy)
        assert message in str(refused.value) and "\n" not in str(refused.value)

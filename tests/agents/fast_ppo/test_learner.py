"""The learners: trainings that repeat and go on to the last bit, what they leave, and what they refuse."""

import copy
import json
import os
import pickle
import signal

import numpy as np
import pytest
import torch

from scml_gym.agents import AGENTS
from scml_gym.agents.sb3.evaluation import evaluate
from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import make_env
from scml_gym.experiments.run_folder import POLICY_FILE, Run
from scml_gym.game.policy_files import PolicyFile
from scml_gym.oneshot.policy_files import NETWORKS

ENV = {
    **{"id": "scml_gym/OneShotConcurrent-v0", "days": 3, "factories_per_level": (2, 4)},
    **{"opponents": ["best-subset", "greedy", "random"]},
}
DAYS = {"episode": "day", "reward": "regret", "observation": "entities"}
SMALL = {
    "total_steps": 160,
    "n_envs": 4,
    "n_steps": 8,
    "batch_size": 16,
    "n_epochs": 2,
    "net_arch": [8],
    "log_steps": 64,
}
LEARNERS = {
    "partners": ("fast-maskable-ppo", {"embedding_size": 8}, DAYS),
    "sets": ("fast-ppo", {}, DAYS | {"action": "planner"}),
    "flatten": ("fast-maskable-ppo", {}, {}),
}
"""In environments that other tests compile too."""

EVALUATION = {"every": 60, "worlds": 3, "seed": 5, "copies": 0.4, "env": {"opponents": ["best-subset", "greedy"]}}


def config_of(features, env=None, **changes):
    name, settings, form = LEARNERS[features]
    agent = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml")
    agent |= {"name": name, "features": features} | SMALL | settings | changes
    return {"seed": 1, "agent": agent, "env": ENV | form | (env or {}), "checkpoint_minutes": 0, "threads": 1}


def built(config):
    return AGENTS.get(config["agent"]["name"]).build(config["agent"], config["env"])


def trained(folder, config):
    agent, run = built(config), Run.create(folder, config, "test")
    agent.train(run)
    return agent, run


def everything(run):
    """The learning curve, and all arrays of the last checkpoint."""
    checkpoint = run.latest_checkpoint()
    arrays = {}
    for name in ("weights", "training"):
        with np.load(checkpoint / f"{name}.npz", allow_pickle=False) as kept:
            arrays |= dict(kept)
    for name in ("env_players", "env_worlds"):  # addresses, which differ from process to process, and environment
        del arrays[name]
    return (run.path / "learning_curve.csv").read_bytes(), arrays


def equal(one, other):
    (curve, arrays), (same_curve, same_arrays) = everything(one), everything(other)
    assert curve == same_curve
    return [name for name in arrays if not np.array_equal(arrays[name], same_arrays[name])] == []


@pytest.mark.slow
@pytest.mark.parametrize("features", LEARNERS)
def test_a_training_repeats_and_goes_on_to_the_last_bit(features, tmp_path, monkeypatch):
    config = config_of(features, evaluation=EVALUATION if features == "partners" else None)
    agent, whole = trained(tmp_path / "whole", config)
    assert [int(row["step"]) for row in whole.curve()] == [64, 128, 160]
    assert whole.step == agent.model.num_timesteps == 160
    assert equal(trained(tmp_path / "again", config)[1], whole)

    save = Run.checkpoint
    for stop in ("killed", "asked"):

        def checkpoint(run, step, write, how=stop):
            if how == "asked" and step == 96:
                os.kill(os.getpid(), signal.SIGINT)
            save(run, step, write)
            if how == "killed" and step == 96:
                raise KeyboardInterrupt

        run = Run.create(tmp_path / stop, config, "test")
        monkeypatch.setattr(Run, "checkpoint", checkpoint)
        with pytest.raises(KeyboardInterrupt):
            built(config).train(run)
        monkeypatch.undo()
        run = Run.open(run.path)
        assert run.step == 96
        built(config).train(run)
        assert equal(run, whole)
        assert run.best == whole.best


@pytest.mark.slow
def test_an_evaluation_among_copies_changes_nothing_of_the_training_and_keeps_the_best(tmp_path):
    plain = trained(tmp_path / "plain", config_of("partners"))[1]
    agent, run = trained(tmp_path / "run", config_of("partners", evaluation=EVALUATION))
    rows = run.curve()
    assert [{k: v for k, v in row.items() if not k.startswith("eval_")} for row in rows] == plain.curve()
    values = {int(row["step"]): float(row["eval_return"]) for row in rows if row.get("eval_return")}
    assert list(values) == [64, 128]
    assert run.best is not None
    assert (run.best["step"], run.best["value"]) == max(values.items(), key=lambda item: item[1])
    best = type(agent).load(run.path / run.best["checkpoint"])
    settings = agent.hyperparameters.evaluation
    again = Run.create(tmp_path / "again", run.config, "test")
    assert evaluate(best, settings, again, 0)["return"] == pytest.approx(run.best["value"])
    alone = evaluate(best, settings.model_copy(update={"copies": 0.0}), again, 0)
    assert alone["return"] != pytest.approx(run.best["value"])


@pytest.mark.slow
def test_what_a_decision_costs_is_learnt_and_not_told(tmp_path):
    config = config_of("flatten", total_steps=64)
    agent, run = trained(tmp_path / "run", config)
    config["agent"]["decision_cost"] = 0.01
    costly, other = trained(tmp_path / "costly", config)
    assert other.curve()[0]["episodes"] == run.curve()[0]["episodes"]
    biases = [one.model.policy.state_dict()["value_net.bias"] for one in (agent, costly)]
    assert biases[1] < biases[0]


@pytest.mark.slow
def test_the_number_of_threads_changes_no_bit(tmp_path):
    runs = [trained(tmp_path / str(workers), config_of("flatten", workers=workers))[1] for workers in (1, 2)]
    assert equal(*runs)


@pytest.mark.slow
@pytest.mark.parametrize("features", LEARNERS)
def test_what_is_loaded_or_copied_acts_the_same(features, tmp_path):
    config = config_of(features, total_steps=32)
    agent, run = trained(tmp_path / "run", config)
    env = make_env(config["env"])
    observation, _ = env.reset(seed=4)
    mask = env.get_wrapper_attr("action_masks")()
    loaded = type(agent).load(run.latest_checkpoint())
    for other in (loaded, copy.copy(agent), copy.deepcopy(agent), pickle.loads(pickle.dumps(agent))):
        assert np.array_equal(other.predict(observation, None, mask)[0], agent.predict(observation, None, mask)[0])
        assert env.action_space.contains(np.asarray(other.predict(observation, None, mask)[0]))
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file() and p.parent.name != "tb"}
    built(config).train(Run.open(run.path))  # it is finished
    assert {p: p.read_bytes() for p in before} == before
    folder = tmp_path / "saved"
    folder.mkdir()
    loaded.save(folder)
    assert np.array_equal(
        type(agent).load(folder).predict(observation, None, mask)[0], agent.predict(observation, None, mask)[0]
    )


OTHERS = ["OneShotBilateral-v0", "StandardConcurrent-v0", "StandardDaily-v0"]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_other_environments_of_factories_are_learnt_in_too(name, tmp_path):
    env = {"id": f"scml_gym/{name}", "days": 4, "observation": "flat"}
    config = config_of("flatten", total_steps=64) | {"env": env}
    agent, run = trained(tmp_path / "run", config)
    assert run.step == agent.model.num_timesteps == 64
    env = make_env(config["env"])
    observation, _ = env.reset(seed=1)
    mask = env.get_wrapper_attr("action_masks")()
    action, _ = type(agent).load(run.latest_checkpoint()).predict(observation, None, mask)
    options = np.split(mask, np.cumsum(getattr(env.action_space, "nvec", [len(mask)]))[:-1])
    assert all(valid[choice] for valid, choice in zip(options, np.atleast_1d(action), strict=True))


@pytest.mark.slow
def test_what_it_learns_is_played_as_that_of_the_slower_learner(tmp_path):
    """The same first network, the same player, and the same policy file."""
    config = config_of("flatten", total_steps=32, learning_rate=1e-30, final_learning_rate=1e-30)
    fast, run = trained(tmp_path / "fast", config)
    slow, slow_run = trained(tmp_path / "slow", config | {"agent": config["agent"] | {"name": "maskable-ppo"}})
    for key, value in slow.model.policy.state_dict().items():
        assert torch.allclose(value, fast.model.policy.state_dict()[key], atol=1e-20)  # what biases of 0 have become
    files = [PolicyFile.load(r.latest_checkpoint() / POLICY_FILE, NETWORKS) for r in (run, slow_run)]
    assert np.allclose(files[0].network, files[1].network, atol=1e-20)
    assert type(fast.policy(0)) is type(slow.policy(0))


@pytest.mark.slow
def test_a_training_begins_with_what_another_has_learnt(tmp_path):
    agent, run = trained(tmp_path / "run", config_of("sets", total_steps=32))
    unmoved = config_of("sets", total_steps=32, learning_rate=1e-30, final_learning_rate=1e-30) | {"seed": 2}
    longer = built(unmoved)
    longer.begin_from(run.latest_checkpoint())
    longer.train(Run.create(tmp_path / "longer", unmoved, "test"))
    assert longer.model.num_timesteps == 32
    for key, value in longer.model.policy.state_dict().items():
        assert torch.allclose(value, agent.model.policy.state_dict()[key], atol=1e-20)
    with pytest.raises(InputError, match="was trained with"):
        built(config_of("sets", net_arch=[9])).begin_from(run.latest_checkpoint())


REFUSED = {
    "reference": ({}, {"backend": "reference"}, "without a native vector environment"),
    "python": ({}, {"id": "CartPole-v1"}, "without a native vector environment"),
    "bilateral": ({}, {"id": "scml_gym/BilateralAcceptance-v0"}, "whose state is not kept in arrays"),
    "dict": ({}, {"observation": "dict"}, "observations that are no array"),
    "continuous": ({}, {"action": "continuous"}, "actions that are no choices"),
    "network": ({"features": "deep_sets"}, {"observation": "entities"}, "the network 'deep_sets'"),
    "device": ({"device": "cuda"}, {}, "the device 'cuda'"),
    "self-play": ({"self_play": {"every": 32, "size": 1, "share": 0.5}}, {}, "opponents that change"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("slower", ["ppo", "maskable-ppo"])
def test_what_only_the_slower_learner_takes_is_refused_in_a_line_that_names_it(case, slower):
    agent, env, told = REFUSED[case]
    config = config_of("flatten")
    config["agent"] |= agent | {"name": f"fast-{slower}"}
    config["env"] = {"id": env["id"]} if "id" in env else config["env"] | env
    if case == "continuous" and slower == "maskable-ppo":
        told = "MaskablePPO takes actions of"
    with pytest.raises(InputError, match=told) as caught:
        built(config)
    assert "\n" not in str(caught.value)
    assert "valid: agent.name: " + slower in str(caught.value) or "MaskablePPO" in str(caught.value)


@pytest.mark.slow
def test_checkpoints_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    config = config_of("sets", total_steps=32)
    agent, run = trained(tmp_path / "run", config)
    folder = run.latest_checkpoint()
    wrong = [config_of("sets", total_steps=64, n_envs=2), config_of("sets", total_steps=64, env={"days": 5})]
    for changed in (*wrong, config_of("sets", total_steps=64, net_arch=[9])):
        with pytest.raises(InputError) as caught:
            built(changed).train(Run.open(run.path))
        assert "\n" not in str(caught.value)
    with np.load(folder / "training.npz") as kept:
        np.savez(folder / "training.npz", **{name: part for name, part in dict(kept).items() if name != "lengths"})
    with pytest.raises(InputError, match="of another version, without 'lengths'"):
        built(config_of("sets", total_steps=64)).train(Run.open(run.path))
    (folder / "training.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as a training"):
        built(config_of("sets", total_steps=64)).train(Run.open(run.path))
    (folder / "training.npz").unlink()
    with monkeypatch.context() as patch:  # nothing is made to be trained in
        patch.setattr(type(agent), "_make_envs", None)
        assert type(agent).load(folder).model.num_timesteps == 32
    facts = json.loads((folder / "agent.json").read_text())
    (folder / "agent.json").write_text(json.dumps(facts | {"settings": facts["settings"] | {"net_arch": [9]}}))
    with pytest.raises(InputError, match="was trained with another network"):
        type(agent).load(folder)
    (folder / "agent.json").write_text(json.dumps(facts))
    (folder / "weights.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as the weights"):
        type(agent).load(folder)
    with pytest.raises(InputError, match="not trained yet"):
        built(config).predict(np.zeros((9, 16), dtype=np.float32))


@pytest.mark.parametrize("name", ["ppo", "fast-ppo"])
@pytest.mark.parametrize("features", ["sets", "partners", "deep_sets"])
def test_networks_over_rows_are_not_shown_what_they_do_not_read(name, features):
    """How often each partner was let wait, where negotiations are answered one by one."""
    config = config_of("flatten", env={"observation": "entities", "timing": "negotiations"})
    config["agent"] |= {"name": name, "features": features}
    with pytest.raises(InputError, match=r"how often partners were let wait.*valid: flatten") as caught:
        built(config)
    assert "\n" not in str(caught.value)

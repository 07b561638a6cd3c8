import json
import re
import shutil

import numpy as np
import pytest
import torch

from scml_gym.agents import AGENTS
from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.core.trust import trust
from scml_gym.experiments.make_env import make_env
from scml_gym.experiments.run_folder import Run
from scml_gym.oneshot.exported_policies import PartnerPolicy
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.recording.log import WorldLog
from tests.helpers.sb3_runs import ENV, SMALL, experiment, trained

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=sorted(SMALL))
def learnt(request, tmp_path_factory):
    config = experiment(request.param)
    return request.param, config, *trained(tmp_path_factory.mktemp("sb3") / "run", config)


def decisions(env, n=12):
    """Observations with their masks, met under random valid play."""
    rng, met = np.random.default_rng(0), []
    observation, info = env.reset(seed=3)
    for _ in range(n):
        met.append((observation, env.get_wrapper_attr("action_masks")()))
        mask = np.atleast_2d(info["action_mask"])
        action = np.array([rng.choice(np.flatnonzero(row)) for row in mask])
        if len(mask) == 1:
            action = action[0]
        observation, _, terminated, _, info = env.step(action)
        if terminated:
            observation, info = env.reset()
    return met


def test_a_training_leaves_a_complete_run(learnt):
    name, config, agent, run = learnt
    again = Run.open(run.path)
    assert again.step == config["agent"]["total_steps"]
    rows = again.curve()
    assert [int(row["step"]) for row in rows] == list(range(32, config["agent"]["total_steps"] + 1, 32))
    assert {"return", "score", "invalid_actions", "episodes"} <= rows[0].keys()
    assert sum(float(row["episodes"]) for row in rows) > 0
    assert any(row["loss"] for row in rows)
    if name == "maskable-ppo":
        assert all(float(row["invalid_actions"] or 0) == 0 for row in rows)


def test_a_finished_run_is_left_as_it_is(learnt):
    name, config, _, run = learnt
    everything = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file() and p.parent.name != "tb"}
    again = AGENTS.get(name).build(config["agent"], config["env"])
    again.train(Run.open(run.path))
    assert again.model.num_timesteps == run.step
    assert {p: p.read_bytes() for p in everything} == everything


def test_progress_counts_whole_rollouts_and_a_short_training_has_a_row_too(learnt, tmp_path, capsys):
    name, config, _, _ = learnt
    total = 40 if name == "dqn" else 10
    _, run = trained(tmp_path / "short", experiment(name, agent={"total_steps": total, "log_steps": 10_000}))
    assert run.step == (40 if name == "dqn" else 32)
    assert [int(row["step"]) for row in run.curve()] == [run.step]
    assert (run.path / "learning_curve.png").exists()
    percents = re.findall(r"(\d+)/(\d+) \((\d+) %\)", capsys.readouterr().err)
    assert {whole for _, whole, _ in percents} == {str(run.step)}
    assert percents[-1][::2] == (str(run.step), "100")


def test_its_weights_alone_play_and_are_begun_with_as_the_whole_checkpoint(learnt, tmp_path):
    name, config, agent, run = learnt
    folder = tmp_path / "data"
    shutil.copytree(run.latest_checkpoint(), folder, ignore=shutil.ignore_patterns("*.zip", "replay.npz"))
    agent.write_weights(folder)
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".npz"}
    again, state, kept = AGENTS.get(name).load(folder), None, None
    assert again.model.num_timesteps == run.step
    for observation, mask in decisions(make_env(config["env"])):
        action, state = agent.predict(observation, state, mask)
        same, kept = again.predict(observation, kept, mask)
        assert np.array_equal(action, same)
    unmoved = experiment(name, agent={"total_steps": 32, "learning_rate": 1e-30, "final_learning_rate": 1e-30})
    longer = AGENTS.get(name).build(unmoved["agent"], unmoved["env"])
    longer.begin_from(folder)
    longer.train(Run.create(tmp_path / "longer", unmoved, "test"))
    for key, value in longer.model.policy.state_dict().items():
        if "target" not in key:  # which DQN replaces now and then
            assert torch.allclose(value, agent.model.policy.state_dict()[key], atol=1e-6)


def test_training_twice_gives_the_same(learnt, tmp_path):
    _, config, agent, run = learnt
    torch.manual_seed(99)  # the caller's own generators neither matter nor change
    np.random.seed(99)  # noqa: NPY002
    before = torch.get_rng_state()
    other, again = trained(tmp_path / "again", config)
    assert torch.equal(torch.get_rng_state(), before)
    assert (again.path / "learning_curve.csv").read_bytes() == (run.path / "learning_curve.csv").read_bytes()
    weights = agent.model.policy.state_dict()
    for key, value in other.model.policy.state_dict().items():
        assert torch.equal(value, weights[key])


def test_another_seed_gives_another(learnt, tmp_path):
    name, config, _, run = learnt
    _, again = trained(tmp_path / "again", config | {"seed": 2})
    assert (again.path / "learning_curve.csv").read_bytes() != (run.path / "learning_curve.csv").read_bytes()


def test_what_is_loaded_acts_the_same(learnt):
    _, config, agent, run = learnt
    loaded = type(agent).load(run.latest_checkpoint())
    env = make_env(config["env"])
    state = other = None
    for observation, mask in decisions(env):
        action, state = agent.predict(observation, state, mask)
        same, other = loaded.predict(observation, other, mask)
        assert np.array_equal(action, same)
        assert env.action_space.contains(np.asarray(action, dtype=np.int64)[()])


@pytest.mark.parametrize("learnt", ["maskable-ppo", "dqn"], indirect=True)
def test_masks_are_kept_where_the_learner_knows_them(learnt):
    _, config, agent, _ = learnt
    for observation, mask in decisions(make_env(config["env"])):
        action, _ = agent.predict(observation, None, mask)
        rows = mask.reshape(-1, 22)
        assert all(row[a] for row, a in zip(rows, np.atleast_1d(action), strict=True))


def test_a_resumed_training_goes_on_and_resuming_is_reproducible(learnt, tmp_path):
    name, config, _, run = learnt
    longer = config | {"agent": config["agent"] | {"total_steps": 2 * config["agent"]["total_steps"]}}
    curves = []
    for trial in ("a", "b"):
        folder = tmp_path / trial
        copy = Run.create(folder, longer, "test")
        agent = AGENTS.get(name).build(longer["agent"], longer["env"])
        for row in run.curve():
            copy.log(int(row["step"]), **{k: float(v) for k, v in row.items() if v and k != "step"})
        copy.checkpoint(run.step, lambda path: copy_files(run, path))
        agent.train(copy)
        assert agent.model.num_timesteps == longer["agent"]["total_steps"]
        curves.append((folder / "learning_curve.csv").read_bytes())
    assert curves[0] == curves[1]


def copy_files(run, folder):
    for path in run.latest_checkpoint().iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def test_players_of_a_learner_play_whole_worlds(learnt):
    from scml_gym.oneshot.players import player_maker
    from scml_gym.oneshot.worlds.generation import league_spec
    from scml_gym.oneshot.worlds.reference import ReferenceWorld

    _, _, agent, run = learnt
    scores = []
    for maker in (agent.policy, player_maker(str(run.path))):
        world = ReferenceWorld(league_spec(5, 3, 4), [maker(seed) for seed in range(8)])
        world.run()
        scores.append(world.scores)
    assert np.array_equal(scores[0], scores[1])


def test_a_checkpoint_of_another_shape_is_refused(learnt, tmp_path, monkeypatch):
    name, config, agent, run = learnt
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    copy_files(run, folder)
    facts = json.loads((folder / "agent.json").read_text())
    change = {"history": 2} if name != "dqn" else {"observation": "needs"}
    (folder / "agent.json").write_text(json.dumps(facts | {"env": facts["env"] | change}))
    with pytest.raises(InputError, match="was trained with observation space") as caught:
        type(agent).load(folder)
    assert "\n" not in str(caught.value)
    for broken in ('{"schema": "other"}', "", "[]"):
        (folder / "agent.json").write_text(broken)
        with pytest.raises(InputError):
            type(agent).load(folder)
    (folder / "agent.json").write_text(json.dumps(facts))
    (folder / "model.zip").write_bytes(b"nothing")
    type(agent).load(folder)  # what plays is data alone
    (folder / "weights.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as the weights of a network"):
        type(agent).load(folder)
    (folder / "weights.npz").unlink()  # as in checkpoints of earlier versions
    monkeypatch.setenv("SCML_GYM_TRUST", "")  # as in another process
    with pytest.raises(InputError, match=rf"its model.zip holds pickles.*add --trust {folder}"):
        type(agent).load(folder)
    trust(folder)
    with pytest.raises(InputError, match="is not a readable model"):
        type(agent).load(folder)
    copy_files(run, folder)
    (folder / "weights.npz").unlink()
    env = make_env(config["env"])
    for observation, mask in decisions(env):
        same = [learner.predict(observation, None, mask)[0] for learner in (type(agent).load(folder), agent)]
        assert np.array_equal(*same)
        break
    with pytest.raises(InputError):
        type(agent).load(tmp_path / "nowhere")


def test_an_untrained_learner_says_so():
    config = experiment("ppo")
    agent = AGENTS.get("ppo").build(config["agent"], config["env"])
    with pytest.raises(InputError, match="not trained yet"):
        agent.predict(np.zeros(95, dtype=np.float32))


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_a_simple_task_is_learnt(name, tmp_path):
    """CartPole: balancing for 9 steps is chance, 100 takes some learning."""
    config = experiment(name) | {"env": {"id": "CartPole-v1"}}
    config["agent"] |= {
        "learning_rate": 2e-3,
        "final_learning_rate": 2e-3,
        "net_arch": [64],
        "gamma": 0.99,
        "reward_scale": 1.0,
    }
    if name == "ppo":
        config["agent"] |= {"total_steps": 8192, "n_steps": 128, "n_envs": 4, "batch_size": 128, "n_epochs": 8}
    else:
        config["agent"] |= {
            **{"total_steps": 8000, "buffer_size": 8000, "learning_starts": 500, "log_steps": 1000, "batch_size": 64},
            **{"target_update_interval": 200, "train_freq": 4, "gradient_steps": 2, "exploration_fraction": 0.3},
        }
    config["checkpoint_minutes"] = 60
    agent, _ = trained(tmp_path / "run", config)
    env, lengths = make_env(config["env"]), []
    for seed in range(5):
        observation, _ = env.reset(seed=seed)
        steps, done = 0, False
        while not done:
            action, _ = agent.predict(observation)
            observation, _, terminated, truncated, _ = env.step(int(action))
            steps, done = steps + 1, terminated or truncated
        lengths.append(steps)
    assert np.mean(lengths) > 100


def test_environments_in_processes_of_their_own_give_the_same(tmp_path):
    curves = []
    for workers in (1, 2):
        config = experiment("maskable-ppo", agent={"workers": workers, "total_steps": 32}, env={"backend": "reference"})
        _, run = trained(tmp_path / str(workers), config)
        curves.append((run.path / "learning_curve.csv").read_bytes())
    assert curves[0] == curves[1]


@pytest.mark.parametrize(
    ("name", "env"),
    [("dqn", {"id": "scml_gym/OneShotConcurrent-v0", **ENV}), ("maskable-ppo", {"action": "continuous"})],
)
def test_an_environment_that_does_not_fit_the_learner_is_refused(name, env):
    config = experiment(name)
    env = env if "id" in env else config["env"] | env
    with pytest.raises(InputError, match="takes actions of"):
        AGENTS.get(name).build(config["agent"], env)


def test_a_joint_learner_of_one_partner_plays_partner_by_partner(tmp_path):
    config = experiment("maskable-ppo")
    config["env"] = read_yaml(CONFIGS / "env" / "bilateral.yaml") | ENV
    agent, _ = trained(tmp_path / "run", config)
    assert isinstance(agent.policy(0), PartnerPolicy)
    told = told_by(agent)
    assert all(partner == 0 for *_, partner, _, _ in told)
    names = ("value", "probability", "entropy")
    numbers = {name: [value for *_, other, value in told if other == name] for name in names}
    assert len(told) == sum(map(len, numbers.values())) > 0
    assert all(0 < chance <= 1 for chance in numbers["probability"])
    assert len(set(numbers["value"])) > 1


def told_by(agent):
    """What a learner tells of its decisions in a recorded world."""
    log = WorldLog()
    players = [player_maker("greedy")(1), agent.policy(0)]
    ReferenceWorld(league_spec(1, days=3, factories_per_level=1), players, 1, log=log).run()
    return log.decisions

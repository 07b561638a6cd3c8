"""The learner: it does as its data do, repeats itself, plays everywhere that it learns, and refuses other data."""

import copy
import json
import pickle
import time

import numpy as np
import pytest

from scml_gym.agents import AGENTS
from scml_gym.agents.decision_transformer.learner import META, WEIGHTS, DecisionTransformerLearner
from scml_gym.agents.training import start
from scml_gym.core.config import load_experiment
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_parallel import make_parallel
from scml_gym.games import GAMES
from scml_gym.offline.command import dataset_command
from scml_gym.offline.playing import flat_mask
from scml_gym.offline.reading import load_decisions
from scml_gym.policies.run_folders import load_agent
from tests.helpers.offline import SMALL, small_dataset

pytest.importorskip("minari", reason="pip install 'scml-gym[offline]'")

ENV = [f"env.{option}" for option in SMALL] + ["env.generator=compiled"]
TINY = ["agent.context=4", "agent.width=8", "agent.layers=1", "agent.attention_heads=2", "agent.batch_size=32"]
QUICK = ["agent.learning_rate=1e-2", "agent.held_out=0.25", *TINY]


def trained(folder, name, *options):
    given = [f"agent.data=[{name}]", *ENV, *QUICK, *options]
    return start("decision_transformer", given, out=folder)


@pytest.mark.slow
def test_it_does_as_its_data_do_and_plays(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", competitor="subset-strong", episodes=30)
    run = trained(tmp_path / "run", name, "agent.epochs=25", "agent.width=16", "agent.target_return=0.05")
    first, *_, last = run.curve()
    assert float(last["loss"]) < 0.7 * float(first["loss"])
    assert float(last["held_out_loss"]) < float(first["held_out_loss"])
    assert float(last["held_out_met"]) > float(first["held_out_met"])
    agent = load_agent(run.path)
    assert agent.network.scale[4].item() == pytest.approx(0.05)
    decisions = load_decisions([name], agent.observation_space, agent.action_space)
    state = None
    for seen, mask in zip(decisions.observations[:9], decisions.masks[:9], strict=True):
        before = state
        action, state = agent.predict(seen, before, mask)
        assert mask.reshape(8, 22)[np.arange(8), action].all()
        again, same = pickle.loads(pickle.dumps(copy.deepcopy(agent))).predict(seen, before, mask)
        assert (again == action).all() and same.to_go == state.to_go
    agent.seed(3)
    drawn = [agent.predict(seen, before, mask, deterministic=False)[0].tolist() for _ in range(3)]
    agent.seed(3)
    assert drawn == [agent.predict(seen, before, mask, deterministic=False)[0].tolist() for _ in range(3)]
    player = GAMES.get("oneshot").player_maker(str(run.path))(0)
    assert callable(player.act)


def test_the_same_seed_learns_the_same(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", episodes=6)
    runs = [trained(tmp_path / part, name, "agent.epochs=2") for part in "ab"]
    for file in ("learning_curve.csv", f"{runs[0].info['checkpoint']}/{WEIGHTS}"):
        assert (runs[0].path / file).read_bytes() == (runs[1].path / file).read_bytes()


@pytest.mark.parametrize(
    "options", [["action=continuous"], ["observation=dict"], ["observation=entities", "episode=day", "reward=regret"]]
)
def test_it_learns_and_plays_whatever_is_shown_and_done(options, tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", *options, episodes=4)
    agent = load_agent(trained(tmp_path / "run", name, "agent.epochs=1", *(f"env.{o}" for o in options)).path)
    decisions = load_decisions([name], agent.observation_space, agent.action_space)
    dicts = isinstance(decisions.observations, dict)
    first = {k: part[0] for k, part in decisions.observations.items()} if dicts else decisions.observations[0]
    assert agent.action_space.contains(agent.predict(first, mask=decisions.masks[0])[0])
    assert callable(agent.policy(0).act)


@pytest.mark.parametrize("learner", ["decision_transformer", "behaviour_cloning"])
@pytest.mark.parametrize(
    ("env", "kind"), [("oneshot_negotiations_v0", "partner"), ("standard_negotiations_v0", "supplier")]
)
def test_agents_of_negotiations_play_as_they_play_in_their_environment(env, kind, learner, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "data"))
    level = "buyer" if kind == "partner" else "middle"
    options = [f"level={level}", "days=2", "generator=compiled", "factories_per_level=4"]
    names = dataset_command(["uniform"], env, options, 1, 0, "tests")
    section = "{id: " + env + ", " + ", ".join(option.replace("=", ": ") for option in options) + "}"
    small = QUICK if learner == "decision_transformer" else ["agent.features=flatten", "agent.net_arch=[8]"]
    given = [f"agent.data=[{names[0]}]", f"env={section}", "agent.epochs=1", *small]
    agent = load_agent(start(learner, given, out=tmp_path / "run").path)
    together, player = make_parallel(agent.env), agent.policy(0)
    observations, infos = together.reset(seed=5)
    states, decided = dict.fromkeys(together.agents), 0
    player.begin(together.view)
    while together.agents and decided < 5:
        view = together.view.copy()
        answers, actions = player.act(view), {}
        for name in together.agents:
            mask = infos[name]["action_mask"]
            actions[name], states[name] = agent.predict(observations[name], states[name], flat_mask(mask))
        due = np.flatnonzero(view["partners"]["my_turn"]).tolist()
        decided += bool(due)
        given = player._seat.answers(view, {k: actions[together.possible_agents[k]] for k in due})
        assert (given == answers).all()
        observations, _, _, _, infos = together.step(actions)
    assert decided > 1


def test_a_decision_of_a_whole_context_takes_less_than_10_ms(tmp_path, monkeypatch):
    config = load_experiment("decision_transformer", ENV).config
    learner = AGENTS.get("decision-transformer").build(config["agent"], config["env"])
    learner.network = learner._new_network(0)
    learner.observation_space.seed(0)
    state, taken = None, []
    for _ in range(40):
        seen = learner.observation_space.sample()
        begun = time.process_time()
        _, state = learner.predict(seen, state)
        taken.append(time.process_time() - begun)
    assert len(state.returns) == 19 and np.median(taken[20:]) < 0.01


def test_data_of_another_environment_are_refused(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", episodes=1)
    standard = "env={id: scml_gym/StandardDaily-v0, days: 3}"
    for data, options, message in (
        (name, ["env.action=continuous"], "which are not those of this environment"),
        (name, [standard], f"'{name}' is of the game 'oneshot', 'scml_gym/StandardDaily-v0' is of 'standard'"),
        (
            "tests/best-subse-v0",
            [],
            "agent.data: there is no dataset 'tests/best-subse-v0'; did you mean 'tests/best-subset-v0'?",
        ),
        (name, ["agent.width=12", "agent.attention_heads=4"], "width: 12; valid: a multiple of 2 * attention_heads"),
        (name, ["agent.contxt=4"], "agent.contxt"),
    ):
        given = [f"agent.data=[{data}]", *([] if standard in options else ENV), *QUICK, *options]
        with pytest.raises(InputError) as refused:
            start("decision_transformer", given, out=tmp_path / "run")
        assert message in str(refused.value) and "\n" not in str(refused.value)
        assert not (tmp_path / "run").exists()


def test_checkpoints_of_another_form_are_refused(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", episodes=2)
    folder = trained(tmp_path / "run", name, "agent.epochs=1").latest_checkpoint()
    facts = json.loads((folder / META).read_text())
    for change, message in (
        ({"schema": "other"}, "has the schema 'other'"),
        ({"settings": facts["settings"] | {"width": 16}}, "was trained with another network or environment"),
        ({"env": facts["env"] | {"action": "continuous"}}, "this environment has"),
    ):
        (folder / META).write_text(json.dumps(facts | change))
        with pytest.raises(InputError, match=message):
            DecisionTransformerLearner.load(folder)
    (folder / META).write_text(json.dumps(facts))
    agent = DecisionTransformerLearner.load(folder)
    with pytest.raises(InputError, match=r"mask of \(3,\); valid: \(176,\)"):
        agent.predict(agent.observation_space.sample(), mask=np.ones(3))
    with pytest.raises(InputError, match=r"observation: .* numbers"):
        agent.predict(np.zeros(3))
    untrained = DecisionTransformerLearner(agent.hyperparameters, agent.env)
    with pytest.raises(InputError, match="not trained yet"):
        untrained.predict(agent.observation_space.sample())

import copy
import pickle

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scml_gym.agents import AGENTS
from scml_gym.agents.commitment.learner import game_of
from scml_gym.agents.training import build, cost_of_reference
from scml_gym.commitment import parallel_env
from scml_gym.core.config import (
    CONFIGS,
    Experiment,
    Loaded,
    find_config,
    learner_now,
    load,
    load_experiment,
    merge,
    read_yaml,
    set_options,
)
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import make_env
from scml_gym.experiments.make_parallel import GAME_ENVIRONMENTS, make_parallel

FILES = sorted(CONFIGS.rglob("*.yaml"))
EXPERIMENTS = sorted((CONFIGS / "experiment").glob("*.yaml"))
ENVS = sorted((CONFIGS / "env").glob("*.yaml"))


def name_of(path):
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_is_read(path):
    assert read_yaml(path)


OF_LEAGUE = {"clone"}
"""Experiments that name agents of the league."""

BUILT = [pytest.param(p, marks=pytest.mark.league if p.stem in OF_LEAGUE else ()) for p in EXPERIMENTS]


@pytest.mark.parametrize("path", BUILT, ids=name_of)
def test_every_experiment_builds_its_learner(path):
    if path.stem in OF_LEAGUE:
        pytest.importorskip("scml_agents")
    build(load_experiment(path))


def test_every_learner_has_defaults_and_an_experiment():
    trained = {load_experiment(path).config["agent"]["name"] for path in EXPERIMENTS}
    assert set(AGENTS) <= trained
    for name in AGENTS:
        assert find_config("agent", name).is_file()


@pytest.mark.parametrize("path", ENVS, ids=name_of)
def test_every_env_file_makes_its_environment(path):
    settings = read_yaml(path)
    if "id" not in settings:
        env = parallel_env(**settings)
    else:
        env = make_parallel(settings) if settings["id"] in GAME_ENVIRONMENTS else make_env(settings)
    env.reset(seed=0)
    env.close()


@pytest.mark.parametrize("name", ["ppo", "maskable_ppo", "maskable-ppo"])
def test_a_resolved_experiment_is_an_experiment(name, tmp_path):
    config = load_experiment(name, ["checkpoint_minutes=2"], seed=9).config
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(config))
    assert load_experiment(path).config == config


@pytest.mark.parametrize(
    ("env", "now"),
    [
        ({"name": "game"}, "independent-ppo"),
        ({"name": "game", "game": "grid", "mega_step": 2}, "independent-ppo"),
        ({"name": "parallel_game"}, "ippo"),
        ({"id": "game_v0", "game": "grid"}, "ippo"),
    ],
)
def test_an_experiment_of_before_names_the_learner_that_it_meant(env, now, tmp_path):
    path = tmp_path / "before.yaml"
    told = {"seed": 1, "agent": {"name": "ippo"}, "env": env, "checkpoint_minutes": 1, "threads": 1}
    path.write_text(yaml.safe_dump(told))
    config = load_experiment(path).config
    assert config["agent"]["name"] == learner_now("ippo", config["env"]) == now


def test_what_is_nearer_to_the_user_wins(tmp_path):
    path = tmp_path / "mine.yaml"
    text = "{seed: 1, agent: {name: ppo, gamma: 0.5, n_steps: 64}, env: {name: concurrent}"
    path.write_text(text + ", checkpoint_minutes: 1, threads: 1}")
    config = load_experiment(path, ["agent.gamma=0.25", "env.days=[3, 5]"], seed=4).config
    assert config["agent"]["gamma"] == 0.25
    assert config["agent"]["n_steps"] == 64
    assert config["agent"]["clip_range"] == read_yaml(CONFIGS / "agent" / "ppo.yaml")["clip_range"]
    assert config["env"]["days"] == [3, 5]
    assert config["seed"] == 4


WRONG = {
    "agent.learing_rate=1": "{option}: agent.learing_rate: unknown key; did you mean 'learning_rate'?",
    "agent.learning_rate=fast": "{option}: agent.learning_rate: 'fast' is not valid: input should be a valid number",
    "agent.n_epochs=true": "{option}: agent.n_epochs: True is not valid: input should be a number",
    "agent.final_learning_rate=false": "{option}: agent.final_learning_rate: False is not valid",
    "agent.gamma=1.5": "{option}: agent.gamma: 1.5 is not valid: input should be less than or equal to 1",
    "agent.batch_size=100": "{option}: agent: a rollout of n_steps * n_envs = 16384 is not a multiple of batch_size",
    "agent.name=ppoo": "{option}: agent.name: there is no agent file 'ppoo'; did you mean 'ppo'?",
    "agent.gamma.x=1": "{option}: agent.gamma: {'x': 1} is not valid: input should be a valid number",
    "agnet.gamma=1": "{option}: agnet: unknown key; did you mean 'agent'?",
    "env.name=concurent": "{option}: env.name: there is no env file 'concurent'; did you mean 'concurrent'?",
    "env.dasy=3": "{option}: env.dasy: unknown key; did you mean 'days'?",
    "env.level=sellr": "{option}: env.level: level='sellr'; valid: any, seller, buyer",
    "env.id=scml_gym/OneShotConcurent-v0": "; did you mean 'scml_gym/OneShotConcurrent-v0'?",
    "env.opponents=[best-subst]": "unknown strategy 'best-subst'; did you mean 'best-subset'?",
    "seed=-1": "{option}: seed: -1 is not valid: input should be greater than or equal to 0",
    "seed": "{option}: not of the form key.path=value",
    "seed.x=1": "{option}: 'seed' is 0, which has no keys",
    "seed=[": "{option}: '[' is not a YAML value",
    "treads=2": "{option}: treads: unknown key; did you mean 'threads'?",
    "env=3": "{option}: env: 3 is not valid: input should be a valid dictionary",
}


@pytest.mark.parametrize("option", WRONG)
def test_a_wrong_option_is_told_in_one_line(option):
    with pytest.raises(InputError) as caught:
        build(load_experiment("ppo", [option]))
    message = str(caught.value)
    assert WRONG[option].replace("{option}", f"--set {option}") in message
    assert "\n" not in message


REST = "env: {name: concurrent}, checkpoint_minutes: 1, threads: 1}"
FILES_WRONG = {
    "seed: 1": "mine.yaml: agent: missing",
    "seed: 1\nseed: 2": "key 'seed' is given twice",
    "- 1": "mine.yaml is not a mapping",
    "a: [": "mine.yaml is not valid YAML",
    "{seed: 0, agent: {name: ppo, gama: 1}, " + REST: "mine.yaml: agent.gama: unknown key; did you mean 'gamma'?",
    "{seed: 0, agent: {}, " + REST: "mine.yaml: agent.name: missing",
}


@pytest.mark.parametrize("text", FILES_WRONG)
def test_a_wrong_file_is_told_in_one_line(text, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        build(load_experiment(path))
    message = str(caught.value)
    assert FILES_WRONG[text] in message
    assert "\n" not in message


def test_an_unknown_experiment_names_the_nearest():
    with pytest.raises(InputError, match="there is no experiment file 'pppo'; did you mean 'ppo'"):
        load_experiment("pppo")


def test_numbers_in_scientific_notation_are_numbers(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("a: 1e-4\nb: 1E6\nc: 1.5e3\nd: e5\n")
    assert read_yaml(path) == {"a": 1e-4, "b": 1e6, "c": 1500.0, "d": "e5"}


def test_models_are_frozen():
    loaded = load(Experiment, find_config("experiment", "ppo"), ["seed=3"])
    assert loaded.seed == 3
    with pytest.raises(ValueError, match="frozen"):
        loaded.seed = 4


keys = st.sampled_from("abc")
trees = st.recursive(st.integers(), lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=8)
mappings = st.dictionaries(keys, trees, max_size=3)


@given(mappings, mappings)
def test_merging_keeps_every_value_of_the_upper_layer(low, high):
    merged = merge(low, high)
    assert merge(merged, high) == merged
    assert merge({}, high) == high
    assert merge(high, {}) == high
    assert merged.keys() == low.keys() | high.keys()


@given(mappings, st.lists(keys, min_size=1, max_size=3), st.integers())
def test_setting_changes_a_copy_only(data, path, value):
    before = repr(data)
    level = data
    for key in path[:-1]:
        level = level.get(key, {})
        if not isinstance(level, dict):
            return
    after = set_options(data, [f"{'.'.join(path)}={value}"], {})
    assert repr(data) == before
    for key in path:
        after = after[key]
    assert after == value


def test_every_environment_of_the_configs_is_compiled():
    """A batched learner would otherwise make as many real simulations as it has environments."""
    for path in (*ENVS, *EXPERIMENTS):
        settings = read_yaml(path)
        assert settings.get("env", settings).get("backend", "compiled") == "compiled", path


@pytest.mark.parametrize(
    ("experiment", "options", "told"),
    [
        ("maskable_ppo", [], None),
        ("maskable_ppo", ["env.backend=reference"], "256 simulations, one after the other in this process"),
        ("ppo", ["env.backend=reference", "agent.n_envs=4", "agent.workers=4"], "4 simulations, each in a process"),
        ("q_learning", ["env.backend=reference"], "one simulation at a time"),
        ("dcl", [], None),
    ],
)
def test_what_the_reference_backend_costs_is_told(experiment, options, told):
    config = load_experiment(experiment, options).config
    cost = cost_of_reference(config["agent"], config["env"])
    assert cost is None if told is None else told in cost and "1,000 times as long" in cost and "\n" not in cost


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: make_env({"id": "scml_gym/OneShotConcurrent-v0", "days": 0}), "env.days"),
        (lambda: make_env({"id": "scml_gym/OneShotConcurrent-v0", "observation": "x"}), "env.observation"),
        (lambda: make_env({"id": "scml_gym/OneShotConcurrent-v0", "reward": "x"}), "env.reward"),
        (lambda: make_env({"id": "scml_gym/OneShotConcurrent-v0", "action": "x"}), "env.action"),
        (lambda: make_env({"id": "scml_gym/OneShotConcurrent-v0", "generator": "x"}), "env.generator"),
        (lambda: make_env({"id": "scml_gym/OneShotConcurrent-v0", "opponents": ["x"]}), "env.opponents"),
        (lambda: make_env({"id": "scml_gym/OneShotBilateral-v0", "others": "x"}), "env.others"),
        (lambda: make_env({"id": "scml_gym/OneShotBilateral-v0", "price_bins": 0}), "env.price_bins"),
        (lambda: make_env({"id": "scml_gym/Bilateral-v0", "rounds": 1}), "env.rounds"),
        (lambda: make_env({"id": "scml_gym/Bilateral-v0", "opponent": "nobody"}), "env.opponent"),
        (lambda: make_env({"id": "scml_gym/OneShotConcurrent-v0", "dasy": 3}), "env.dasy"),
        (lambda: make_env({"id": "scml_gym/OneShotConcurrent-v1"}), "env.id"),
        (lambda: game_of({"game": "grid", "mega_step": 0}), "env.mega_step"),
        (lambda: game_of({"game": "gird"}), "env.game"),
        (lambda: game_of({"game": "public-goods", "fctor": 2}), "env.fctor"),
        (lambda: build(load_experiment("dnb_accept_logistic", ["agent.data.held_out=[x]"])), "agent.data.held_out"),
        (lambda: build(load_experiment("q_learning", ["env.level=buyer"])), "env.level"),
        (lambda: build(load_experiment("q_learning", ["env.days=0"])), "env.days"),
        (lambda: build(load_experiment("q_learning", ["env.opponents=[x]"])), "env.opponents"),
        (lambda: build(load_experiment("q_learning", ["env.generator=x"])), "env.generator"),
        (lambda: build(load_experiment("q_learning", ["env.backend=x"])), "env.backend"),
    ],
)
def test_a_refusal_has_the_key_of_what_is_wrong(make, key):
    """As a field, with which the place is found where the value was set."""
    with pytest.raises(InputError) as refused:
        make()
    assert refused.value.key == key
    for again in (pickle.loads(pickle.dumps(refused.value)), copy.copy(refused.value)):
        assert (type(again), str(again), again.key) == (type(refused.value), str(refused.value), key)


def test_a_refusal_begins_with_where_its_key_was_set():
    loaded = Loaded({}, {"": "mine.yaml", "agent": "--set agent=x", "agent.a.b": "--set agent.a.b=1"})
    for key, where in [
        ("agent.a.b", "--set agent.a.b=1"),
        ("agent.c", "--set agent=x"),
        ("agent.a", "--set agent=x with --set agent.a.b=1"),
        ("env.x", "mine.yaml"),
    ]:
        with pytest.raises(InputError, match=f"^{where}: agent.a.b is no key$") as refused, loaded.naming_sources():
            raise InputError("agent.a.b is no key", key)
        assert refused.value.key == key

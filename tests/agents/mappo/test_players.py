"""What was learnt among many agents plays factories, in our worlds and exported."""

import numpy as np
import pytest

from scml_gym.agents import AGENTS
from scml_gym.core.calls import made
from scml_gym.core.config import load_experiment
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import make_env
from scml_gym.experiments.run_folder import Run
from scml_gym.oneshot.rules import validate as validate_oneshot
from scml_gym.policies.run_folders import learner_maker
from scml_gym.simulator.compiled.alternating_offers import NOOP
from scml_gym.standard.rules import validate as validate_standard

SMALL = ["agent.total_steps=16", "agent.n_worlds=2", "agent.n_steps=8", "agent.batch_size=8", "agent.hidden=8"]
WORLDS = ["env.days=4", "env.factories_per_level=3"]
TRAINED = {
    "oneshot_negotiations_v0": ("mappo_oneshot", WORLDS),
    "oneshot_factories_v0": ("mappo_factories", [*WORLDS, "env.factories=[0,4]"]),
    "standard_negotiations_v0": ("mappo_standard", [*WORLDS, "env.n_levels=2"]),
    "standard_factories_v0": (
        "mappo_factories",
        [
            *WORLDS,
            "env.id=standard_factories_v0",
            "env.factories=[0,3]",
            "env.n_levels=2",
            "agent.credit=counterfactual",
        ],
    ),
}


def trained(name, folder):
    experiment, options = TRAINED[name]
    config = load_experiment(experiment, [*SMALL, *options]).config | {"loggers": []}
    if name == "standard_factories_v0":
        config["env"].pop("timing")
    learner = AGENTS.get("mappo").build(config["agent"], config["env"])
    learner.train(run := Run.create(folder, config, "test"))
    return run


def views(env_id, **arguments):
    """What a factory sees in an episode of random answers."""
    env = make_env({"id": env_id, "days": 4, "factories_per_level": 3, **arguments})
    _, info = env.reset(seed=3)
    env.action_space.seed(0)
    ended = False
    while not ended:
        yield env.unwrapped.view
        _, _, ended, _, info = env.step(env.action_space.sample(info["action_mask"]))
    env.close()


def whole_episode(name):
    if name.startswith("oneshot"):
        return validate_oneshot, views("scml_gym/OneShotConcurrent-v0", timing="moves")
    return validate_standard, views("scml_gym/StandardConcurrent-v0", n_levels=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_a_run_folder_plays_a_factory(name, tmp_path):
    run = trained(name, tmp_path / "run")
    assert run.curve()[-1]["learnt_share"]
    player, given = learner_maker(str(run.path), name.partition("_")[0])(0), 0
    validate, episode = whole_episode(name)
    for number, view in enumerate(episode):
        if number == 0:
            player.begin(view)
        answers = player.act(view)
        validate(view, answers)
        given += int((answers["response"] != NOOP).sum())
    assert given > 0


@pytest.mark.slow
def test_factories_are_exported_as_they_play(tmp_path):
    name = "oneshot_factories_v0"
    learner = AGENTS.get("mappo").load(trained(name, tmp_path / "run").latest_checkpoint())
    mine, theirs = learner.policy(0), made(learner.exported(), seed=0)
    for number, view in enumerate(whole_episode(name)[1]):
        if number == 0:
            mine.begin(view)
            theirs.begin(view)
        assert np.array_equal(mine.act(view), theirs.act(view))
    assert number > 3


@pytest.mark.slow
def test_what_cannot_play_or_be_exported_is_refused_in_one_line(tmp_path):
    for number, (name, option, told) in enumerate(
        (
            ("oneshot_factories_v0", "agent.identity=index", "agent.identity='index': .*; valid: none"),
            ("oneshot_negotiations_v0", "agent.identity=none", None),
        )
    ):
        experiment, options = TRAINED[name]
        config = load_experiment(experiment, [*SMALL, *options, option]).config | {"loggers": []}
        learner = AGENTS.get("mappo").build(config["agent"], config["env"])
        learner.train(Run.create(tmp_path / str(number), config, "test"))
        if told is not None:
            with pytest.raises(InputError, match=told):
                learner.policy(0)
        with pytest.raises(InputError, match=told or "cannot be exported: trained in 'oneshot_negotiations_v0'"):
            learner.exported()

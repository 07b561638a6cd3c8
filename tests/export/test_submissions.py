"""What plays here plays in scml's league as a folder that needs scml and NumPy alone."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from scml_gym.agents import AGENTS
from scml_gym.agents.dnb.learner import DNB
from scml_gym.agents.dnb.models import MODELS
from scml_gym.agents.q_learning import QLearning
from scml_gym.core.config import CONFIGS, load_experiment, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.export import export_module, export_player
from scml_gym.export.folder import _expression, submission_files
from scml_gym.export.modules import exported_module
from scml_gym.export.players import Exported, exported_player
from scml_gym.games import GAMES
from scml_gym.oneshot.clones.files import CLONES, named_clone
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.strategies.time_dependent import BOULWARE
from tests.helpers import q_learning
from tests.helpers.dnb_samples import random_model
from tests.helpers.networks import random_policy
from tests.helpers.sb3_runs import SMALL, experiment, trained
from tests.helpers.submissions import agent_of, assert_same_contracts

REFUSED = (
    "torch",
    "numba",
    "llvmlite",
    "stable_baselines3",
    "sb3_contrib",
    "scml_gym",
    "agents",
    "pydantic",
    "greenlet",
)
TRACKS = ("oneshot", "standard")

NO_FACTORY = {"dcl", "independent-ppo", "mediated", "moca"}
"""Learners that are not exported: what they learn plays games without factories."""


SEQUENCES = {"decision-transformer", "executor", "hrl-xf"}
"""Likewise: what they remember of an episode has no form without torch yet."""


def own_player(seed):
    """A player of a user's own."""
    return StrategyPolicy(BOULWARE, seed, {"exponent": 2.0})


def test_every_learner_is_exported_or_named_here():
    assert {name for name in AGENTS if not hasattr(AGENTS.get(name), "exported")} == NO_FACTORY | SEQUENCES


@pytest.mark.slow
@pytest.mark.parametrize("track", TRACKS)
def test_every_strategy_makes_the_same_contracts(track, tmp_path, monkeypatch):
    game = GAMES.get(track)
    names = [*game.registry("strategies"), "greedy?own_needs=1" if track == "oneshot" else "greedy"]
    names += [f"{__name__}:own_player"] if track == "oneshot" else []
    agents = [agent_of(exported_player(name, track), tmp_path, monkeypatch) for name in names]
    makers = [game.player_maker(name) for name in names]
    for first in range(0, len(names), 8):  # so that each plays in a world
        some = slice(first, first + 8)
        assert_same_contracts(track, makers[some], agents[some], days=6)


POLICY_FILES = {
    "likeliest": ("oneshot", 0.0, ("flat", 2, "planner", "flatten")),
    "drawn": ("oneshot", 1.0, ("flat", 2, "planner", "flatten")),
    "sets": ("oneshot", 0.0, ("entities", 0, "planner", "sets")),
    "partners": ("oneshot", 1.0, ("entities", 0, "choice", "partners")),
    "standard": ("standard", 0.0, ("flat", 1, "daily goals", "flatten")),
    "drawn in standard": ("standard", 1.0, ("flat", 0, "choice", "flatten")),
}
"""Of forms in `tests.helpers.networks.FORMS`, whose code other tests need too."""


@pytest.mark.slow
@pytest.mark.parametrize("name", POLICY_FILES)
def test_a_policy_file_makes_the_same_contracts(name, tmp_path, monkeypatch):
    game, temperature, form = POLICY_FILES[name]
    path = tmp_path / "policy.npz"
    random_policy(game, form, masked=False, temperature=temperature, scale=0.3).save(path)
    agent = agent_of(exported_player(str(path)), tmp_path, monkeypatch)
    assert_same_contracts(game, [GAMES.get(game).player_maker(str(path))], [agent], days=5)


def test_a_clone_makes_the_same_contracts(tmp_path, monkeypatch):
    name = "clone:2025/CostAverseAgent"
    path = str(CLONES / "2025" / "CostAverseAgent.npz")
    assert exported_player(path).of == exported_player(name).of == "a clone of scml-agents:2025/CostAverseAgent"
    agent = agent_of(exported_player(name), tmp_path, monkeypatch)
    assert_same_contracts("oneshot", [named_clone(name).player], [agent], days=3)


OTHERS = {"oneshot": "best-subset", "standard": "just-in-time"}


def assert_as_learnt(player, make, tmp_path, monkeypatch, days=4):
    """A player that makes few contracts makes the same ones with a strategy."""
    track, other = player.game.name, OTHERS[player.game.name]
    agents = [agent_of(one, tmp_path, monkeypatch) for one in (player, exported_player(other, track))]
    assert_same_contracts(track, [make, player.game.player_maker(other)], agents, days=days)


def learnt(learner):
    """A learner's player."""
    return Exported(GAMES.get("oneshot"), learner.exported(), learner.policy(0).synchronous, "a learner")


def standard(name, env):
    agent = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml") | {"name": name} | SMALL[name]
    env = read_yaml(CONFIGS / "env" / f"{env}.yaml") | {"days": 5, "factories_per_level": 2, "backend": "reference"}
    return {"seed": 1, "agent": agent, "env": env, "checkpoint_minutes": 0, "threads": 1}


ROWS = {"observation": "entities"}
LEARNERS = {
    "planner": lambda: experiment(
        "ppo", env={"action": "planner", "observation": "entities"}, agent={"features": "sets"}
    ),
    "flat": lambda: experiment("maskable-ppo", env=ROWS, agent={"features": "partners"}),
    "deep sets": lambda: experiment("ppo", env=ROWS, agent={"features": "deep_sets"}),
    "asked one by one": lambda: experiment("maskable-ppo", env={"timing": "negotiations", "history": 1}),
    "recurrent": lambda: experiment("recurrent-ppo", env={"episode": "day"}),
    "continuous": lambda: experiment("ppo", env={"action": "continuous", "observation": "dict"}),
    "one partner": lambda: experiment("dqn"),
    "goals of a day": lambda: standard("ppo", "standard_daily"),
    "standard": lambda: standard("maskable-ppo", "standard_concurrent"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_learners_of_sb3_make_the_same_contracts(name, tmp_path, monkeypatch):
    _, run = trained(tmp_path / "run", LEARNERS[name]())
    player = exported_player(str(run.path))
    assert_as_learnt(player, player.game.player_maker(str(run.path)), tmp_path, monkeypatch, days=5)


def test_q_tables_make_the_same_contracts(tmp_path, monkeypatch):
    learner = QLearning.build(q_learning.config(), q_learning.ENV)
    assert_as_learnt(learnt(learner), learner.policy, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(("planner", "model"), [("allocate", "logistic"), ("sequential", "base-rate")])
def test_dnb_makes_the_same_contracts(planner, model, tmp_path, monkeypatch):
    config = load_experiment("dnb_accept_logistic", [f"agent.planner={planner}", f"agent.model={model}"]).config
    learner = DNB.build(config["agent"], config["env"])
    learner.model = random_model(model)
    assert_as_learnt(learnt(learner), learner.policy, tmp_path, monkeypatch)


def test_every_acceptance_model_plays_without_a_compiler():
    assert all(MODELS.get(name).exported is not None for name in MODELS)


# torch modules of a user's own

CONCURRENT = {"id": "scml_gym/OneShotConcurrent-v0", "days": 4}


def network(outputs=176):
    return nn.Sequential(nn.Linear(95, 8), nn.SiLU(), nn.LayerNorm(8), nn.Linear(8, outputs))


@pytest.mark.slow
def test_a_module_of_ones_own_is_handed_in(tmp_path):
    trial = export_module(network(), CONCURRENT, tmp_path / "my_agent", name="Mine")
    assert trial.name == "Mine" and trial.decisions > 0 and 0 < trial.mean <= trial.most
    assert {path.name for path in (tmp_path / "my_agent").iterdir()} == {
        *("__init__.py", "agent.py", "numbers.npz", "README.md", "source")
    }
    assert [path.name for path in tmp_path.iterdir()] == ["my_agent"]


class Impure(nn.Module):
    """Gives other numbers each time."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return x[:, :1] + self.calls * torch.arange(176.0)


class Largest(nn.Module):
    """Takes the largest of all numbers, for which torch has a form of `max` without a dimension."""

    def forward(self, x):
        return x[:, :1] - x.max() + torch.arange(176.0)


class Gives(nn.Module):
    """Gives something else than a tensor."""

    def __init__(self, make):
        super().__init__()
        self.make, self.layer = make, nn.Linear(95, 176)

    def forward(self, x):
        return self.make(self.layer(x))


NO_TENSOR = "cannot be exported: it gives {}; valid: a tensor, or a tuple of tensors"


@pytest.mark.parametrize(
    ("module", "env", "told"),
    [
        (Gives(lambda x: {"logits": x}), CONCURRENT, NO_TENSOR.format("dict")),
        (Gives(lambda x: None), CONCURRENT, NO_TENSOR.format("NoneType")),
        (Gives(lambda x: (x, None)), CONCURRENT, NO_TENSOR.format("Tensor, NoneType")),
        (Gives(lambda x: ()), CONCURRENT, NO_TENSOR.format("nothing")),
        (Largest(), CONCURRENT, r"Largest cannot be exported: its NumPy code does not run \(max_\(\)"),
        (Impure(), CONCURRENT, "NumPy's numbers are off by"),
        (network(7), CONCURRENT, "gives 7 numbers; valid: 176"),
        (network(), CONCURRENT | {"observability": "full"}, "observability='full'"),
        (nn.Linear(5, 3), {"id": "scml_gym/Bilateral-v0"}, "has no factories of the league"),
    ],
)
def test_a_module_that_cannot_be_exported_is_told_why(module, env, told, tmp_path):
    with pytest.raises(InputError, match=told):
        export_module(module, env, tmp_path / "mine")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("number", [0.1, np.float64(0.1), float("inf"), float("-inf")])
def test_numbers_are_written_so_that_python_reads_them(number):
    assert eval(_expression(number, {}, 0), {}) == number


# what users may do wrong


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    with pytest.raises(InputError, match="is the current folder"):
        export_player("nice", ".")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


@pytest.mark.parametrize(
    ("name", "game", "told"),
    [
        ("best-subst", "", "did you mean 'best-subset'"),
        ("greedy?slak=1", "", "has no parameter 'slak'"),
        ("scml:GreedyOneShotAgent", "", "is an scml agent already"),
        ("examples.own_agent:OwnAgent", "", "is an scml agent already"),
        ("shielded?of=greedy", "standard", "what 'shielded' puts around a player is not; export the player$"),
        ("runs/none", "", "runs/none"),
        ("pandas:DataFrame", "", "pandas:DataFrame"),
        ("nice", "bilateral", "has no factories of the league"),
    ],
)
def test_players_that_are_not_exported(name, game, told, tmp_path):
    with pytest.raises(InputError, match=told) as error:
        export_player(name, tmp_path / "mine", game=game)
    assert "\n" not in str(error.value) and not any(tmp_path.iterdir())


@pytest.mark.parametrize("learner", sorted(NO_FACTORY))
def test_a_learner_of_other_games_is_not_exported(learner, tmp_path):
    config = load_experiment(learner, []).config
    run = Run.create(tmp_path / "run", config, "test")
    with pytest.raises(InputError, match=f"'{learner}' learns plays no factory of the league"):
        export_player(run.path, tmp_path / "mine")


@pytest.mark.parametrize(
    ("out", "name", "told"),
    [
        ("my-agent", "", "'my-agent' is no name of a folder that Python imports"),
        ("class", "", "'class' is no name of a folder"),
        ("mine", "3D", "'3D' is no name of a class"),
        ("there", "", "exists already; valid: a new folder"),
        ("there/file", "", "exists already"),
        ("there/file/mine", "", "there"),
    ],
)
def test_folders_that_are_not_written(out, name, told, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("kept")
    with pytest.raises(InputError, match=told):
        export_player("nice", tmp_path / out, name)
    assert [path.name for path in tmp_path.rglob("*")] == ["there", "file"]
    assert (tmp_path / "there" / "file").read_text() == "kept"


def looks_for(package, seed):
    """A player that looks for what a submission does not have."""
    player = StrategyPolicy(BOULWARE, seed)
    player.act = lambda view: __import__(package)
    return player


def looks_for_torch(seed):
    return looks_for("torch", seed)


def looks_for_numba(seed):
    """Which negmas takes where it is."""
    return looks_for("numba", seed)


@pytest.mark.slow
@pytest.mark.parametrize("package", ["torch", "numba"])
def test_what_fails_without_a_package_is_not_written(package, tmp_path):
    with pytest.raises(InputError, match=rf"does not play without this package \(ImportError: it imports '{package}'"):
        export_player(f"{__name__}:looks_for_{package}", tmp_path / "mine")
    assert not any(tmp_path.iterdir())


# scml's own tournaments

REFUSE = f"""
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {REFUSED!r}:
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
"""

TOURNAMENT = """
import itertools, warnings

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    from scml.oneshot.agents import SyncRandomOneShotAgent
    from scml.std.agents import GreedyStdAgent
    from scml.utils import anac2024_oneshot, anac2024_std
    from mine import Mine

    tracks = (anac2024_oneshot, [Mine, SyncRandomOneShotAgent]), (anac2024_std, ["chain.agent.Chain", GreedyStdAgent])
    for parallelism, (play, agents) in itertools.product(("parallel", "serial"), tracks):
        results = play(
            competitors=agents, n_configs=1, n_steps=5, max_worlds_per_config=2, n_competitors_per_world=2,
            parallelism=parallelism, tournament_path=f"{parallelism}-{play.__name__}", n_processes=2,
        )
        assert len(results.total_scores) == 2 and results.total_scores["score"].notna().all()
        failed = [c for c in results.world_stats.columns if c.startswith("n_") and "exception" in c]
        assert failed and not results.world_stats[failed].to_numpy().any(), results.world_stats[failed]
"""


@pytest.mark.slow
def test_submissions_play_scmls_own_tournaments(tmp_path):
    """With nothing but scml and NumPy: other packages are refused in all processes."""
    mine = exported_module(network(24), CONCURRENT | {"action": "planner"})
    players = {"mine": mine, "chain": exported_player("just-in-time", "standard")}
    for folder, player in players.items():
        for path, content in submission_files(player, folder.capitalize()).items():
            (tmp_path / folder / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / path).write_bytes(content)
    (tmp_path / "sitecustomize.py").write_text(REFUSE)
    (tmp_path / "play.py").write_text(TOURNAMENT)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "play.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_command_says_what_it_wrote(command_line, tmp_path):
    done = command_line("evaluate.py", "export", "nice", "--out", "my_agent")
    assert done.returncode == 0, done.stderr
    assert "my_agent: class my_agent.agent.MyAgent, needs scml and NumPy alone" in done.stdout
    again = command_line("evaluate.py", "export", "nice", "--out", "my_agent")
    assert again.returncode == 2 and again.stderr.startswith("error: ") and again.stderr.count("\n") == 1
    assert "exists already" in again.stderr

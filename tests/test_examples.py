"""The examples run, as their heads say."""

import runpy
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from scml_gym.agents.training import start
from scml_gym.evaluation.statistics import paired, ranking
from scml_gym.evaluation.table import COLUMNS, read_scores, write_table
from scml_gym.oneshot.game import COMPETITION
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.standard.players import player_maker as standard_player_maker
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec as standard_league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld as ReferenceWorldOfStandard

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TESTED = {"judge_acceptance.py", "masked_ppo.py", "own_agent.py", "own_learner.py", "read_results.py", "ten_once.py"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES.parent))
    return tmp_path


def run_script(monkeypatch, name, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def scores_with(player):
    """Scores of a world in which that player has the first seller and the first buyer."""
    names = [player, "best-subset", "greedy", player, "best-subset", "greedy"]
    world = ReferenceWorld(league_spec(2, 3, 3), [player_maker(name)(2) for name in names], 2)
    world.run()
    return world.scores


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.py")} == TESTED


@pytest.mark.slow
def test_masked_ppo_trains_repeats_itself_and_plays(folder, monkeypatch, capsys):
    arguments = ["--total-steps", 32, "--n-envs", 2, "--rollout", 16, "--days", 3, "--epochs", 1]
    weights = []
    for _ in range(2):
        run_script(monkeypatch, "masked_ppo.py", *arguments)
        weights.append((folder / "runs/masked_ppo.safetensors").read_bytes())
    shown = capsys.readouterr().out
    assert "steps 32  score" in shown
    assert "saved: runs/masked_ppo.safetensors" in shown
    assert weights[0] == weights[1]
    assert np.isfinite(scores_with("examples.masked_ppo:player")).all()


def test_masked_ppo_is_one_file_of_about_two_hundred_lines():
    assert len((EXAMPLES / "masked_ppo.py").read_text().splitlines()) < 220


@pytest.mark.slow
def test_a_learner_of_acceptance_is_judged(folder, monkeypatch, capsys):
    start("acceptance", ["agent.total_steps=200", "env.rounds=10"], out=folder / "run")
    run_script(monkeypatch, "judge_acceptance.py", "run", "--scenario", "Party", "--negotiations", 3)
    shown = capsys.readouterr().out
    assert "Party against boulware, 3 negotiations:" in shown
    assert "mean utility 0." in shown
    with pytest.raises(SystemExit):
        run_script(monkeypatch, "judge_acceptance.py", "run", "--opponent", "boulwar")
    assert "did you mean 'boulware'?" in capsys.readouterr().err


def test_own_agent_agrees_with_somebody(folder):
    assert (scores_with("examples.own_agent:OwnAgent") != scores_with("do-nothing"))[[0, 3]].all()


@pytest.mark.slow
def test_own_learner_trains_is_registered_in_one_line_and_plays(folder, monkeypatch):
    from scml_gym.agents import AGENTS
    from scml_gym.agents.training import start

    run = start(EXAMPLES / "own_learner.yaml", ["agent.episodes=20", "env.days=3"], out=folder / "run")
    assert run.step == 20
    assert np.isfinite(scores_with(str(run.path))).all()
    monkeypatch.setattr(AGENTS, "_entries", dict(AGENTS._entries))
    AGENTS.register("monte-carlo", "examples.own_learner:MonteCarlo")
    config = run.config | {"agent": run.config["agent"] | {"name": "monte-carlo"}}
    again = AGENTS.get("monte-carlo").build(config["agent"], config["env"])
    again.train(type(run).create(folder / "again", config, "test"))
    loaded = AGENTS.get("monte-carlo").load(run.latest_checkpoint())
    assert np.array_equal(again.table, loaded.table)
    assert again.table[0].sum() > 0


def test_results_are_read_with_pandas(folder, monkeypatch, capsys):
    rng, rows = np.random.default_rng(0), []
    for configuration, play, (factory, competitor) in product(
        range(5), range(2), enumerate(["mine", "theirs", "greedy"])
    ):
        row = {column: float(rng.random()) for column in COLUMNS}
        row |= {"block": 0, "seed": 0} | {name: 0 for name, column in COMPETITION.columns.items() if column.type is int}
        row |= {"configuration": configuration, "play": play, "factory": factory, "initial_balance": 100}
        row |= {"competitor": competitor, "role": "background" if competitor == "greedy" else "competitor"}
        row |= {"level": ("seller", "buyer")[(factory + play) % 2]}
        rows.append(row)
    write_table(rows, tuple(COLUMNS), folder / "scores.csv")
    run_script(monkeypatch, "read_results.py", folder)
    shown = capsys.readouterr().out
    table = read_scores(folder / "scores.csv")
    for row in ranking(table).itertuples():
        for number in (row.score, row.standard_error, row.seller, row.buyer, row.revenue):
            assert f"{number:.4f}".rstrip("0") in shown
    (pair,) = paired(table).itertuples()
    assert f"{pair.competitor} - {pair.other}: {pair.difference:+.4f}, 95 % interval {pair.low:+.4f}" in shown
    assert "greedy" not in shown


@pytest.mark.slow
@pytest.mark.parametrize("kind", [CompiledWorld, ReferenceWorldOfStandard], ids=["compiled", "reference"])
def test_ten_once_fills_its_stock_once_where_stock_is_never_used_up(kind, folder):
    spec = standard_league_spec(3, days=12, factories_per_level=3, n_levels=3)
    factory, bought = 4, {}
    for stock in ("league", "physical"):
        names = ["just-in-time"] * spec.n_factories
        names[factory] = "examples.ten_once:TEN_ONCE"
        world = kind(spec, [standard_player_maker(name)(1) for name in names], seed=1, stock=stock)
        world.run()
        mine = world.contracts[world.contracts["buyer"] == factory]
        bought[stock] = int(mine["quantity"].sum())
        assert (world.stock[factory, mine["day"]] < spec.lines[factory]).all()  # it buys while its stock is too small
        assert stock == "physical" or world.stock[factory, -1] >= spec.lines[factory]
    assert spec.level[factory] == 1
    assert 0 < bought["league"] < bought["physical"]

"""The study of acceptance strategies: what it computes is what its environment gives, and it repeats."""

import json
from pathlib import Path

import gymnasium
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from scml_gym.agents import STUDIES, training
from scml_gym.agents.dqn_batch import QNetworks
from scml_gym.agents.studies.acceptance.findings import FAILS, HOLDS, OPEN, findings
from scml_gym.agents.studies.acceptance.play import judge
from scml_gym.agents.studies.acceptance.tables import Samples, level_contrast, runs_table
from scml_gym.core.config import find_config, load_experiment
from scml_gym.core.errors import InputError
from scml_gym.evaluation.studies.study import load_study, run_study

ROOT = Path(__file__).resolve().parents[3]

SMALL = (
    "trainings=4",
    "negotiations=4",
    "train.rounds=10",
    "test.rounds=10",
    "dqn.total_steps=300",
    "dqn.net_arch=[8]",
    "dqn.batch_size=8",
)
FEW = (*SMALL, "rewards={accept: [a, b], offer: [a], failure_penalty: [0.0]}")


def small_study(*options, file="dqn_acceptance"):
    return load_study(STUDIES, file, [*SMALL, *options])


def test_a_run_repeats_whatever_else_is_in_the_study():
    whole, few = small_study()[0], load_study(STUDIES, "dqn_acceptance", FEW)[0]
    assert len(whole.runs()) == 54 + 2 + 1
    assert list(few.runs()) == ["Baa-0", "Bba-0", "Gaa-0", "Gba-0", "B-previous", "G-previous", "rules"]
    first, again = whole.compute("Bba-0", lambda steps: None), few.compute("Bba-0", lambda steps: None)
    assert first == again
    assert first != small_study("seed=1")[0].compute("Bba-0", lambda steps: None)
    assert len(first["negotiations"]) == 4 * 4
    for row in first["trainings"]:
        mine = [n["utility"] for n in first["negotiations"] if n["training"] == row["training"]]
        assert row["utility"] == pytest.approx(np.mean(mine), abs=1e-6)


def test_recorded_negotiations_are_those_of_the_tables(tmp_path):
    study = load_study(STUDIES, "dqn_acceptance", FEW)[0]
    tables = study.recorded(tmp_path, 2).compute("Bba-0", lambda steps: None)
    assert tables == study.compute("Bba-0", lambda steps: None)
    worlds = sorted((tmp_path / "Bba-0" / "worlds").iterdir())
    factories = [pq.ParquetFile(world / "factories.parquet").read().to_pylist() for world in worlds]
    scores = [next(row["score"] for row in rows if row["competitor"] == "learner") for rows in factories]
    told = pd.DataFrame(tables["negotiations"]).groupby("training")["utility"].apply(lambda values: values.iloc[::2])
    assert scores == pytest.approx(told.tolist(), abs=1e-6)


@pytest.mark.slow
def test_the_whole_study(tmp_path):
    study, config = load_study(STUDIES, "dqn_acceptance", FEW)
    made = run_study(study, config, tmp_path / "x", command="evaluate.py study x")
    assert set(made) == {"runs.csv", "baselines.csv", "effects.csv", "figure1.png", "study.md"}
    runs = pd.read_csv(tmp_path / "x" / "runs.csv")
    trainings = pd.read_csv(tmp_path / "x" / "trainings.csv")
    assert runs["label"].tolist() == ["Baa-0", "Bba-0", "Gaa-0", "Gba-0"]
    for row in runs.to_dict("records"):
        mine = trainings[trainings["label"] == row["label"]]["utility"]
        assert row["mean"] == pytest.approx(mine.mean())
        assert row["low"] <= row["mean"] <= row["high"]
    baselines = pd.read_csv(tmp_path / "x" / "baselines.csv")
    assert baselines["label"].tolist() == [*config["rules"], "B-previous", "G-previous"]
    never = baselines.set_index("label").loc["never"]
    assert never["accepted_share"] == 0
    page = (tmp_path / "x" / "study.md").read_text()
    assert "| Bba-0 |" in page
    assert "evaluate.py study x" in page
    assert (tmp_path / "x" / "figure1.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "x" / "cost.json").read_text())["runs"] == 7


def test_networks_are_judged_as_in_the_environment():
    study = small_study("test.scenario=EnglandZimbabwe", "test.rounds=30")[0]
    row = study.config.test_row()
    networks = QNetworks.drawn((2, 8, 2), [np.random.default_rng(k) for k in range(3)])
    networks.layers[-1][1][:, 0, 1] += torch.tensor([-1.0, 0.1, 0.3])[:, None][:, 0] - 0.1
    seeds = np.arange(12).reshape(3, 4)
    outcomes = judge(networks, row, seeds)
    env = gymnasium.make(
        "scml_gym/BilateralAcceptance-v0",
        **{k: v for k, v in vars(row).items() if v is not None},
    )
    for k in range(3):
        for j in range(4):
            observation, info = env.reset(seed=int(seeds[k, j]))
            terminated = False
            while not terminated:
                values = networks.values(torch.from_numpy(observation).repeat(3, 1, 1))[k, 0].numpy()
                action = int(np.where(info["action_mask"], values, -np.inf).argmax())
                observation, _, terminated, _, info = env.step(action)
            assert info["utility"] == outcomes.utility[k, j]
            assert info["round"] == outcomes.round[k, j]
            assert info["agreement"] == outcomes.agreement[k, j]
    assert len(set(outcomes.accepted_by.ravel().tolist())) > 1


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("train.scenario=Partty", "dqn_acceptance.yaml with --set train.scenario=Partty: train"),
        ("train_opponents.G=Gahbonino", "did you mean 'Gahboninho'?"),
        ("rewards.accept=[a, z]", "rewards: accept_reward: "),
        ("rewards.failure_penalty=[1.0]", "failure_penalty=1.0"),
        ("train.rounds=1", "rounds=1; valid: 2 to 1000000"),
        ("floor=nobody", "'nobody' is not"),
        ("rules.never=AgentK+AC_none", "rules.never: "),
        ("dqn.tau=2", "dqn.tau: 2 is not valid"),
        ("trainings=3", "trainings: 3 is not valid"),
        ("dqn.total_steps=100", "dqn: the first gradient step would come after 104 steps (learning_starts=100"),
        ("test_opponent=negmas.sao:BoulwareTBNegotiator", "test_opponent: 'negmas.sao:BoulwareTBNegotiator' plays in"),
        ("bids=Nope", "--set bids=Nope: bids: unknown negotiator 'Nope'"),
        ("rewards.accept=[a, b, a]", "rewards.accept: 'a' is given twice"),
        ("rewards.failure_penalty=[0, -0.1234567, -0.1234568]", "'Baa-0.123457' is the label of two"),
        ("train_opponents.C=boulware", "train_opponents: 'boulware' is given twice"),
        ("rules.Baa-0=AgentK", "'Baa-0' is the label of two"),
        ("dqn.train_freq=100001", "valid: total_steps of 100001 or more, not 100000"),
    ],
)
def test_bad_input_is_one_line(option, message):
    with pytest.raises(InputError) as refused:
        load_study(STUDIES, "dqn_acceptance", [option])
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def made_up(offsets, sd=0.01, trainings=10, values="abc", penalties=(-1.0, 0.0)):
    """Samples with a mean for each run: `offsets(opponent, accept, offer, penalty)`."""
    rng = np.random.default_rng(1)
    rows, negotiations = [], []
    opponents = {"G": "Gahboninho", "B": "boulware"}
    keys = [(o, a, b, p) for o in opponents for a in values for b in values for p in penalties]
    facts = [(f"{o}{a}{b}-{abs(p):g}", "run", opponents[o], a, b, p, offsets(o, a, b, p)) for o, a, b, p in keys]
    facts += [(f"{o}-previous", "previous", opponents[o], "a", "a", 0.0, 0.5) for o in opponents]
    facts += [("never", "rule", None, None, None, None, 0.5)]
    extra = dict.fromkeys(("agreement_rate", "mean_round", "accepted_share", "opponent_utility"), 0.5)
    for label, kind, opponent, a, b, p, mean in facts:
        for number in range(trainings):
            utility = mean + rng.normal(0, sd)
            row = {"label": label, "kind": kind, "opponent": opponent, "accept": a, "offer": b, "failure_penalty": p}
            rows.append(row | {"training": number, "utility": utility} | extra)
            negotiations += [{"label": label, "utility": utility + e} for e in (-0.1, 0.0, 0.1)]
    return Samples(pd.DataFrame(rows), pd.DataFrame(negotiations))


def test_findings_are_recognised():
    def as_in_the_paper(o, a, b, p):
        return 0.5 + 0.05 * (o == "B") + 0.05 * (a != "b") + 0.05 * (b != "a") + 0.02 * (b == "b" and p == 0)

    verdicts = [f.verdict for f in findings(made_up(as_in_the_paper), 0.01)]
    assert verdicts == [HOLDS] * 8  # Gcc-0.5 is not among the runs

    def the_other_way(o, a, b, p):
        return 0.45 - 0.02 * (o == "B") - 0.02 * (a != "b") - 0.02 * (b != "a")

    verdicts = [f.verdict for f in findings(made_up(the_other_way), 0.01)]
    assert verdicts == [FAILS] * 8

    verdicts = [f.verdict for f in findings(made_up(lambda *_: 0.5, sd=0.05, trainings=4), 1e-6)]
    assert verdicts[:5] == [OPEN] * 5

    def with_boulware_only(o, a, b, p):
        return 0.5 + 0.05 * (o == "B" and a != "b")

    verdicts = [f.verdict for f in findings(made_up(with_boulware_only), 0.01)]
    assert verdicts[1] == verdicts[2] == "holds with boulware only"


def test_small_studies_decide_little():
    def nothing_told_apart(o, a, b, p):
        return 0.5

    verdicts = {f.statement: f.verdict for f in findings(made_up(nothing_told_apart, sd=0.05), 0.001)}
    assert verdicts["The three best rewards trained against boulware beat the previous method (Welch, 0.1%)."] == OPEN
    one = [f.statement for f in findings(made_up(nothing_told_apart, values="a"), 0.01)]
    assert one == ["Training against boulware brings more than against Gahboninho."]  # two runs of each opponent
    three = [f.statement for f in findings(made_up(nothing_told_apart, values="ab", penalties=(0.0,)), 0.01)]
    assert any("three best rewards" in statement for statement in three)
    assert any("one of the three best" in statement for statement in three)  # four runs of each


def test_contrasts_and_comparisons_of_runs():
    samples = made_up(lambda o, a, b, p: 0.5 + 0.1 * (o == "B"), sd=0.001)
    effect = level_contrast(samples, lambda run: run["opponent"] == "boulware", lambda run: True)
    assert effect.low < 0.1 < effect.high
    table = runs_table(samples, "never")
    assert (table[table["opponent"] == "boulware"]["to_floor"] == "above").all()
    row = table.iloc[0]
    assert row["minus_previous"] == pytest.approx(samples.mean(row["label"]) - samples.mean("G-previous"))
    assert (table["p_previous_holm"] >= table["p_previous"]).all()


def test_the_defaults_are_those_of_the_issue():
    study, config = load_study(STUDIES, find_config("study", "dqn_acceptance"))
    assert study.config.trainings * 54 == 540
    assert config["dqn"]["gamma"] == 1.0
    assert sum(study.runs().values()) == 56 * 10 * 100_000 + 10_000


@pytest.mark.slow
def test_the_comparison_with_sb3_runs(tmp_path):
    options = [f"options={[*SMALL, 'dqn.learning_starts=50']}", "runs=[Gcc-0.5]"]
    study, config = load_study(STUDIES, ROOT / "benchmarks/dqn_agreement.yaml", options)
    assert list(study.runs()) == ["batch-Gcc-0.5", "sb3-Gcc-0.5"]
    run_study(study, config, tmp_path / "x")
    assert "| Gcc-0.5 | 0." in (tmp_path / "x" / "study.md").read_text()
    with pytest.raises(InputError, match="there is no run 'Gcc'"):
        load_study(STUDIES, ROOT / "benchmarks/dqn_agreement.yaml", ["runs=[Gcc]"])


def test_a_learner_of_acceptance_plays_no_factory():
    learner = training.build(load_experiment("acceptance"))
    with pytest.raises(InputError, match="has no factories"):
        learner.policy(0)


def test_a_reward_of_ones_own_is_named_in_labels_and_is_learnt_from():
    own = "tests.helpers.acceptance_rewards:late"
    study, _ = small_study("rewards.accept=[a]", f"rewards.offer=[{own}]", "rewards.failure_penalty=[0.0]")
    labels = [run.label for run in study.config.runs()]
    assert labels[:2] == ["Balate-0", "Galate-0"]
    assert study.config.runs()[0].reward.offer == own
    assert study.compute("Balate-0", lambda done: None)["trainings"]

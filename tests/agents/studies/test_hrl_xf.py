"""The study of HRL-XF: players in the same seats, in tables that repeat; what does not fit is refused in one line."""

import io

import numpy as np
import pandas as pd
import pytest

from scml_gym.agents import STUDIES
from scml_gym.agents.hrl_xf.agent_hyperparameters import ONLINE
from scml_gym.agents.studies.hrl_xf.play import MEASURED, play_seat
from scml_gym.agents.training import start
from scml_gym.core.errors import InputError
from scml_gym.evaluation.studies.study import load_study, run_study
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.players import player_maker
from tests.helpers.negotiations import SMALL_AGENT

WORLDS = {"opponents": ["stock-planner", "greedy"], "days": 5, "factories_per_level": 3, "n_levels": 3}
LABELS = ["penguin", "as0", "ten-once-dear", "full", "pre-trained", "no-manager", "no-coordinator", "no-shield"]
LABELS += ["from-nothing", "ippo"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Of an agent whose executor alone has learnt something."""
    stages = ("manager", "coordinator", *ONLINE)
    options = [*SMALL_AGENT, *(f"agent.{stage}.take=skip" for stage in stages), "agent.alpha=heuristic", "loggers=[]"]
    return start("hrl_xf", options, out=tmp_path_factory.mktemp("runs") / "agent").path


def options(run, *more):
    players = {label: None for label in LABELS} | {"ten": "ten-once", "agent": str(run)}
    players = {label: f"{name}" if name else "null" for label, name in players.items()}
    settings = dict.fromkeys(("league", "physical", "surge", "calm", "surge-physical", "calm-physical"), "null")
    return [
        *(f"players.{label}={name}" for label, name in players.items()),
        *(f"settings.{name}={about}" for name, about in settings.items()),
        "env.backend=compiled",
        *(f"env.{name}={value}" for name, value in WORLDS.items()),
        "settings.small={title: Small, worlds: 3, env: {stock: physical}}",
        "settings.rising={title: Rising, worlds: 2, env: {generator: surge}, players: [agent], beside: flat}",
        "settings.flat={title: Flat, worlds: 2, env: {}, players: [agent]}",
        *("reference=ten", "at_once=2", *more),
    ]


def test_the_study_measures_all_players_in_the_same_seats(run, tmp_path):
    study, config = load_study(STUDIES, "hrl_xf", options(run))
    assert set(study.files()) == {"players.agent"} and sum(study.runs().values()) == 2 * 3 + 2 * 2 * 2
    made = run_study(study, config, tmp_path / "out")
    assert set(made) == {"study.md", "summary.csv", *(f"scores-{name}.png" for name in ("small", "rising", "flat"))}
    rows = pd.read_csv(tmp_path / "out" / "seats.csv")
    assert len(rows) == 14 and set(MEASURED) < set(rows.columns)
    assert rows.groupby(["setting", "world"])["seed"].nunique().eq(1).all()
    assert rows.groupby(["setting", "world"])["level"].nunique().eq(1).all()
    ours = rows.loc[rows["player"].eq("agent")]
    assert (ours["unsafe_covered"] == 0).all() and ours["acts"].sum() > 0  # it plays behind the shield
    again = study.compute("small-ten-0", lambda done: None)["seats"]
    kept = rows.loc[rows["setting"].eq("small") & rows["player"].eq("ten")].head(2)
    assert [row["score"] for row in again] == pytest.approx(kept["score"].tolist(), abs=1e-12)
    summary = pd.read_csv(io.StringIO((tmp_path / "out" / "summary.csv").read_text()))
    agent = summary.loc[summary["player"].eq("agent") & summary["setting"].eq("small")].iloc[0]
    small = rows.loc[rows["setting"].eq("small")].pivot(index="world", columns="player", values="score")
    assert agent["difference"] == pytest.approx((small["agent"] - small["ten"]).mean(), abs=1e-4)
    page = (tmp_path / "out" / "study.md").read_text()
    assert "| agent |" in page
    surged, flat = (rows.loc[rows["setting"].eq(name) & rows["player"].eq("agent")] for name in ("rising", "flat"))
    assert surged["seed"].tolist() == flat["seed"].tolist()
    more = (surged["score"].to_numpy() - flat["score"].to_numpy()).mean()
    changes = page[page.index("of *Flat*? ") :]
    assert f"\n| agent | {more:+.3f} (" in changes


def test_a_seat_is_measured_alike_in_both_worlds(run):
    for name in (str(run), "ten-once"):
        told = [
            play_seat(player_maker(name), StandardConfig(**WORLDS, backend=backend), 4)
            for backend in ("compiled", "reference")
        ]
        assert told[0] == told[1]
        assert np.isfinite([value for value in told[0].values() if not isinstance(value, str)]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("players.agent=runs/nowhere-0", "runs/nowhere-0 is no run folder; train it first, or give agent: null"),
        ("reference=nobody", "settings.small: 'nobody' is no player; valid: ten, agent"),
        ("settings.small.env.days=0", "settings.small.env.days: days=0"),
        ("env.stock=none settings.small.env={}", "env.stock: stock='none'"),
        ("settings.small.env.generator=surges", "unknown world generator 'surges'; did you mean 'surge'?"),
        ("settings.small.players=[me]", "settings.small: 'me' is no player"),
        ("settings.rising.beside=rising", "settings.rising: beside='rising'; valid: small, flat"),
        ("settings.flat.worlds=1", "settings.rising: other worlds or players than flat, which it is beside"),
        ("worlds=3", "worlds: unknown key"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(run, change, message):
    with pytest.raises(InputError) as refused:
        load_study(STUDIES, "hrl_xf", options(run, *change.split()))
    assert message in str(refused.value) and "\n" not in str(refused.value)

"""The study of safety: what it plays, what it tells, and what it refuses."""

import pytest

from scml_gym.agents import STUDIES
from scml_gym.agents.studies.safety.study import SafetyStudy
from scml_gym.core.errors import InputError
from scml_gym.evaluation.studies.study import load_study, run_study

PART = {
    "title": "Both",
    "world": "compiled",
    "competitors": {"h": "lita-h", "hs": "shielded?of=lita-h&bound=covered"},
    "reference": "h",
    "worlds": 2,
}
CONFIG = {"seed": 0, "days": 5, "levels": [2, 3], "factories": 3, "at_once": 1, "time_limit": 300}
SEATS = PART | {"same_seat": True, "background": ["do-nothing"], "stock": ["physical"]}


def test_compiled_and_real_worlds_give_the_same_table(tmp_path):
    tables = []
    for world in ("compiled", "real"):
        config = CONFIG | {"parts": {"both": PART | {"world": world, "worlds": 1}}}
        study = SafetyStudy.build(config)
        assert study.runs() == {"both-league-0": 2, "both-physical-0": 2}
        done = []
        tables.append([row for run in study.runs() for row in study.compute(run, done.append)["factories"]])
        assert sum(done) == 4
    compiled, real = tables
    assert compiled == real
    assert len(real) == 2 * 2 * 6  # rules, plays, factories
    assert all(row["unsafe_covered"] == 0 for row in real if row["competitor"] == "hs")
    assert sum(row["acts"] for row in real) > 0


def test_the_page_has_every_competitor_under_every_rule(tmp_path):
    config = {"name": "penguin-safety"} | CONFIG | {"parts": {"together": PART, "seats": SEATS}}
    study = SafetyStudy.build(config)
    made = run_study(study, config, tmp_path / "study")
    assert set(made) == {"study.md", "summary.csv", "scores-together.png", "scores-seats.png"}
    page, summary = ((tmp_path / "study" / name).read_text() for name in ("study.md", "summary.csv"))
    assert page.count("| hs |") == page.count("| h |") == 2 * 3  # two tables for each part and rule
    assert summary.count("\n") == 1 + 2 * 3
    table = (tmp_path / "study" / "factories.csv").read_text().splitlines()
    seats = [line for line in table if ",seats," in line]
    assert len(seats) == 2 * (2 + 3), "each competitor alone, on each level in turn"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["parts.seats.reference=nobody"], "parts.seats.reference: 'nobody'; valid: penguin, h"),
        (["parts.rules.stock=[kept]"], "stock='kept'; valid: league, physical"),
        (["parts.rules.competitors.h=lita-hh"], "lita-h"),
        (["parts.rules.competitors.h=shielded?of=lita-h&bound=safe"], "bound='safe'; valid: covered, possible"),
        (["parts.rules.competitors.h=penguin"], "two labels have the same player"),
        (["parts.rules.world=real-time"], "parts.rules.world"),
        (["levels=[5]"], "a world of standard has 2 to 4 levels"),
        (["parts.rules.colour=red"], "parts.rules.colour"),
    ],
)
def test_bad_input_is_one_line(options, message):
    with pytest.raises(InputError) as refused:
        load_study(STUDIES, "penguin_safety", options)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_agents_of_scml_do_not_play_compiled_worlds():
    part = PART | {"competitors": {"h": "lita-h", "greedy": "scml:GreedyStdAgent"}}
    study = SafetyStudy.build(CONFIG | {"parts": {"both": part}})
    with pytest.raises(InputError, match="'scml:GreedyStdAgent' is no strategy"):
        study.compute("both-league-0", lambda worlds: None)

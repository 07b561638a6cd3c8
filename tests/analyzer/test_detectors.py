"""Detectors find what was planted, and nothing in a world without faults."""

import math

import pytest

from scml_gym.core.errors import InputError
from tests.helpers.recordings import write_by_hand

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.detectors import DETECTORS, findings
from scml_gym.analyzer.queries import worlds

FULL = [{"day": d, "factory": f, "produced": 10} for d in range(4) for f in range(4)]


def _offers(answers):
    return [
        {"day": d, "sender": 2, "receiver": 0, "quantity": 1, "price": 20, "answer": a} for d, a in enumerate(answers)
    ]


CONTRACT = {"day": 1, "delivery": 1, "seller": 0, "buyer": 2, "quantity": 3, "executed": True}

FAULTS = {
    "over-commitment": (
        {"days": [{"day": 1, "factory": 0, "needed_sales": 5, "left_sales": -2, "sold": 7, "shortfall": 4.5}]},
        (1, 0, 4.5, {"agreed": 7, "too_many": 2}),
    ),
    "missing-items": (
        {
            "days": [
                {"day": 2, "factory": 3, "missing": 4, "needed_supplies": 9, "bought": 5, "shortfall": 8.0},
                {"day": 2, "factory": 1, "left_sales": 6},
            ]
        },
        (2, 3, 8.0, {"missing": 4, "spare": 6}),
    ),
    "far-prices": ({"contracts": [CONTRACT | {"price": 13}]}, (1, 0, 21.0, {"trading_price": 20, "price": 13})),
    "sales-below-cost": (
        {
            "contracts": [CONTRACT | {"price": 20}],
            "days": [{"day": 1, "factory": 0, "exogenous_supply": 4, "supplies": 88.0}],
        },
        (1, 0, 6.0, {"unit_cost": 22}),
    ),
    "idle-lines": (
        {"days": [{"day": d, "factory": 1, "produced": 1} for d in (1, 2, 3)]},
        (1, 1, math.nan, {"days": 3, "produced": 3}),
    ),
    "failing-negotiations": (
        {"offers": _offers(["ended"] * 5)},
        (0, 0, math.nan, {"failed": 5, "negotiations": 5, "partner": 2}),
    ),
    "unsafe-acts": (
        {
            "unsafe": [
                {"day": 1, "factory": 2, "bound": bound, "missing": missing, "unpaid": unpaid, "short_day": short}
                for bound, missing, unpaid, short in (("covered", 2, 0, 3), ("covered", 3, 0, 2), ("possible", 0, 9, 1))
            ],
            "days": [{"day": 1, "factory": 2, "shortfall_penalty": 0.5}],
        },
        (1, 2, 45.0, {"covered": 2, "possible": 1, "missing": 3, "unpaid": 9, "short_day": 1}),
    ),
    "errors": (
        {"errors": [{"day": 3, "factory": 2, "message": "ValueError: <b>"}]},
        (3, 2, math.nan, {"message": "ValueError: <b>"}),
    ),
    "bankruptcies": (
        {"days": [{"day": d, "factory": 3, "bankrupt": True, "profit": -50.0 + d} for d in (2, 3)]},
        (2, 3, 48.0, {}),
    ),
}


def found(tmp_path, detector, **tables):
    days = {(row["day"], row["factory"]): dict(row) for row in FULL}
    for row in tables.get("days", ()):
        days[row["day"], row["factory"]].update(row)
    write_by_hand(tmp_path, **tables | {"days": list(days.values())})
    with open_recordings(tmp_path) as recordings:
        return findings(recordings)[detector]


@pytest.mark.parametrize("name", DETECTORS)
def test_a_planted_fault_is_found_with_its_evidence(tmp_path, name):
    tables, (day, factory, cost, evidence) = FAULTS[name]
    rows = found(tmp_path, name, **tables)
    first = rows.iloc[0]
    assert (first["day"], first["factory"], first["competitor"]) == (day, factory, f"player {factory}")
    assert (first["run"], first["world"]) == (0, "hand")
    assert first["cost"] == pytest.approx(cost, nan_ok=True)
    assert {key: first[key] for key in evidence} == evidence


@pytest.mark.parametrize("name", DETECTORS)
def test_a_world_without_faults_is_left_alone(tmp_path, name):
    fair = CONTRACT | {"price": 20}
    rows = found(tmp_path, name, contracts=[fair], offers=_offers(["accepted", "ended", "accepted", "countered"]))
    assert not len(rows)


def test_findings_are_of_the_run_and_competitor_that_were_asked_for(tmp_path):
    write_by_hand(tmp_path / "a", errors=[{"factory": 1}, {"factory": 2}])
    write_by_hand(tmp_path / "b", errors=[{"factory": 1}])
    with open_recordings(tmp_path / "a", tmp_path / "b") as recordings:
        find = DETECTORS["errors"].find
        assert len(find(recordings)) == 3
        assert len(find(recordings, run=0)) == 2
        assert len(find(recordings, run=1, competitor="player 1")) == 1
        with pytest.raises(InputError, match="days=0"):
            DETECTORS["idle-lines"].find(recordings, days=0)


def test_contracts_that_were_nullified_cost_nothing_and_are_no_trade(tmp_path):
    null = CONTRACT | {"price": 13, "executed": False, "nullified": True}
    write_by_hand(tmp_path, contracts=[null, CONTRACT | {"day": 2, "seller": 1, "price": 20}])
    with open_recordings(tmp_path) as recordings:
        assert not len(DETECTORS["far-prices"].find(recordings))
        assert worlds.summary_of_days(recordings, 0, "hand")["items"].tolist() == [0, 0, 3, 0]
        assert worlds.flows(recordings, 0, "hand")[["seller", "items"]].values.tolist() == [[1, 3]]
        assert worlds.flows(recordings, 0)["items"].tolist() == [3]

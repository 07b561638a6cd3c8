"""Questions about recordings: they add up, and they can be asked of any recording."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot.rewards.hindsight import hindsight_profit
from scml_gym.oneshot.view import new_view
from tests.helpers.recordings import NAMES, play_recorded, write_by_hand

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.detectors import DETECTORS
from scml_gym.analyzer.queries import compare, competitors, worlds
from scml_gym.analyzer.queries.compare import Who


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two worlds with the levels swapped, under a name that is awkward in SQL and as a pattern."""
    folder = tmp_path_factory.mktemp("it's [a] run*")
    for play, names in enumerate((NAMES, NAMES[2:] + NAMES[:2])):
        play_recorded(folder / "first", f"w{play}", names, configuration=0, block=0, play=play)
    play_recorded(folder / "second", "other", ("greedy", "greedy", *NAMES[2:]))
    return folder


@pytest.fixture(scope="module")
def recordings(folder):
    with open_recordings(folder / "first", folder / "second") as opened:
        yield opened


QUESTIONS = {
    "runs": lambda r: worlds.runs(r),
    "worlds": lambda r: worlds.worlds(r),
    "scores": lambda r: worlds.scores(r, 0),
    "days": lambda r: worlds.days_of_world(r, 0, "w0"),
    "flows": lambda r: worlds.flows(r, 0),
    "flows of a world": lambda r: worlds.flows(r, 0, "w1"),
    "a day": lambda r: worlds.day(r, 0, "w0", 1),
    "losses": lambda r: competitors.losses(r),
    "profits": lambda r: competitors.profits(r, by=["run", "level"]),
    "worst days": lambda r: competitors.worst_days(r, n=3),
    "needs": lambda r: competitors.needs(r),
    "acceptance": lambda r: competitors.acceptance(r, by=competitors.ACCEPTANCE),
    "partners": lambda r: competitors.partners(r, 0, "greedy"),
    "factories": lambda r: worlds.factories(r, 0, "w0"),
    "days together": lambda r: worlds.summary_of_days(r, 0, "w0"),
    "contracts": lambda r: worlds.contracts(r, 0, "w0", 1),
    "recorded": lambda r: worlds.recorded(r, 0),
    "competitors": lambda r: competitors.competitors(r, 0),
    "lost to": lambda r: competitors.lost_to(r, 0, "greedy"),
    "offers made": lambda r: competitors.offers_made(r, 0, "greedy"),
    "same seats": lambda r: compare.same_seats(r, Who(0, "best-subset"), Who(1, "greedy")),
    "day by day": lambda r: compare.day_by_day(r, Who(0, "best-subset"), Who(1, "greedy")),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_question_has_an_answer(recordings, name):
    answer = QUESTIONS[name](recordings)
    assert len(answer)
    assert answer.columns.is_unique
    pd.testing.assert_frame_equal(answer, QUESTIONS[name](recordings))


def test_what_is_absent_is_empty(recordings):
    assert not len(worlds.decisions(recordings, 0, "w0"))
    assert not len(worlds.days_of_world(recordings, 0, "nowhere"))
    assert not len(worlds.failures(recordings, 0))
    assert not len(competitors.losses(recordings, 7))


def test_numbers_add_up(recordings):
    seen = worlds.runs(recordings)
    assert seen["label"].tolist() == ["first", "second"]
    assert seen["worlds"].tolist() == [2, 1]
    assert worlds.worlds(recordings)["contracts"].sum() == seen["contracts"].sum()
    assert worlds.flows(recordings, 0)["contracts"].sum() == seen["contracts"][0]
    assert competitors.acceptance(recordings)["offers"].sum() == seen["offers"].sum()
    assert competitors.acceptance(recordings)["accepted"].sum() == seen["contracts"].sum()
    assert competitors.partners(recordings)["agreements"].sum() == 2 * seen["contracts"].sum()
    days = recordings.ask("SELECT count(*) AS n, sum(profit) AS profit FROM factory_days")
    losses = recordings.ask("SELECT count(*) AS n, sum(profit) AS profit FROM losses")
    assert days.equals(losses)
    scores = worlds.scores(recordings)
    assert np.allclose(scores["score"], 1 + scores["profit"] / scores["initial_balance"])


def test_parts_add_up_to_the_whole(recordings):
    contracts = worlds.contracts(recordings, 0, "w0")
    together = worlds.summary_of_days(recordings, 0, "w0")
    days = worlds.days_of_world(recordings, 0, "w0")
    assert together["contracts"].sum() == len(contracts)
    assert together["items"].sum() == contracts["quantity"].sum()
    assert together["profit"].sum() == pytest.approx(days["profit"].sum())
    made = competitors.offers_made(recordings)
    assert made["offers"].sum() == worlds.runs(recordings)["offers"].sum()
    lost = competitors.lost_to(recordings)
    causes = recordings.ask("SELECT sum(price) AS price FROM losses WHERE place = 'buyer'")
    assert lost.loc[lost["place"] == "buyer", "price_loss"].sum() == pytest.approx(causes["price"][0])
    assert lost["items"].sum() == 2 * worlds.flows(recordings, 0)["items"].sum() + 2 * (
        worlds.flows(recordings, 1)["items"].sum()
    )


def test_the_causes_of_a_loss_are_the_loss_against_the_hindsight_optimum(recordings):
    table = recordings.ask(
        """
        SELECT l.*, d.* EXCLUDE (run, world, day, factory, competitor, role, level, place, profit)
        FROM losses l JOIN factory_days d USING (run, world, day, factory)
        """
    )
    assert np.allclose(table["loss"], table["untraded"] + table["price"] + table["excess"])
    assert (table["loss"] > -1e-9).all()
    assert (table["excess"] > 0).any()
    for row in table.to_dict("records"):
        view = new_view()
        for name in ("level", "lines", "production_cost", "input_price", "output_price", "exogenous_price"):
            view[name] = row[name]
        view["exogenous_quantity"] = row["exogenous_supply"] + row["exogenous_sales"]
        view["shortfall_penalty"], view["disposal_cost"] = row["shortfall_penalty"], row["disposal_cost"]
        view["balance"] = row["balance"]
        ceiling = int(np.ceil(row["output_price"] if row["level"] == 0 else row["input_price"]))
        view["min_price"], view["max_price"] = max(1, ceiling - 1), max(1, ceiling)
        assert row["hindsight"] == pytest.approx(hindsight_profit(view))


def test_the_same_seat_in_two_runs(recordings):
    seats = compare.same_seats(recordings, Who(0, "best-subset"), Who(1, "greedy"))
    pairs = seats[["world", "other_world", "factory"]].values.tolist()
    assert sorted(pairs) == [["w0", "other", 0], ["w1", "other", 2]]
    by_day = compare.day_by_day(recordings, Who(0, "best-subset"), Who(1, "greedy"))
    profits = recordings.ask("SELECT world, factory, profit FROM factories").set_index(["world", "factory"])["profit"]
    gained = [profits["w0", 0] - profits["other", 0], profits["w1", 2] - profits["other", 2]]
    assert by_day["total"].iloc[-1] == pytest.approx(np.mean(gained))
    assert by_day["seats"].unique().tolist() == [2]
    with pytest.raises(InputError, match="never had the same seat"):
        compare.same_seats(recordings, Who(0, "best-subset"), Who(1, "nobody"))


def by_hand(folder, name, players, scores, **world):
    """A world of which only what decides on its seats, and the scores, are known."""
    given = {"game": "standard", "days": 4, "levels": 2, "stock": "league", "horizon": 5, "seed": 1} | world
    seats = [
        {"factory": i, "competitor": player, "role": "competitor", "score": score}
        for i, (player, score) in enumerate(zip(players, scores, strict=True))
    ]
    write_by_hand(folder, name, worlds=[given], factories=seats)


def test_seats_of_other_rules_are_not_the_same(tmp_path):
    by_hand(tmp_path, "w", "aaxx", [1, 2, 0, 0])
    for i, rule in enumerate(({"levels": 4}, {"stock": "physical"}, {"horizon": 0}, {"seed": 2}, {"days": 5})):
        by_hand(tmp_path, f"w{i}", "bbyy", [0, 0, 0, 0], **rule)
    by_hand(tmp_path, "same", "ccyy", [0, 0, 0, 0])
    with open_recordings(tmp_path) as recordings:
        assert len(compare.same_seats(recordings, Who(0, "a"), Who(0, "c"))) == 2
        with pytest.raises(InputError, match="never had the same seat"):
            compare.same_seats(recordings, Who(0, "a"), Who(0, "b"))


def test_seats_are_paired_once_and_configurations_are_the_unit(tmp_path):
    for time in range(3):  # a's seats are played three times, those of b twice
        by_hand(tmp_path, f"a{time}", "aaxx", [1 + time, 2, 0, 0])
    for time in range(2):
        by_hand(tmp_path, f"b{time}", "bbxx", [0, 0, 0, 0])
    by_hand(tmp_path, "c", "axxx", [8, 0, 0, 0], seed=2)
    by_hand(tmp_path, "d", "bxxx", [0, 0, 0, 0], seed=2)
    with open_recordings(tmp_path) as recordings:
        seats = compare.same_seats(recordings, Who(0, "a"), Who(0, "b"))
        days = compare.day_by_day(recordings, Who(0, "a"), Who(0, "b"))
    pairs = sorted(seats[["configuration", "world", "other_world", "factory"]].values.tolist())
    assert pairs == [[0, "a0", "b0", 0], [0, "a0", "b0", 1], [0, "a1", "b1", 0], [0, "a1", "b1", 1], [1, "c", "d", 0]]
    assert seats.groupby("configuration")["difference"].mean().tolist() == [7 / 4, 8]
    assert days["seats"].unique().tolist() == [5]


def test_differences_of_days_are_means_over_configurations(tmp_path):
    profits = [{"day": 0, "factory": i, "profit": 4.0} for i in range(2)]
    for name, player, seed in (("a0", "a", 1), ("b0", "b", 1), ("a1", "a", 2), ("b1", "b", 2)):
        seats = [{"factory": i, "competitor": player if i < 3 - seed else "x"} for i in range(4)]
        world = {"game": "oneshot", "days": 4, "levels": 2, "seed": seed}
        days = profits if name == "a0" else []
        write_by_hand(tmp_path, name, worlds=[world], factories=seats, days=days)
    with open_recordings(tmp_path) as recordings:
        days = compare.day_by_day(recordings, Who(0, "a"), Who(0, "b"))
    assert days["seats"].tolist() == [3] * 4
    assert days["profit"].tolist() == [2, 0, 0, 0]  # a mean of 4 and 0, not of 4, 4 and 0
    assert days["total"].tolist() == [2] * 4


def test_a_judged_player_and_a_background_opponent_of_one_label_are_told_apart(tmp_path):
    roles = ("competitor", "background", "competitor", "substitute")
    seats = [{"factory": i, "competitor": "same", "role": role, "score": i} for i, role in enumerate(roles)]
    days = [{"day": 0, "factory": i, "profit": i, "needed_sales": 2, "left_sales": -1} for i in range(4)]
    offer = {"quantity": 1, "price": 20, "answer": "accepted"}
    offers = [offer | {"day": i, "sender": 2 + i, "receiver": i} for i in (0, 1)]
    contract = {"seller": 1, "buyer": 3, "quantity": 1, "price": 5}
    write_by_hand(tmp_path, factories=seats, days=days, offers=offers, contracts=[contract], errors=[{"factory": 1}])
    known = ["same", "same (background)", "same (substitute)"]
    with open_recordings(tmp_path) as recordings:
        seen = competitors.competitors(recordings, 0)
        assert seen[["competitor", "role", "factories", "score"]].values.tolist() == [
            ["same", "competitor", 2, 1], [known[1], "background", 1, 1], [known[2], "substitute", 1, 3],
        ]  # fmt: skip
        for answer in (competitors.losses(recordings), competitors.profits(recordings), competitors.needs(recordings)):
            assert answer.groupby("competitor")["days"].sum().tolist() == [8, 4, 4]
        assert set(competitors.worst_days(recordings, competitor="same")["factory"]) == {0, 2}
        answered = competitors.acceptance(recordings, by=["receiver", "sender"])
        assert answered[["receiver", "sender"]].values.tolist() == [["same", "same"], known[1:]]
        ends = competitors.partners(recordings, competitor=known[1])
        assert ends[["partner", "negotiations"]].values.tolist() == [[known[2], 1]]
        assert competitors.lost_to(recordings, competitor=known[1])["partner"].tolist() == [known[2]]
        assert set(competitors.offers_made(recordings)["competitor"]) == {"same", known[2]}
        assert worlds.flows(recordings, 0)[["seller", "buyer"]].values.tolist() == [known[1:]]
        assert worlds.factories(recordings, 0, "hand")["competitor"].tolist() == ["same", known[1], "same", known[2]]
        assert worlds.scores(recordings)["competitor"].tolist() == ["same", known[1], "same", known[2]]
        for detector, found in (("errors", 1), ("far-prices", 1), ("over-commitment", 1)):
            assert DETECTORS[detector].count(recordings, competitor=known[1]) == found, detector
        assert DETECTORS["errors"].count(recordings, competitor="same") == 0


def test_what_a_world_brought_follows_from_its_tables(folder, recordings):
    world = play_recorded(folder / "third", "w0")
    again = worlds.recompute(recordings, 0, "w0")
    assert np.array_equal(again.profits, world.profits)
    assert np.array_equal(again.scores, world.scores)
    with pytest.raises(InputError, match="run 1 has no such world"):
        worlds.recompute(recordings, 1, "w0")


@pytest.mark.parametrize("by", [["1; DROP TABLE x"], "competitor", []])
def test_only_known_columns_are_grouped_by(recordings, by):
    with pytest.raises(InputError, match="by="):
        competitors.losses(recordings, by=by)


def test_many_threads_ask_at_once(recordings):
    with ThreadPoolExecutor(8) as threads:
        asked = list(threads.map(lambda _: len(worlds.scores(recordings)), range(40)))
    assert set(asked) == {12}

"""The acceptance dataset from logs: real worlds are played, logged, and read back; each trap of the logs has a test."""

from __future__ import annotations

import shutil
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from negmas.gb.common import ResponseType
from negmas.helpers.inout import save_table
from scml.oneshot.agents import GreedyOneShotAgent, SyncRandomOneShotAgent
from scml.oneshot.world import SCML2024OneShotWorld

from scml_gym.agents.dnb.dataset import join_records, read_dataset
from scml_gym.agents.dnb.generation import as_dataset, generate_dataset
from scml_gym.agents.dnb.logs import COLUMNS, find_logs, read_log, read_records
from scml_gym.agents.dnb.models import MODELS, AcceptanceModel
from scml_gym.agents.dnb.recording import RECORD_DTYPE, Records
from scml_gym.agents.dnb.records import MEMORY_DTYPE
from scml_gym.agents.dnb.replay import posterior_means
from scml_gym.agents.dnb.rules import Rules
from scml_gym.agents.dnb.strategy import dnb_player
from scml_gym.agents.dnb.tracking import TAKEN
from scml_gym.core.config import CONFIGS, merge, read_yaml, validate
from scml_gym.core.errors import InputError
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.view import OFFER, SELLER
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.log import OfferLog, record_world
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.global_rng import GlobalStreams
from tests.helpers.dnb_datasets import hyperparameters, in_order

DAYS, SEED = 12, 6
NAMES = ["greedy", "subset-strong", "single-agreement", "adaptive-price"]
NAMES += ["subset-plain", "subset-exact", "subset-population", "best-subset-random"]
"""Synchronous and asynchronous strategies on both levels; a seed with negotiations of all endings, also time-outs."""

SEEN: list[tuple[str, int, str, int, int]] = []
"""What the scml agents below needed: agent, day, partner, price, needs."""


class SyncWitness(SyncRandomOneShotAgent):
    """A synchronous agent that tells what it needed whenever it decided."""

    def needed(self):
        return self.awi.needed_sales if self.awi.is_first_level else self.awi.needed_supplies

    def tell(self, partner, offer, needs):
        if offer is not None:
            SEEN.append((self.id, self.awi.current_step, partner, offer[0], needs))

    def first_proposals(self):
        proposals = super().first_proposals()
        for partner, offer in proposals.items():
            if not self.awi.is_first_level:
                self.tell(partner, offer, self.needed())
        return proposals

    def counter_all(self, offers, states):
        before = dict(offers)
        answers = super().counter_all(offers, states)
        accepted = [p for p, a in answers.items() if a.response == ResponseType.ACCEPT_OFFER]
        for partner, answer in answers.items():
            if answer.response == ResponseType.REJECT_OFFER:
                self.tell(partner, answer.outcome, self.needed() - sum(before[p][0] for p in accepted))
        offers.clear()  # agents may do what they like with what they are given
        return answers


class AsyncWitness(GreedyOneShotAgent):
    """An asynchronous agent that tells what it needed whenever it offered."""

    def propose(self, negotiator_id, state, **_):
        offer = super().propose(negotiator_id, state)
        needs = self.awi.needed_sales if self.awi.is_first_level else self.awi.needed_supplies
        if offer is not None:
            SEEN.append((self.id, self.awi.current_step, negotiator_id, offer[0], needs))
        return offer


class Live:
    """A strategy whose offers are recorded as they are made, day by day."""

    def __init__(self, player, seed):
        self.records = Records(20, 1.0, seed)
        self.player, self.parts, self.synchronous = self.records.record(player), [], player.synchronous
        self.begin, self.act = self.player.begin, self.player.act

    def end_day(self, view):
        self.player.end_day(view)
        self.parts.append(self.records.take())


def play_live(names, seed, folder, days=DAYS):
    """Record a world; returns what its strategies recorded themselves."""
    players = [player_maker(name)(seed) for name in names]
    players = [Live(p, seed) if isinstance(p, StrategyPolicy) else p for p in players]
    record_world(compiled_spec(seed, days, len(names) // 2), players, names, folder, seed)
    return join_records([part for p in players if isinstance(p, Live) for part in p.parts], RECORD_DTYPE)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A logged world of strategies only, and what they recorded."""
    folder = tmp_path_factory.mktemp("logs") / "world"
    return folder, play_live(NAMES, SEED, folder)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A logged world with agents of scml, synchronous and not, what its strategies recorded, and what these saw."""
    SEEN.clear()
    names = [f"{__name__}:SyncWitness", "subset-strong", f"{__name__}:AsyncWitness", "scml:GreedyOneShotAgent"]
    names += ["subset-stubborn", f"{__name__}:SyncWitness", f"{__name__}:AsyncWitness", "greedy"]
    folder = tmp_path_factory.mktemp("logs") / "mixed"
    live = play_live(names, 4, folder)
    return folder, live, list(SEEN)


@pytest.fixture
def copied(world, tmp_path):
    """A copy of the logs, to be damaged."""
    return shutil.copytree(world[0], tmp_path / "copy")


def table(folder, name):
    return pd.read_parquet(folder / f"{name}.parquet")


@pytest.mark.slow
def test_logs_give_what_was_recorded_live(world, mixed):
    for folder, live, *_ in (world, mixed):
        log = read_log(folder)
        records = read_records(log)
        strategies = [i for i, family in enumerate(log.families) if ":" not in family]
        records = records[np.isin(records["factory"], strategies)]
        assert len(live) > 40 and np.array_equal(in_order(records), in_order(live))
    assert {0, 1} == set(live["sample"]["level"])


class Thinking:
    """D-NB, whose estimate of each offer is kept: (day, partner, index of the offer) -> mean."""

    synchronous = True

    def __init__(self, player):
        self.player, self.means = player, {}
        self.begin, self.end_day = player.begin, player.end_day

    def act(self, view):
        actions = self.player.act(view)
        partners = self.player.state.view(MEMORY_DTYPE)[0]["partners"]
        for k in np.flatnonzero(actions["response"] == OFFER):
            self.means[int(view["day"]), int(k), int(partners[k]["n_offers"]) - 1] = float(partners[k]["mean"])
        return actions


@pytest.mark.parametrize("updates", [False, True])
def test_what_is_computed_in_play_is_computed_from_logs(updates, tmp_path):
    """Features, a model's means and posterior means: of D-NB playing a real world, and of its logs afterwards."""
    kind, rng = MODELS.get("logistic"), np.random.default_rng(5)
    options = validate(kind.hyperparameters, {"penalty": 1.0, "iterations": 1})
    weights = {name: 0.4 * rng.normal(size=shape) for name, shape in kind.shapes(options).items()}
    model = AcceptanceModel.pack("logistic", options, weights, 6.0)
    rules = validate(
        Rules,
        merge(
            read_yaml(CONFIGS / "agent" / "dnb.yaml")["rules"], {"calibration": {"update": updates, "answered": 1.0}}
        ),
    )
    names = ["dnb", "greedy", "subset-stubborn", "dnb", "subset-strong", "random"]
    players = [Thinking(dnb_player(model, rules, 9)) if n == "dnb" else player_maker(n)(9) for n in names]
    record_world(compiled_spec(9, 10, 3), players, names, tmp_path / "log", 9)
    log = read_log(tmp_path / "log")
    dataset = as_dataset(read_records(log), 0, log.n_sellers, log.families)
    means = model.mean(dataset.samples)
    if updates:
        means = posterior_means(dataset, means, model.strength)
    means = np.where(dataset.table["proposer_family"] == "dnb", means, np.nan)
    keys = dataset.table[["proposer", "day", "partner", "offer_index"]].to_numpy().tolist()
    pairs = [(players[key[0]].means[tuple(key[1:])], m) for key, m in zip(keys, means, strict=True) if m == m]
    pairs = [pair for pair in pairs if pair[0] >= 0.0]  # an offer made for want of a better one was not estimated
    thought, computed = np.array(pairs).T
    assert len(pairs) > 30 and np.abs(thought - computed).max() < 1e-12
    assert np.ptp(thought) > 0.2


def test_needs_are_those_of_the_moment_of_the_decision(mixed):
    folder, _, seen = mixed
    log = read_log(folder)
    agents = table(folder, "factories").set_index("factory")["agent"]
    logged = Counter()
    for offer in log.offers:
        agent, partner = agents[int(offer["factory"])], agents[int(offer["partner"])]
        if "Witness" in log.families[offer["factory"]]:
            day = int(log.negotiations["day"][offer["negotiation"]])
            logged[agent, day, partner, int(offer["quantity"]), int(offer["needs"])] += 1
    assert sum(logged.values()) > 30
    assert not logged - Counter(seen)  # agents also decide on offers that no negotiation asks for any more


def test_needs_at_the_end_of_a_negotiation_are_others(world):
    """Trap: ``needed_*`` of the logs is written when the negotiation is over."""
    folder, _ = world
    negs = table(folder, "negs").sort_values(["sim_step", "id"], ignore_index=True)
    log = read_log(folder)
    sellers = log.offers[log.offers["factory"] < log.n_sellers]
    at_the_end = negs["needed_sales1"].to_numpy()[sellers["negotiation"]]
    assert (at_the_end != sellers["needs"]).mean() > 0.1


def test_sender_is_the_partner(world):
    """Trap: of scml's two ways of saying who offered, ``sender`` names who was offered to."""
    actions, agents = table(world[0], "actions"), table(world[0], "agents").set_index("id")["name"]
    assert (actions["sender"] == agents[actions["receiver_agent_id"]].to_numpy()).all()
    log = read_log(world[0])
    first = log.negotiations["first"][log.negotiations["offers"] > 0]
    assert (log.offers["factory"][first] >= log.n_sellers).all()  # the buyer speaks first


def test_a_standing_offer_is_read_once(world):
    """Trap: each pass in which a synchronous agent waits logs the standing offer again."""
    actions, log = table(world[0], "actions").sort_values(["neg_id", "id"]), read_log(world[0])
    identity = ["neg_id", "sender_agent_id", "quantity", "unit_price"]
    again = (actions[identity] == actions[identity].shift()).all(axis=1)
    assert again.sum() > 10
    assert len(log.offers) < len(actions) - again.sum() + 1
    same = np.diff(log.offers["negotiation"]) == 0
    assert (np.diff(log.offers["factory"])[same] != 0).all()  # the two sides take turns


def test_offers_logged_again_by_a_time_out_are_read_once(world):
    """Trap: the step that finds the rounds over logs both offers of the last round again."""
    actions, negs, log = table(world[0], "actions"), table(world[0], "negs"), read_log(world[0])
    late = negs[negs["timedout"]]
    assert len(late) > 0
    assert (actions[actions["neg_id"].isin(late["id"])]["state"] == "timedout").sum() == 2 * len(late)
    assert log.negotiations["offers"].max() == 2 * 20
    assert (log.negotiations["offers"][log.negotiations["timed_out"] != 0] == 40).all()


def test_offers_without_an_explicit_answer_give_no_sample(world):
    log = read_log(world[0])
    records = read_records(log)
    ended = (log.negotiations["agreed"] == 0) & (log.negotiations["offers"] > 0)
    late = log.negotiations["timed_out"] != 0
    assert (ended & ~late).any() and (ended & late).any()
    # the answer to the buyer's last offer before a time-out comes when the buyer is asked no more
    assert len(log.offers) - len(records) == np.sum(ended & ~late) + 2 * np.sum(late)


def test_state_is_no_label(world):
    """Trap: rows that were rejected and rows that were accepted both stand as "continuing"."""
    actions, log = table(world[0], "actions"), read_log(world[0])
    agreed = actions["neg_id"].map(table(world[0], "negs").set_index("id")["has_agreement"])
    assert (agreed & (actions["state"] == "continuing")).any()
    records = read_records(log)
    assert (records["answer"] == TAKEN).sum() == log.negotiations["agreed"].sum()


def test_accepted_offers_are_the_contracts_of_the_world_that_was_not_logged(world):
    records = read_records(read_log(world[0]))
    taken = records[records["answer"] == TAKEN]
    reference = ReferenceWorld(compiled_spec(SEED, DAYS, 4), [player_maker(n)(SEED) for n in NAMES], SEED)
    reference.run()
    offers = []
    for row in taken:
        own, other = int(row["factory"]), int(row["partner"]) + (4 if row["sample"]["level"] == SELLER else 0)
        offer = int(row["sample"]["quantity"]), int(row["sample"]["price"])
        offers.append((int(row["sample"]["day"]), min(own, other), max(own, other), *offer))
    assert sorted(offers) == sorted(map(tuple, reference.contracts.tolist()))


def test_ranges_are_read_from_texts(world, copied):
    """Trap: the ranges of offers stand as texts in ``issues``."""
    log = read_log(world[0])
    assert (log.offers["price"] >= log.views["min_price"][log.negotiations["day"][log.offers["negotiation"]], 0]).all()
    assert (log.offers["price"] <= log.views["max_price"][log.negotiations["day"][log.offers["negotiation"]], 0]).all()
    negotiations = table(copied, "negotiations")
    assert "unit_price: (" in negotiations["issues"].iloc[0]
    negotiations["issues"] = "quantity only"
    negotiations.to_parquet(copied / "negotiations.parquet")
    with pytest.raises(InputError, match="'quantity only' are no issues with a range of unit prices"):
        read_log(copied)


def test_a_share_keeps_all_offers_of_some_pairs(world):
    log = read_log(world[0])
    whole, some = read_records(log), read_records(log, 0.5, (1, 2))
    drawn = {(f, p) for f, p in zip(some["factory"], some["partner"], strict=True)}
    mask = [(f, p) in drawn for f, p in zip(whole["factory"], whole["partner"], strict=True)]
    assert np.array_equal(some, whole[mask]) and 0 < len(some) < len(whole)
    assert not np.array_equal(some, read_records(log, 0.5, (1, 3)))


def test_tables_may_be_csv(copied, world):
    for name in COLUMNS:
        table(copied, name).to_csv(copied / f"{name}.csv", index=False)
        (copied / f"{name}.parquet").unlink()
    assert np.array_equal(read_records(read_log(copied)), read_records(read_log(world[0])))


def test_the_official_world_is_read_too(tmp_path):
    """Logs of scml's own world, unchanged but for what is recorded live."""

    class Official(SCML2024OneShotWorld):
        def __init__(self, *args, **kwargs):
            self.log = OfferLog(self)
            super().__init__(*args, **kwargs)

        def simulation_step(self, stage=0):
            super().simulation_step(stage)
            if stage == 0:
                self.log.begin_day()

        def on_negotiation_stepped(self, info):
            before = len(self._offer_info)
            super().on_negotiation_stepped(info)
            self.log.stepped(info.mechanism, before)

        def on_contract_concluded(self, contract, to_be_signed_at):
            super().on_contract_concluded(contract, to_be_signed_at)
            self.log.agree(contract)

    with GlobalStreams(3).active():
        kinds = [GreedyOneShotAgent, SyncRandomOneShotAgent]
        config = Official.generate(agent_types=kinds, n_steps=4, n_agents_per_process=3, random_agent_types=True)
        world = Official(**config, log_folder=tmp_path, neg_time_limit=1000, name="official")
        world.run()
    save_table(list(world._saved_negotiations.values()), tmp_path / "negotiations.csv")
    world.log.save(tmp_path, [f"player {i}" for i in range(6)], None)
    records = read_records(read_log(tmp_path))
    contracts = [c for c in world.saved_contracts if "SELLER" not in c["seller_name"] + c["buyer_name"]]
    contracts = [c for c in contracts if c["signed_at"] >= 0 and "BUYER" not in c["seller_name"] + c["buyer_name"]]
    taken = records[records["answer"] == TAKEN]["sample"]
    logged = zip(taken["day"].tolist(), taken["quantity"].tolist(), taken["price"].tolist(), strict=True)
    signed = [(c["delivery_time"], c["quantity"], c["unit_price"]) for c in contracts]
    assert sorted(logged) == sorted(signed) and len(signed) > 5


def test_a_real_dataset_can_be_made_again_from_its_logs(tmp_path):
    made = hyperparameters(source="real", worlds=2, days=4, factories_per_level=2)
    generate_dataset(made, 3, tmp_path / "real")
    real = read_dataset(tmp_path / "real")
    assert [p.name for p in find_logs(tmp_path / "real" / "logs")] == ["world-00000", "world-00001"]
    logs = hyperparameters(source="logs", worlds=5, logs=[str(tmp_path / "real" / "logs")])
    generate_dataset(logs, 3, tmp_path / "again")
    again = read_dataset(tmp_path / "again")
    assert len(real) > 50 and np.array_equal(real.samples, again.samples)
    pd.testing.assert_frame_equal(real.table, again.table)
    generate_dataset(hyperparameters(worlds=2, days=4, factories_per_level=2), 3, tmp_path / "compiled")
    compiled = read_dataset(tmp_path / "compiled")  # the same worlds and players in machine code
    columns = ["world", "day", "proposer", "partner", "offer_index"]
    order, other = (np.lexsort(d.table[columns].to_numpy().T[::-1]) for d in (real, compiled))
    assert np.array_equal(real.samples[order], compiled.samples[other])
    assert np.array_equal(real.accepted[order], compiled.accepted[other])
    assert find_logs(tmp_path / "real" / "logs" / "world-00001") == [tmp_path / "real" / "logs" / "world-00001"]

"""The learner of clones: what it records, what it fits, how it goes on, and whom it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from negmas import ResponseType, SAOResponse
from scml.oneshot import OneShotSyncAgent

from scml_gym.agents.clones.examples import examples_of
from scml_gym.agents.clones.fitting import fit_choice, log_loss
from scml_gym.agents.clones.generation import clone_key
from scml_gym.agents.clones.recording import Recording, record_world
from scml_gym.agents.training import start
from scml_gym.core.errors import InputError
from scml_gym.oneshot.clones.files import CloneFile
from scml_gym.oneshot.clones.layout import CHOICES, LEVEL_SIZE
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.view import ACCEPT, BUYER, NOOP, OFFER, SELLER
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.reference import ReferenceWorld

KNOWN = CloneFile("known", np.random.default_rng(5).normal(0, 0.7, (2, LEVEL_SIZE)).astype(np.float32))
"""A policy whose weights are known."""

SMALL = ["agent.worlds=3", "agent.days=4", "agent.factories_per_level=4", "agent.others={greedy: 1}"]


@pytest.fixture(scope="module")
def recordings():
    """Worlds that the known policy played with itself."""
    specs = [compiled_spec(seed, 20, (3, 5)) for seed in range(60)]
    return [
        record_world(CompiledWorld(spec, [KNOWN.player(seed)] * spec.n_factories), ["known"] * spec.n_factories)
        for seed, spec in enumerate(specs)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("level", [SELLER, BUYER])
def test_a_known_policy_is_found_again(recordings, level):
    learnt, unseen = (examples_of(part, "known", level) for part in (recordings[:45], recordings[45:]))
    for name, choice in CHOICES.items():
        weights = np.zeros(LEVEL_SIZE)
        weights[choice.first : choice.first + choice.size] = fit_choice(choice, learnt[name], 1.0, 200)
        true = KNOWN.weights[level].astype(np.float64)
        found, blind = log_loss(choice, weights, unseen[name])
        least = log_loss(choice, true, unseen[name])[0]
        assert len(unseen[name].chosen) > 100
        assert least - 0.02 < found < least + 0.2 * (blind - least), name


def test_a_policy_that_is_told_beforehand_chooses_what_is_recorded(recordings):
    """What is written as chosen are the choices that the known policy drew, so its own weights expect them best."""
    true = KNOWN.weights[BUYER].astype(np.float64)
    examples = examples_of(recordings, "known", BUYER)
    for name, choice in CHOICES.items():
        other = np.where(np.arange(LEVEL_SIZE) % 2 == 0, true, 0.0)
        assert log_loss(choice, true, examples[name])[0] < log_loss(choice, other, examples[name])[0]


def test_a_recording_is_read_as_it_was_written(recordings, tmp_path):
    recordings[0].save(tmp_path / "r.npz")
    again = Recording.load(tmp_path / "r.npz")
    for name, part in vars(recordings[0]).items():
        np.testing.assert_array_equal(getattr(again, name), part)
    arrays = dict(np.load(tmp_path / "r.npz")) | {"schema": np.array("other")}
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(InputError, match="has the schema 'other'; 'scml-gym-decisions-1' is needed"):
        Recording.load(tmp_path / "odd.npz")


class Yesterdays(OneShotSyncAgent):
    """As a buyer it first asks everyone for two items, the first partner for yesterday; as a seller it takes all."""

    def first_proposals(self):
        price = self.awi.current_input_issues[2].min_value
        day = self.awi.current_step
        return {p: (2, day - 1 if i == 0 else day, price) for i, p in enumerate(sorted(self.negotiators))}

    def counter_all(self, offers, states):
        return {p: SAOResponse(ResponseType.ACCEPT_OFFER, offers[p]) for p in offers}


def test_what_an_agent_answers_is_recorded_and_an_offer_for_another_day_is_none():
    spec = compiled_spec(4, 2, 3)
    name = f"{__name__}:Yesterdays"
    recording = record_world(ReferenceWorld(spec, [player_maker(name)(1)] * 6, 1), [name] * 6)
    level = recording.views["level"]
    responses = recording.actions["response"]
    assert (responses[level == BUYER].max(axis=0)[:3] == [NOOP, OFFER, OFFER]).all()
    turn = recording.views["partners"]["my_turn"][level == SELLER] != 0
    assert (responses[level == SELLER][turn] == ACCEPT).all()
    assert len(recording.contracts) == 2 * 3 * 2 and (recording.contracts["quantity"] == 2).all()


def test_a_run_folder_records_fits_and_plays(tmp_path):
    run = start("clone", ["agent.agents=[best-subset]", *SMALL], out=tmp_path / "run")
    assert run.step == 1 and len(list((run.path / "recordings").glob("*.npz"))) == 3
    row = run.curve()[0]
    assert 0 < float(row["seller_set"]) < float(row["blind_seller_set"])
    for make in (player_maker, CompiledWorld.player_maker):
        player = make(str(run.path))(3)
        assert np.array_equal(player.parameters, make(str(run.path / "clones/own/best-subset.npz"))(3).parameters)


def test_a_run_folder_of_several_clones_names_their_files(tmp_path):
    agents = "agent.agents=[best-subset, scml:EqualDistOneShotAgent]"
    run = start("clone", [agents, *SMALL, "agent.worlds=2", "agent.others={}"], out=tmp_path / "run")
    with pytest.raises(InputError) as refused:
        player_maker(str(run.path))(0)
    assert str(refused.value) == (
        "it holds 2 clones; name the file of one, in the run folder: clones/own/best-subset.npz, "
        "clones/scml/EqualDistOneShotAgent.npz"
    )
    assert all((run.path / "clones" / f"{clone_key(name)}.npz").is_file() for name in ("own:best-subset",))


REFUSED = {
    "asynchronous": (
        ["agent.agents=[scml:GreedyOneShotAgent]"],
        "'scml:GreedyOneShotAgent' answers each negotiation by itself; valid: players that answer all together",
    ),
    "one by one after all": (["agent.agents=[scml:GreedySyncAgent]"], "answers each negotiation by itself"),
    "a strategy": (["agent.agents=[boulware]"], "'boulware' answers each negotiation by itself"),
    "another track": (["agent.agents=[scml:GreedyStdAgent]"], "is an agent of the Standard track"),
    "a misspelt one": (["agent.agents=[scml:EqualDistOneShotAgen]"], "did you mean 'EqualDistOneShotAgent'?"),
    "twice": (["agent.agents=[best-subset, best-subset]"], "would be the same clone; valid: each once"),
    "nobody": (["agent.agents=[]"], "agent.agents"),
    "a misspelt other": (["agent.others={gredy: 1}"], "did you mean 'greedy'?"),
    "worlds of its own": (["env.days=3"], "clones learn from real worlds, env has an id only"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_who_cannot_be_recorded_is_refused_in_a_line(case, tmp_path):
    options, told = REFUSED[case]
    with pytest.raises(InputError) as refused:
        start("clone", ["agent.agents=[best-subset]", *SMALL, *options], out=tmp_path / "run")
    assert told in str(refused.value) and "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()

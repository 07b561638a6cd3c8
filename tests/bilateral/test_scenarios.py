"""Scenarios: equation (1) on every outcome, files, imports, and one line for what is wrong."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negmas.inout import Scenario as NegmasScenario
from negmas.outcomes import make_issue, make_os
from negmas.preferences import AffineFun, LinearAdditiveUtilityFunction, MappingUtilityFunction

from scml_gym.bilateral.scenarios import (
    SCENARIOS,
    AdditiveProfile,
    Scenario,
    TabulatedProfile,
    load_scenario,
    random_scenario,
    write_scenario,
)
from scml_gym.bilateral.scenarios.importing import from_negmas
from scml_gym.core.errors import InputError

DOMAIN = """<negotiation_template><utility_space number_of_issues="3">
<objective index="0" etype="objective" type="objective" description="" name="Laptop">
<issue etype="discrete" index="1" name="Laptop" type="discrete" vtype="discrete">
<item index="1" value="Dell"/><item index="2" value="Macintosh"/><item index="3" value="HP"/></issue>
<issue etype="integer" index="2" name="Years" type="integer" vtype="integer" lowerbound="1" upperbound="4">
<range lowerbound="1" upperbound="4"/></issue>
<issue etype="discrete" index="3" name="Screen" type="discrete" vtype="discrete">
<item index="1" value="19"/><item index="2" value="20"/></issue>
</objective></utility_space></negotiation_template>"""
SIDE = """<utility_space number_of_issues="3">
<objective index="0" etype="objective" type="objective" description="" name="any">
<issue index="1" etype="discrete" type="discrete" vtype="discrete" name="Laptop">
<item index="3" value="HP" evaluation="5"/><item index="1" value="Dell" evaluation="7"/>
<item index="2" value="Macintosh" evaluation="10"/></issue>
<issue index="2" etype="integer" type="integer" vtype="integer" name="Years" lowerbound="1" upperbound="4">
<evaluator ftype="linear" slope="2" offset="1"></evaluator><range lowerbound="1" upperbound="4"/></issue>
<issue index="3" etype="discrete" type="discrete" vtype="discrete" name="Screen">
<item index="1" value="19" evaluation="3"/><item index="2" value="20" evaluation="4"/></issue>
<weight index="1" value="{0}"/><weight index="2" value="{1}"/><weight index="3" value="{2}"/></objective>
<discount_factor value="0.8"/><reservation value="0.3"/></utility_space>"""
EVALUATIONS = ({"Dell": 7, "Macintosh": 10, "HP": 5}, {1: 3, 2: 5, 3: 7, 4: 9}, {"19": 3, "20": 4})


def genius_folder(folder, *weights):
    """A Genius domain with a side for each triple of weights."""
    folder.mkdir()
    (folder / "laptop-domain.xml").write_text(DOMAIN)
    for i, triple in enumerate(weights):
        (folder / f"laptop-side-{i}.xml").write_text(SIDE.format(*triple))
    return folder


def literal(scenario, profile):
    """Equation (1), written out."""
    side = scenario.profiles[profile]
    return [
        sum(w * e[i] / max(e) for w, e, i in zip(side.weights, side.evaluations, positions, strict=True))
        for positions in itertools.product(*map(range, scenario.shape))
    ]


def assert_like_negmas(scenario):
    negmas = scenario.to_negmas()
    outcomes = list(negmas.outcome_space.enumerate())
    assert len(outcomes) == scenario.n_outcomes
    assert [scenario.outcome(i) for i in range(len(outcomes))] == outcomes
    assert [scenario.index(outcome) for outcome in outcomes] == list(range(len(outcomes)))
    for profile, ufun in enumerate(negmas.ufuns):
        ours = scenario.utilities(profile)
        assert ours.min() >= 0 and ours.max() <= 1
        np.testing.assert_allclose(ours, [float(ufun(outcome)) for outcome in outcomes], rtol=0, atol=1e-12)
        assert ufun.reserved_value == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_registered_scenarios_are_equation_1_on_every_outcome(name):
    scenario = load_scenario(name)
    assert scenario.name == name and len(scenario.profiles) == 2
    for profile in range(2):
        np.testing.assert_allclose(scenario.utilities(profile), literal(scenario, profile), rtol=0, atol=1e-12)
    assert_like_negmas(scenario)


@pytest.mark.parametrize(
    ("name", "sides", "outcomes", "best"),
    [
        ("EnglandZimbabwe", ["England", "Zimbabwe"], 576, [0.4503, 0.4980]),
        ("Party", ["party1", "party2"], 3072, [0.2969, 0.6583]),
    ],
)
def test_the_two_domains_of_the_paper(name, sides, outcomes, best):
    """The last figures are measured on the originals: what a side gets of the other's best outcome."""
    scenario = load_scenario(name)
    first, second = scenario.utilities(0), scenario.utilities(1)
    assert [p.name for p in scenario.profiles] == sides and scenario.n_outcomes == outcomes
    assert [round(second[first.argmax()], 4), round(first[second.argmax()], 4)] == best


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(2, 4))
def test_random_scenarios(seed, issues, values):
    scenario = random_scenario(np.random.default_rng(seed), issues=(1, issues), values=(1, values))
    assert scenario == random_scenario(np.random.default_rng(seed), issues=(1, issues), values=(1, values))
    assert_like_negmas(scenario)


def test_files_come_back_as_they_were_written(tmp_path):
    for name in SCENARIOS:
        path = tmp_path / f"{name}.yaml"
        write_scenario(load_scenario(name), path)
        assert load_scenario(path) == load_scenario(name)
    with pytest.raises(InputError, match="'x' is not additive"):
        table = TabulatedProfile("x", np.array([0.0, 1.0]))
        write_scenario(Scenario("s", {"i": ("a", "b")}, (table,)), tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("name", "message"),
    [("there.yaml", "exists already"), (".", "exists already"), ("no/x.yaml", "cannot be written: No such file")],
)
def test_scenarios_are_written_to_new_files_only(name, message, tmp_path):
    (tmp_path / "there.yaml").write_text("precious")
    with pytest.raises(InputError, match=message) as error:
        write_scenario(load_scenario("Party"), tmp_path / name)
    assert "\n" not in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["there.yaml"]
    assert (tmp_path / "there.yaml").read_text() == "precious"


def test_what_is_left_behind_of_a_genius_folder_is_said(tmp_path):
    folder = genius_folder(tmp_path / "Laptop", (0.5, 0.3, 0.2), (0.2, 0.3, 0.5))
    with pytest.warns(UserWarning) as said:
        load_scenario(folder)
    lines = sorted(str(warning.message) for warning in said)
    assert len(lines) == 3 and "discounts are left behind" in lines[0]
    assert "profile 'laptop-side-0': the reserved value 0.3 is left behind" in lines[1]


def test_a_missing_evaluation_names_folder_profile_and_issue(tmp_path):
    folder = genius_folder(tmp_path / "Laptop", (0.5, 0.3, 0.2))
    side = folder / "laptop-side-0.xml"
    side.write_text(side.read_text().replace('<item index="3" value="HP" evaluation="5"/>', ""))
    with pytest.raises(InputError, match=r"Laptop: profile 'laptop-side-0': issue 'Laptop' has no evaluation of 'HP'"):
        load_scenario(folder)


def test_genius_folders_get_equation_1_which_negmas_alone_does_not_give(tmp_path):
    folder = genius_folder(tmp_path / "Laptop", (0.5, 0.3, 0.2), (0.2, 0.3, 0.5))
    scenario = load_scenario(folder)
    assert scenario.name == "Laptop" and scenario.shape == (3, 4, 2)
    for profile, weights in enumerate([(0.5, 0.3, 0.2), (0.2, 0.3, 0.5)]):
        for i, utility in enumerate(scenario.utilities(profile)):
            parts = zip(weights, EVALUATIONS, scenario.outcome(i), strict=True)
            assert utility == pytest.approx(sum(w * e[v] / max(e.values()) for w, e, v in parts))
    assert_like_negmas(scenario)
    raw = NegmasScenario.load(folder)
    assert max(float(raw.ufuns[0](scenario.outcome(i))) for i in range(24)) > 1
    rescaled = NegmasScenario.load(folder).normalize()
    assert min(float(rescaled.ufuns[0](scenario.outcome(i))) for i in range(24)) < scenario.utilities(0).min() - 0.1


def test_what_negmas_wrote_is_read(tmp_path):
    scenario = load_scenario("EnglandZimbabwe")
    scenario.to_negmas().dumpas(tmp_path / "yml")
    scenario.to_negmas().to_genius_folder(tmp_path / "xml")
    for kind in ("yml", "xml"):
        read = load_scenario(tmp_path / kind)
        assert [p.name for p in read.profiles] == ["England", "Zimbabwe"] and dict(read.issues) == dict(scenario.issues)
        for profile in range(2):
            np.testing.assert_allclose(read.utilities(profile), scenario.utilities(profile), rtol=0, atol=1e-12)


def test_other_utility_functions_are_tabulated():
    space = make_os([make_issue(2, "a"), make_issue(2, "b")], name="small")
    worth = dict(zip(space.enumerate(), [0.0, 4.0, 1.0, 2.0], strict=True))
    scenario = from_negmas(NegmasScenario(space, (MappingUtilityFunction(worth, outcome_space=space),)))
    assert scenario.utilities(0).tolist() == [0, 1, 0.25, 0.5] and scenario.name == "small"
    assert_like_negmas(scenario)
    falling = LinearAdditiveUtilityFunction(
        [AffineFun(-0.5, 0.0), AffineFun(1.0, 0.0)], weights=[0.5, 0.5], outcome_space=space
    )
    with pytest.raises(InputError, match=r"-0\.25 is not a utility"):
        from_negmas(NegmasScenario(space, (falling,)))


def test_rounded_weights_are_divided_by_their_sum_and_said(tmp_path):
    folder = genius_folder(tmp_path / "rounded", (0.33, 0.33, 0.33))
    with pytest.warns(UserWarning, match=r"the weights sum to 0\.99"):
        scenario = load_scenario(folder)
    assert scenario.utilities(0).max() == pytest.approx(1)


def test_what_cannot_be_imported(tmp_path):
    with pytest.raises(InputError, match=r"the weights sum to 1\.3; valid: 1"):
        load_scenario(genius_folder(tmp_path / "wrong", (0.5, 0.5, 0.3)))
    with pytest.raises(InputError, match="no scenario that negmas can read"):
        load_scenario(tmp_path)
    space = make_os([make_issue((0.0, 1.0), "price")], name="fluid")
    with pytest.raises(InputError, match="'price' is continuous"):
        from_negmas(NegmasScenario(space, ()))
    space = make_os([make_issue(1000, "a"), make_issue(6000, "b")], name="huge")
    with pytest.raises(InputError, match="6000000 outcomes"):
        from_negmas(NegmasScenario(space, ()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("weight: 1", "weight: 0.9"), r"s\.yaml: profile 'one': the weights sum to 0\.9; valid: 1"),
        (("[1, 2]", "[1, 2, 3]"), "profile 'one' does not have a figure for each value"),
        (("[1, 2]", "[1]"), "profile 'one' does not have a figure for each value"),
        (("[1, 2]", "[0, 0]"), "no value of issue 'colour' has an evaluation above 0"),
        (("[1, 2]", "[1, '2']"), "'2' is not valid"),
        (("weight: 1", "weight: true"), "True is not valid"),
        (("[a, b]", "[a, 2024-01-01]"), "is not valid"),
        (("[1, 2]", "[1, -2]"), "-2.0 is not a weight or an evaluation"),
        (("[a, b]", "[a, a]"), "issue 'colour' needs values, each once"),
        (("[a, b]", "[a, No]"), "False is not valid"),
        (("    colour", "    color"), r"profiles\.one: issues \['color'\]; valid: \['colour'\]"),
        (("profiles", "profile"), "profile: unknown key; did you mean 'profiles'"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, change, message):
    text = "name: s\nissues:\n  colour: [a, b]\nprofiles:\n  one:\n    colour: {weight: 1, evaluations: [1, 2]}\n"
    path = tmp_path / "s.yaml"
    path.write_text(text)
    assert load_scenario(path).utilities(0).tolist() == [0.5, 1]
    path.write_text(text.replace(*change))
    with pytest.raises(InputError, match=message) as error:
        load_scenario(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda s: load_scenario("Partie"),
            "unknown scenario 'Partie', and no file or folder; did you mean 'Party'\\?$",
        ),
        (lambda s: s.outcome(3072), "outcome 3072 is outside scenario 'Party'; valid: 0 to 3071"),
        (lambda s: s.outcome(-1), "outcome -1 is outside"),
        (lambda s: s.index(("DJ",)), r"outcome \('DJ',\) is outside scenario 'Party': it has 6 issues"),
        (
            lambda s: s.index((*s.outcome(0)[:5], "Hired Hel")),
            "Cleanup has no value 'Hired Hel'; did you mean 'Hired H",
        ),
        (lambda s: s.utilities(2), "has no profile 2; valid: 0 to 1"),
        (lambda s: AdditiveProfile("x", (0.5, 0.4), ((1.0,), (1.0,))), "profile 'x': the weights sum to 0.9"),
        (lambda s: AdditiveProfile("x", (1.0,), ((1.0,), (1.0,))), "1 weights for the evaluations of 2 issues"),
        (lambda s: random_scenario(np.random.default_rng(0), issues=(3, 2)), r"issues=\(3, 2\); valid: two whole"),
        (lambda s: s.index(3), "outcome 3 is outside scenario 'Party'"),
        (lambda s: s.utilities(0.0), r"has no profile 0\.0; valid: 0 to 1"),
        (lambda s: TabulatedProfile("x", (0.5, 2.0)), "2.0 is not a utility"),
        (lambda s: load_scenario("random"), r"random_scenario\(rng\) draws one"),
        *((lambda s, name=name: load_scenario(name), "is no scenario; valid: a name") for name in ("", None, 3)),
        (lambda s: Scenario("s", {"i": ("a", "b")}, (AdditiveProfile("x", (1.0,), ((1.0,),)),)), "for each value"),
        (lambda s: Scenario("s", {"i": ("a",)}, (AdditiveProfile("x", (0.5, 0.5), ((1.0,), (1.0,))),)), "for each"),
    ],
)
def test_bad_input_is_one_line(ask, message):
    with pytest.raises(InputError, match=message) as error:
        ask(load_scenario("Party"))
    assert "\n" not in str(error.value)

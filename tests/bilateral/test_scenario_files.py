"""What is written is read back equal, or refused in one line; and a profile prefers something, however it comes in."""

import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from negmas.inout import Scenario as NegmasScenario
from negmas.outcomes import make_issue, make_os
from negmas.preferences import LinearAdditiveUtilityFunction, MappingUtilityFunction

from scml_gym.bilateral.scenarios import (
    AdditiveProfile,
    Scenario,
    TabulatedProfile,
    load_scenario,
    random_scenario,
    write_scenario,
)
from scml_gym.bilateral.scenarios.importing import from_negmas
from scml_gym.core.data_files import dump_yaml, parse_yaml
from scml_gym.core.errors import InputError

ODD = ["yes", "No", "1", "1e-4", "1.5", "null", "~", ":", "a: b", "- x", "#", "'", '"', "<<", "=", "2024-01-01", "é"]
ODDER = ["", " a ", "a\nb", "\t", "\r", "雪", "🎲", "\x85", "\u2028", "\ufeff", "\x00"]
TEXTS = st.one_of(st.sampled_from(ODD + ODDER), st.text())
VALUES = st.one_of(TEXTS, st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def scenarios(draw):
    """Scenarios with any names and values."""
    issues = draw(st.dictionaries(TEXTS, st.lists(VALUES, min_size=2, max_size=4, unique=True), min_size=1, max_size=3))
    sides = []
    for name in draw(st.lists(TEXTS, min_size=1, max_size=2, unique=True)):
        shares = [draw(st.integers(1, 9)) for _ in issues]
        evaluations = tuple(
            (0.0, *draw(st.lists(st.floats(1e-3, 1e6), min_size=len(values) - 1, max_size=len(values) - 1)))
            for values in issues.values()
        )
        sides.append(AdditiveProfile(name, tuple(share / sum(shares) for share in shares), evaluations))
    return Scenario(draw(TEXTS), {issue: tuple(values) for issue, values in issues.items()}, tuple(sides))


def kinds(scenario):
    return [[(type(value), value) for value in values] for values in scenario.issues.values()]


def one_line(call, message):
    with pytest.raises(InputError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def small(value="a", name="s", issue="i", profile="one"):
    return Scenario(name, {issue: (value, "other")}, (AdditiveProfile(profile, (1.0,), ((1.0, 2.0),)),))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(scenarios())
@example(small("1e-4", "yes", "null", "1.5"))
def test_whatever_is_written_is_read_back_equal(tmp_path_factory, scenario):
    path = tmp_path_factory.mktemp("odd") / "s.yaml"
    try:
        write_scenario(scenario, path)
    except InputError as error:
        assert "YAML would change one of its texts" in str(error) and not path.exists()
        return
    read = load_scenario(path)
    assert read == scenario and list(read.issues) == list(scenario.issues) and kinds(read) == kinds(scenario)
    for profile in range(len(scenario.profiles)):
        assert read.utilities(profile).tolist() == scenario.utilities(profile).tolist()


@pytest.mark.parametrize("text", [*ODD, " a ", "a\nb", "\t", "🎲", "Party v1.2", "Mr. A. Smith", "", "x" * 300])
def test_ordinary_and_odd_texts_are_written_wherever_they_stand(text, tmp_path):
    scenario = small(text, text, text, text)
    write_scenario(scenario, tmp_path / "s.yaml")
    assert load_scenario(tmp_path / "s.yaml") == scenario


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_drawn_scenarios_are_read_back_equal(tmp_path_factory, seed):
    scenario, path = random_scenario(np.random.default_rng(seed)), tmp_path_factory.mktemp("drawn") / "s.yaml"
    write_scenario(scenario, path)
    assert load_scenario(path) == scenario


def test_imported_integer_issues_are_read_back_equal(tmp_path):
    space = make_os([make_issue(["x", "y"], "a"), make_issue(3, "b"), make_issue((2, 4), "c")], name="numbers")
    values = {"a": {"x": 1, "y": 4}, "b": {0: 3, 1: 2, 2: 1}, "c": {2: 1, 3: 5, 4: 2}}
    ufun = LinearAdditiveUtilityFunction(values, weights=[0.5, 0.3, 0.2], outcome_space=space, name="u")
    scenario = from_negmas(NegmasScenario(outcome_space=space, ufuns=(ufun,)))
    write_scenario(scenario, tmp_path / "s.yaml")
    read = load_scenario(tmp_path / "s.yaml")
    assert read == scenario and read.issues["b"] == (0, 1, 2) and read.issues["c"] == (2, 3, 4)
    assert kinds(read) == kinds(scenario) and read.utilities(0).tolist() == scenario.utilities(0).tolist()


def test_numbers_of_numpy_are_those_of_python(tmp_path):
    weights, evaluations = tuple(np.array([0.25, 0.75])), (tuple(np.array([1, 2])), tuple(np.float32([3, 1])))
    issues = {"i": tuple(np.array([1, 2])), "j": tuple(np.array(["p", "q"]))}
    scenario = Scenario("s", issues, (AdditiveProfile("x", weights, evaluations),))
    assert scenario.issues == {"i": (1, 2), "j": ("p", "q")} and type(scenario.issues["i"][0]) is int
    write_scenario(scenario, tmp_path / "s.yaml")
    assert load_scenario(tmp_path / "s.yaml") == scenario


@pytest.mark.parametrize("value", [True, None, float("inf"), ("a", "b"), b"x"])
def test_values_that_the_format_lacks_are_refused(value, tmp_path):
    one_line(lambda: write_scenario(small(value), tmp_path / "s.yaml"), "issue 'i': .* cannot be written; valid: texts")
    assert list(tmp_path.iterdir()) == []


def test_the_order_of_the_issues_belongs_to_a_scenario():
    side = AdditiveProfile("x", (0.5, 0.5), ((1.0, 2.0), (1.0, 2.0)))
    first, second = ({k: ("p", "q") for k in names} for names in (("a", "b"), ("b", "a")))
    assert Scenario("s", first, (side,)) == Scenario("s", dict(first), (side,))
    assert Scenario("s", first, (side,)) != Scenario("s", second, (side,))


def test_texts_that_look_like_numbers_stay_texts_in_yaml():
    for text in ("1e-4", "1E5", "-3.e2", "yes", "1_000", "0x1f"):
        assert parse_yaml(dump_yaml({text: text})) == {text: text}
    assert parse_yaml(yaml.safe_dump("1e-4")) == 1e-4


X, Y = AdditiveProfile("x", (1.0,), ((1.0, 2.0),)), AdditiveProfile("x", (1.0,), ((2.0, 1.0),))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Scenario("s", {"i": ("a", "b")}, (X, Y)), "scenario 's': 2 profiles have the name 'x'"),
        (lambda: Scenario(3, {"i": ("a", "b")}, (X,)), "3 is not a name; valid: a text"),  # type: ignore[arg-type]
        (lambda: Scenario("s", {1: ("a", "b")}, (X,)), "1 is not a name; valid: a text"),  # type: ignore[dict-item]
        (lambda: Scenario("s", {"i": (float("nan"), "b")}, (X,)), "issue 'i' needs values, each once"),
        (lambda: Scenario("s", {"i": (1, True)}, (X,)), "issue 'i' needs values, each once"),
        (lambda: AdditiveProfile("x", ("1",), ((1.0,),)), "'1' is not a weight or an evaluation"),  # type: ignore
        (lambda: AdditiveProfile("x", (True,), ((1.0,),)), "True is not a weight or an evaluation"),
        (lambda: AdditiveProfile("x", (1.0,), ((float("nan"),),)), "nan is not a weight or an evaluation"),
        (lambda: AdditiveProfile("x", (1.0,), ((10**400,),)), "inf is not a weight or an evaluation"),
    ],
)
def test_wrong_names_and_figures_are_one_line(call, message):
    one_line(call, message)


SAME = "every outcome is worth the same"


def of_negmas(ufun):
    space = make_os([make_issue(2, "a"), make_issue(2, "b")], name="flat")
    return from_negmas(NegmasScenario(space, (ufun(space),)))


@pytest.mark.parametrize(
    "call",
    [
        lambda path: Scenario("s", {"i": ("a",)}, (AdditiveProfile("x", (1.0,), ((1.0,),)),)),
        lambda path: Scenario(
            "s", {"i": ("a", "b"), "j": ("p", "q")}, (AdditiveProfile("x", (1.0, 0.0), ((3.0, 3.0), (1.0, 2.0))),)
        ),
        lambda path: Scenario("s", {"i": ("a", "b")}, (TabulatedProfile("x", np.full(2, 0.1 + 0.2)),)),
        lambda path: Scenario("s", {"i": ("a", "b")}, (TabulatedProfile("x", np.array([0.3, 0.1 + 0.2])),)),
        lambda path: of_negmas(
            lambda space: LinearAdditiveUtilityFunction(
                [{0: 2, 1: 2}, {0: 1, 1: 1}], weights=[0.4, 0.6], outcome_space=space
            )
        ),
        lambda path: of_negmas(lambda space: MappingUtilityFunction(lambda outcome: 0.0, outcome_space=space)),
        lambda path: load_scenario(path),
    ],
)
def test_a_profile_that_is_worth_the_same_everywhere_is_refused(call, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("name: s\nissues: {i: [a, b]}\nprofiles: {x: {i: {weight: 1, evaluations: [2, 2]}}}\n")
    one_line(lambda: call(path), SAME)


def test_drawn_profiles_always_prefer_something():
    one_line(lambda: random_scenario(np.random.default_rng(0), values=(1, 1)), r"values=\(1, 1\); valid: 2 or more")
    for seed in range(60):
        scenario = random_scenario(np.random.default_rng(seed), issues=(1, 1), values=(1, 2))
        assert scenario.n_outcomes == 2 and np.ptp(scenario.utilities(0)) > 0

"""Scenarios of others: whole names, discounts said and left behind, Genius' own values of boxes, nothing merged."""

import base64
import os
import warnings

import cloudpickle
import numpy as np
import pytest
from negmas.inout import Scenario as NegmasScenario
from negmas.outcomes import make_issue, make_os
from negmas.preferences import (
    DiscountedUtilityFunction,
    ExpDiscountedUFun,
    HyperRectangleUtilityFunction,
    LinDiscountedUFun,
    LinearAdditiveUtilityFunction,
    MappingUtilityFunction,
    WeightedUtilityFunction,
)
from negmas.sao import SAOMechanism

from scml_gym.bilateral.negotiators import Boulware
from scml_gym.bilateral.scenarios import load_scenario, write_scenario
from scml_gym.bilateral.scenarios.importing import from_negmas
from scml_gym.core.errors import InputError

SPACE = '<utility_space>{more}<objective index="0" name="root" type="objective" etype="objective">{body}</objective>'
ISSUE = '<issue index="{0}" name="{1}" type="discrete" etype="discrete" vtype="discrete">{2}</issue>'
NUMBERS = '<issue index="{0}" name="{1}" type="integer" etype="integer" lowerbound="{2}" upperbound="{3}"/>'
WEIGHT = '<weight index="1" value="1.0"/>'


def items(*evaluations, values="xyz"):
    return "".join(
        f'<item index="{i + 1}" value="{value}"' + ("/>" if e is None else f' evaluation="{e}"/>')
        for i, (e, value) in enumerate(zip(evaluations, values, strict=False))
    )


def utility_space(body, more=""):
    return SPACE.format(body=body, more=more) + "</utility_space>"


def genius(folder, domain, **profiles):
    folder.mkdir(exist_ok=True)
    (folder / "domain.xml").write_text(f"<negotiation_template>{utility_space(domain)}</negotiation_template>")
    for name, text in profiles.items():
        (folder / f"{name}.xml").write_text(text)
    return folder


def one_line(call, message):
    with pytest.raises(InputError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


DOMAIN = ISSUE.format(1, "a", items(None, None))


def side(*evaluations, more="", weight=WEIGHT):
    return utility_space(ISSUE.format(1, "a", items(*evaluations)) + weight, more)


def test_names_of_profiles_stay_whole(tmp_path):
    names = ("Mr. A. Smith", "Party v1.2", "Party v1.3")
    sides = dict(zip(names, map(side, (1, 2, 3), (2, 1, 1)), strict=True))
    folder = genius(tmp_path / "Domain v2.0", DOMAIN, **sides)
    scenario = load_scenario(folder)
    assert scenario.name == "Domain v2.0" and tuple(p.name for p in scenario.profiles) == names
    write_scenario(scenario, tmp_path / "s.yaml")
    assert load_scenario(tmp_path / "s.yaml") == scenario


def small_space():
    return make_os([make_issue(["x", "y"], "a"), make_issue(["p", "q"], "b")], name="small")


def additive(space, name="u", **more):
    values = {"a": {"x": 1, "y": 4}, "b": {"p": 3, "q": 2}}
    return LinearAdditiveUtilityFunction(values, weights=[0.6, 0.4], outcome_space=space, name=name, **more)


def test_profiles_of_one_name_are_refused():
    space = small_space()
    one_line(
        lambda: from_negmas(NegmasScenario(space, (additive(space, "Mr. A"), additive(space, "Mr. A")))),
        "2 profiles have the name 'Mr. A'",
    )


class HalfDiscount(DiscountedUtilityFunction):
    def eval_on_state(self, offer, nmi=None, state=None):
        return 0.5 * self.ufun(offer)


EQUATION_1 = [0.6 / 4 + 0.4, 0.6 / 4 + 0.4 * 2 / 3, 1.0, 0.6 + 0.4 * 2 / 3]
DISCOUNTS = {
    "linear": lambda ufun: LinDiscountedUFun(ufun, cost=0.3, name="discounted"),  # negmas orders its files by name
    "exponential": lambda ufun: ExpDiscountedUFun(ufun, discount=0.3, name="discounted"),
    "both": lambda ufun: ExpDiscountedUFun(LinDiscountedUFun(ufun, cost=0.3), discount=0.3, name="discounted"),
    "another": HalfDiscount,
}


def read(load):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        scenario = load()
    return scenario, [str(warning.message) for warning in seen]


@pytest.mark.parametrize("kind", DISCOUNTS)
def test_every_discount_is_left_behind_and_said(kind, tmp_path):
    space = small_space()
    given = NegmasScenario(space, (DISCOUNTS[kind](additive(space)), additive(space, "v")))
    before = given.ufuns
    direct, said = read(lambda: from_negmas(given))
    assert len(said) == 1 and "the discounts are left behind: time costs nothing here" in said[0]
    assert given.ufuns is before  # the caller's scenario is as it was
    assert direct.utilities(0) == pytest.approx(EQUATION_1) and [p.name for p in direct.profiles] == ["u", "v"]
    if kind != "another":
        given.dumpas(tmp_path / "small", type="yml")
        loaded, said = read(lambda: load_scenario(tmp_path / "small"))
        assert len(said) == 1 and "the discounts are left behind" in said[0]
        assert loaded.utilities(0).tolist() == direct.utilities(0).tolist() and loaded == direct


def test_a_discount_that_costs_nothing_is_not_mentioned():
    space = small_space()
    free = (LinDiscountedUFun(additive(space, "u"), cost=0.0), ExpDiscountedUFun(additive(space, "v"), discount=1.0))
    assert read(lambda: from_negmas(NegmasScenario(space, free)))[1] == []


class Melting(LinearAdditiveUtilityFunction):
    """No discount by its class, but it says that it depends on the state."""

    def is_state_dependent(self):
        return True


def test_a_function_that_changes_with_time_is_said_as_a_discount():
    space = small_space()
    values = {"a": {"x": 1, "y": 4}, "b": {"p": 3, "q": 2}}
    ufun = Melting(values, weights=[0.6, 0.4], outcome_space=space, name="u")
    scenario, said = read(lambda: from_negmas(NegmasScenario(space, (ufun,))))
    assert len(said) == 1 and "the discounts are left behind" in said[0]
    assert scenario.utilities(0) == pytest.approx(EQUATION_1)


def test_a_discount_inside_another_function_is_said_too():
    space = small_space()
    parts = [LinDiscountedUFun(additive(space), cost=0.3), additive(space)]
    mixed = WeightedUtilityFunction(parts, weights=[0.1, 0.1], outcome_space=space, name="w")
    scenario, said = read(lambda: from_negmas(NegmasScenario(space, (mixed,))))
    assert len(said) == 1 and "the discounts are left behind" in said[0]
    assert scenario.utilities(0) == pytest.approx([0.2 * u for u in (1.8, 1.4, 3.6, 3.2)])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('<discount_factor value="0.8"/>', True),
        ('<cost value="0.3"/>', True),
        ('<discount_factor value="1.0"/>', False),
        ("", False),
    ],
)
def test_a_discount_of_genius_is_said_in_both_ways_of_import(more, said, tmp_path):
    folder = genius(tmp_path / "d", DOMAIN, one=side(1, 2, more=more), two=side(2, 1))
    loaded, lines = read(lambda: load_scenario(folder))
    assert ["the discounts are left behind" in line for line in lines] == [True] * said
    direct, _ = read(lambda: from_negmas(NegmasScenario.load(folder), "d"))
    assert loaded == direct and loaded.utilities(0).tolist() == [0.5, 1.0]


@pytest.mark.parametrize("figure", [0.3, float("inf"), float("nan")])
def test_a_reserved_value_is_said_wherever_it_stands(figure):
    space = small_space()
    for ufun in (
        additive(space, reserved_value=figure),
        ExpDiscountedUFun(additive(space), discount=1.0, reserved_value=figure),
        LinDiscountedUFun(additive(space, reserved_value=figure), cost=0.0),
    ):
        _, said = read(lambda ufun=ufun: from_negmas(NegmasScenario(space, (ufun,))))
        assert said == [f"profile 'u': the reserved value {figure:g} is left behind: no agreement is worth 0"]


def test_a_negotiator_of_negmas_leaves_discounts_behind_and_says_so():
    plain, discounted = [], []
    for made, wrap in ((plain, lambda u: u), (discounted, lambda u: ExpDiscountedUFun(u, discount=0.5))):
        mechanism = SAOMechanism(outcome_space=small_space(), n_steps=6, one_offer_per_step=True)
        outcomes = list(mechanism.outcome_space.enumerate())
        for worth in ([0.0, 0.4, 0.7, 1.0], [1.0, 0.8, 0.2, 0.0]):
            mapping = dict(zip(outcomes, worth, strict=True))
            ufun = MappingUtilityFunction(mapping, outcome_space=mechanism.outcome_space)
            mechanism.add(Boulware(seed=1), ufun=wrap(ufun))
        made += read(mechanism.run)[1]
        made.append([offer for _, offer in mechanism.trace])
    assert plain[-1] == discounted[-1]
    assert sum("the discounts are left behind" in str(line) for line in discounted[:-1]) == 2
    assert not any("discounts" in str(line) for line in plain[:-1])


def test_a_negotiator_of_negmas_needs_something_to_prefer():
    space = small_space()
    mechanism = SAOMechanism(outcome_space=space, n_steps=4)
    for _ in range(2):
        mechanism.add(Boulware(), ufun=MappingUtilityFunction(lambda outcome: 0.5, outcome_space=space, name="flat"))
    with pytest.raises(InputError, match="profile 'flat': every outcome is worth the same"):
        mechanism.run()


BOXES = """<utility maxutility="{0}"><ufun type="PlainUfun" weight="3" aggregation="{1}">
<hyperRectangle utility="10"><INCLUDES index="1" min="1" max="2"/><INCLUDES index="2" min="0" max="1"/></hyperRectangle>
<hyperRectangle utility="4" weight="2"><INCLUDES index="1" min="2" max="3"/></hyperRectangle>
<hyperRectangle utility="1"/>{2}</ufun></utility>"""
PLANE = NUMBERS.format(1, "a", 0, 3) + NUMBERS.format(2, "b", 0, 2)


def literal(utility):
    return [utility(a, b) for a in range(4) for b in range(3)]


@pytest.mark.parametrize(
    ("more", "largest", "utility"),
    [
        ("", 20, lambda a, b: (10 * (1 <= a <= 2 and b <= 1) + 8 * (2 <= a <= 3) + 1) / 20),
        ("", 15, lambda a, b: min((10 * (1 <= a <= 2 and b <= 1) + 8 * (2 <= a <= 3) + 1) / 15, 1)),
        (
            '<hyperRectangle utility="5"><EXCLUDES index="2" min="1" max="2"/></hyperRectangle>',
            40,
            lambda a, b: (10 * (1 <= a <= 2 and b <= 1) + 8 * (2 <= a <= 3) + 1 + 5 * (not 1 <= b <= 2)) / 40,
        ),
    ],
)
def test_boxes_are_worth_what_genius_says_bounds_included(more, largest, utility, tmp_path):
    folder = genius(tmp_path / "boxes", PLANE, one=utility_space(PLANE + BOXES.format(largest, "sum", more)))
    assert load_scenario(folder).utilities(0) == pytest.approx(literal(utility))


@pytest.mark.parametrize(
    ("domain", "boxes", "message"),
    [
        (PLANE, BOXES.format(-1, "sum", ""), "a maxutility above 0"),
        (PLANE, BOXES.format(20, "max", ""), "combined using max are not supported"),
        (PLANE, BOXES.format(20, "sum", '<ufun aggregation="sum" weight="1"/>'), "other than a plain sum of boxes"),
        (PLANE, BOXES.format(20, "sum", "").replace('index="1"', 'index="7"'), "issue 7 of a box is none of whole"),
        (DOMAIN + NUMBERS.format(2, "b", 0, 2), BOXES.format(20, "sum", ""), "issue 1 of a box is none of whole"),
        (PLANE, BOXES.format(1, "sum", ""), "worth the same"),
        (PLANE, BOXES.format(20, "sum", "") + WEIGHT, "boxes and evaluations in one profile"),
    ],
)
def test_boxes_that_genius_would_not_read_are_refused(domain, boxes, message, tmp_path):
    folder = genius(tmp_path / "boxes", domain, one=utility_space(boxes))
    one_line(lambda: load_scenario(folder), message)


def test_boxes_of_negmas_are_refused():
    space = make_os([make_issue(4, "a"), make_issue(3, "b")], name="plane")
    boxes = HyperRectangleUtilityFunction([{0: (1, 2)}], [1.0], outcome_space=space, name="u")
    one_line(lambda: from_negmas(NegmasScenario(space, (boxes,))), "negmas' hyperrectangles leave out their bounds")


TWO = DOMAIN + ISSUE.format(2, "b", items(None, None))


def pair(first="a", second="b", weights=(1, 2)):
    return utility_space(
        ISSUE.format(1, first, items(1, 2))
        + ISSUE.format(2, second, items(2, 1))
        + "".join(f'<weight index="{i}" value="0.5"/>' for i in weights)
    )


@pytest.mark.parametrize(
    ("domain", "profile", "message"),
    [
        (ISSUE.format(1, "a", items(None, None, None, values="xyx")), side(1, 2), "value of issue .a. .x. is given"),
        (DOMAIN, utility_space(ISSUE.format(1, "a", items(1, 2, 3, values="xyx")) + WEIGHT), "'x' is given twice"),
        (DOMAIN + ISSUE.format(2, "a", items(None, None)), side(1, 2), "issue 'a' is given twice"),
        (DOMAIN + ISSUE.format(1, "b", items(None, None)), pair(), "issue's index '1' is given twice"),
        (TWO, pair("b", "a"), "issue 'b' has index 1, but 2 in domain.xml"),
        (TWO, pair(weights=(1, 1)), "weight of index '1' is given twice"),
        (DOMAIN, side(1), "issue 'a' has no evaluation of 'y'"),
        (DOMAIN, side(2, 2), "every outcome is worth the same"),
        (DOMAIN, side(1, "nan"), "nan is not a weight or an evaluation"),
        (DOMAIN, side(1, "inf"), "inf is not a weight or an evaluation"),
    ],
)
def test_nothing_of_genius_is_merged_or_made_up(domain, profile, message, tmp_path):
    one_line(lambda: load_scenario(genius(tmp_path / "d", domain, one=profile)), message)


def test_issues_of_one_name_are_refused():
    space = make_os([make_issue(2, "a"), make_issue(2, "a")], name="twice")
    ufun = MappingUtilityFunction(lambda outcome: outcome[0] / 2, outcome_space=space, name="u")
    one_line(lambda: from_negmas(NegmasScenario(space, (ufun,))), "two issues of one name")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), r"\('x', 'p'\) is worth nan; valid: a number"),
        (float("inf"), r"\('x', 'p'\) is worth inf; valid: a number"),
        (None, r"\('x', 'p'\) cannot be evaluated"),
    ],
)
def test_what_is_no_number_names_the_outcome(value, message):
    space = small_space()
    ufun = MappingUtilityFunction(lambda outcome: value, outcome_space=space, name="u")
    one_line(lambda: from_negmas(NegmasScenario(space, (ufun,))), message)


def test_an_integer_range_is_read_from_its_first_to_its_last_number():
    space = make_os([make_issue((-1, 2), "a")], name="range")
    ufun = MappingUtilityFunction(lambda outcome: (outcome[0] + 1) / 3, outcome_space=space, name="u")
    scenario = from_negmas(NegmasScenario(space, (ufun,)))
    assert scenario.issues == {"a": (-1, 0, 1, 2)}
    np.testing.assert_allclose(scenario.utilities(0), [0, 1 / 3, 2 / 3, 1])


class Owned:
    """What touches a file when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch OWNED",)


PICKLED = base64.b64encode(b"__CLOUDPICKLE_START__:" + cloudpickle.dumps(Owned())).decode()


@pytest.mark.parametrize(
    "value",
    [f"!!binary {PICKLED}", "{type: subprocess.Popen, args: [touch, OWNED]}", "{type: negmas.helpers.inout.load}"]
    + [
        "!!python/object/apply:os.system [touch OWNED]",
        "{type: os.system}",
        "{type: AffineFun, slope: {type: os.system}}",
    ],
)
@pytest.mark.parametrize("place", ["value", "type of the profile", "issue", "domain"])
def test_a_scenario_of_others_runs_no_code(value, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "d"
    folder.mkdir()
    texts = {"value": "{x: 1, y: 2}", "type of the profile": "LinearAdditiveUtilityFunction", "issue": "[x, y]"}
    texts |= {"domain": "negmas.outcomes.CartesianOutcomeSpace"}

    def write():
        (folder / "domain.yml").write_text(
            f"name: d\ntype: {texts['domain']}\nkind: OutcomeSpace\nissues:\n"
            f"- {{name: a, type: negmas.outcomes.CategoricalIssue, values: {texts['issue']}}}\n"
        )
        (folder / "u.yml").write_text(
            f"name: u\ntype: {texts['type of the profile']}\nweights: [1.0]\nvalues:\n- {texts['value']}\n"
        )

    write()
    assert load_scenario(folder).utilities(0).tolist() == [0.5, 1.0]
    texts[place] = value
    write()
    one_line(lambda: load_scenario(folder), "")
    assert not (tmp_path / "OWNED").exists()


def test_an_index_that_no_domain_has_is_refused(tmp_path):
    domain = DOMAIN.replace('index="1"', 'index="99999999"', 1)
    one_line(
        lambda: load_scenario(genius(tmp_path / "d", domain, one=side(1, 2))), "has the index '99999999'; valid: 1 to 1"
    )

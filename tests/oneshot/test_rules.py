"""What is still needed, what an agreement changes, and the score; valid answers are in test_encoding.py."""

import numpy as np

from scml_gym.jit.compile import compiled
from scml_gym.oneshot.rules import book_agreement, needs_of
from scml_gym.oneshot.view import new_view
from scml_gym.simulator.compiled.scores import score_of


def test_needs_are_the_contract_up_to_the_lines_without_what_is_agreed():
    assert needs_of(10, 7, 0) == 7
    assert needs_of(5, 7, 0) == 5
    assert needs_of(5, 7, 3) == 4
    assert needs_of(10, 7, 9) == -2


def test_an_agreement_is_booked_with_its_partner_and_off_the_needs():
    ours, theirs = new_view(), new_view()
    for view, book in ((ours, book_agreement), (theirs, compiled(book_agreement))):
        view["lines"], view["exogenous_quantity"] = 10, 8
        book(view, 2, 5, 11)
        book(view, 0, 4, 12)
        assert view["agreed_quantity"] == 9 and view["needs"] == -1
        assert view["partners"]["agreed_quantity"].tolist() == [4, 0, 5, 0, 0, 0, 0, 0]
        assert view["partners"]["agreed_price"].tolist() == [12, 0, 11, 0, 0, 0, 0, 0]
    assert ours == theirs


def test_the_score_is_the_balance_as_a_multiple_of_the_first_one():
    assert score_of(200.0, -50.0) == 0.75
    assert score_of(np.array([100, 200]), np.array([10.0, 0.0])).tolist() == [1.1, 1.0]

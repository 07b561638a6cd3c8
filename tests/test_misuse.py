"""Whatever an environment is given, or whoever uses it at the same time: one line, and it goes on as it was."""

import pytest

from tests.helpers.misuse import CASES, tries


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name", "options"), CASES)
def test_wrong_use_is_told_in_one_line(kind, name, options):
    wrong = [f"{what}: {message}" for what, held, message in tries(kind, name, options) if not held]
    assert not wrong, "\n".join(wrong)

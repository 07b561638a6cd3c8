"""Benchmarks of the Standard track whose tables grow: one is gone on with by the same options alone."""

import json

import pytest

TABLE = "configuration,play,place,player,score\n0,0,first,penguin,1.0\n"

LEAGUE = json.dumps({"days": 30, "factories": 12, "stock": "league"})
OTHERS = {
    "another": ("benchmarks/standard_sticks.py", LEAGUE, "has a table of other options"),
    "none": ("benchmarks/penguin_audit.py", None, "there is no kept.csv.json that says its options"),
    "damaged": ("benchmarks/penguin_audit.py", "[1]", "there is no kept.csv.json that says its options"),
}
"""Of a table that is there: the script, the options beside it, and what is said."""


@pytest.mark.slow
@pytest.mark.parametrize("case", OTHERS)
def test_a_table_of_other_options_is_not_gone_on_with(command_line, tmp_path, case):
    script, kept, words = OTHERS[case]
    table = tmp_path / "kept.csv"
    table.write_text(TABLE)
    if kept is not None:
        (tmp_path / "kept.csv.json").write_text(kept)
    done = command_line(script, "--days", 20, "--out", table)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1 and words in done.stderr
    assert table.read_text() == TABLE


@pytest.mark.slow
def test_a_table_of_the_same_options_is_gone_on_with(command_line, tmp_path):
    """Its configurations are there already, so nothing is played."""
    table = tmp_path / "kept.csv"
    table.write_text("configuration,play,place,accepted_sales,exact_league,exact_physical,day_league,day_physical\n")
    with table.open("a") as file:
        file.write("0,0,middle,10,2,3,4,5\n")
    (tmp_path / "kept.csv.json").write_text('{"days": 20}')
    before = table.read_text()
    done = command_line("benchmarks/penguin_audit.py", "--days", 20, "--configurations", 1, "--out", table)
    assert done.returncode == 0, done.stderr
    assert "1 worlds, 10 accepted sales\nexact_league: 2 (20.0%)" in done.stdout
    assert table.read_text() == before

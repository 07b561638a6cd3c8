"""What a work shows while it runs: a bar in a terminal, else a line now and then."""

import re
import time

import pytest

from scml_gym.core.reporting import LINE_SECONDS, Progress, progress_bar


@pytest.fixture
def clock(monkeypatch):
    """``clock(seconds)``: so much time passes."""
    now = [float(int(time.monotonic()))]  # whole, so that sums of what passes are exact
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def advance(seconds):
        now[0] += seconds

    return advance


def test_without_a_terminal_a_line_comes_with_each_tenth_or_after_ten_seconds(clock, capsys):
    with progress_bar(1000, "worlds") as bar:
        for step in range(1, 1001):
            clock(1.0 if step <= 100 else 0.0625)
            bar.update(step, f"score [{step}]")
    lines = capsys.readouterr().err.splitlines()
    steps = [int(re.findall(r"^worlds: (\d+)/1000", line)[0]) for line in lines]
    assert steps == [1, *range(11, 92, 10), 116, *range(216, 1000, 100), 1000]
    assert lines[1] == "worlds: 11/1000 (1 %), 11 s  score [11]"


def test_a_short_work_still_says_that_it_is_done(capsys):
    with progress_bar(3, "worlds") as bar:
        for step in range(1, 4):
            bar.update(step)
    assert [line.partition(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "worlds: 1/3 (33 %)",
        "worlds: 3/3 (100 %)",
    ]


def test_more_than_all_is_all(capsys):
    with progress_bar(3, "steps") as bar:
        bar.update(4)
    assert "steps: 4/3 (100 %)" in capsys.readouterr().err


def test_a_work_of_nothing_is_shown_too(capsys):
    with progress_bar(0, "worlds") as bar:
        bar.update(0)
    assert "worlds: 0/0 (100 %)" in capsys.readouterr().err


def test_a_terminal_has_a_bar_in_which_nothing_is_markup(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with progress_bar(10, "[/red] worlds") as bar:
        bar.update(4, "score [/blue] [0]")
    shown = capsys.readouterr().err
    assert "[/red] worlds" in shown and "4/10" in shown and "[/blue] [0]" in shown


def test_telling_is_cheap():
    shown = []
    progress = Progress(lambda step, note: shown.append(step), *LINE_SECONDS, steps=1e9)
    started = time.perf_counter()
    for step in range(100_000):
        progress.update(step)
    assert time.perf_counter() - started < 2.0
    assert len(shown) < 10
